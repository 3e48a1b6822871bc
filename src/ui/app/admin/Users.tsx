// Everybody who can sign in: found by name, filtered by state and unit. What one may do with a user stands on the user's own page.

import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { call } from "~/api/client";
import type { Filter } from "~/api/types.gen";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { Badge, Bone, Button, State } from "~/lib/basics";
import { SelectField, TextField } from "~/lib/fields";
import { useKeys } from "~/lib/keys";
import { useCommands, type Command } from "~/model/commands";
import { objectLabel, optionLabel, said, titleOf, useMetas, type Meta } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { Nothing, Value } from "~/value/Value";
import { useOffices } from "./data";
import { NewUser } from "./NewUser";
import { AdminPage, Denied, FromFile } from "./Page";
import { useUnits } from "./tree";
import css from "./admin.module.css";

const FIELDS = ["display_name", "username", "title", "unit", "unit.name", "status", "is_sample"];

export const STATUS_TONES: { [status: string]: "good" | "bad" | "warn" | "plain" } = { active: "good", locked: "bad", suspended: "warn", invited: "plain", left: "plain" };

function useUsers(q: string, status: string, unit: string) {
  const leaves = [...(status ? [{ field: "status", op: "eq", value: status }] : []), ...(unit ? [{ field: "unit", op: "eq", value: unit }] : [])];
  const filter: Filter | null = leaves.length > 0 ? { and: leaves } : null;
  return useInfiniteQuery({
    queryKey: ["list", "user", "admin", q, status, unit],
    queryFn: ({ pageParam, signal }) =>
      call("record_query", { params: { object: "user" }, body: { fields: FIELDS, sort: ["display_name"], limit: 50, count: "exact", filter, ...(q ? { q } : {}), ...(pageParam ? { cursor: pageParam } : {}) }, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
}

function UsersOf({ meta }: { meta: Meta }) {
  const t = useT();
  const navigate = useNavigate();
  const search = useSearch({ from: "/shell/admin/users" });
  const { q = "", status = "", unit = "" } = search;
  const [text, setText] = useState(q);
  const [creating, setCreating] = useState(false);
  const units = useUnits();
  const list = useUsers(q, status, unit);
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const count = list.data?.pages[0]?.count;
  const set = (change: { q?: string; status?: string; unit?: string }) => void navigate({ to: "/admin/users", search: { ...search, ...change }, replace: true });
  useEffect(() => {
    const timer = setTimeout(() => (text.trim() !== q ? set({ q: text.trim() }) : undefined), 250);
    return () => clearTimeout(timer);
  }, [text]); // eslint-disable-line react-hooks/exhaustive-deps -- what is typed goes into the address, not the other way
  useKeys({ c: meta.may.create ? () => setCreating(true) : undefined });
  const commands = useMemo<Command[]>(() => (meta.may.create ? [{ id: "new-user", label: t("users.new"), icon: "plus", keys: "c", act: () => setCreating(true) }] : []), [meta, t]);
  useCommands(commands);
  const states = meta.fields.get("status");
  const label = (name: string) => said(meta.fields.get(name)?.label);
  return (
    <AdminPage
      title={objectLabel(meta, true)}
      count={count === undefined ? "" : number(count)}
      acts={
        <>
          <FromFile meta={meta} />
          <Button tone="primary" icon="plus" blocked={meta.may.create ? undefined : t("users.noCreate")} onClick={() => setCreating(true)}>
            {t("users.new")}
          </Button>
        </>
      }
    >
      <div className={css.bar}>
        <div className={css.grow}>
          <TextField label={t("users.find")} type="search" value={text} maxLength={200} onChange={(event) => setText(event.target.value)} />
        </div>
        <SelectField label={label("status")} value={status} empty={t("users.any")} choices={(states?.options ?? []).map((option) => ({ value: option.code, label: said(option.label) }))} onChange={(event) => set({ status: event.target.value })} />
        <SelectField label={label("unit")} value={unit} empty={t("users.any")} choices={units.flat.map((one) => ({ value: one.id, label: `${"  ".repeat(one.depth)}${one.name}` }))} onChange={(event) => set({ unit: event.target.value })} />
      </div>
      <div className={css.scroll}>
        {list.error && rows.length === 0 ? <Trouble error={list.error} retry={() => void list.refetch()} /> : null}
        {list.data && rows.length === 0 ? (
          <State icon="users" title={t("list.noMatch", { objects: objectLabel(meta, true) })} text={t("list.noMatchText")}>
            <Button
              onClick={() => {
                setText("");
                set({ q: "", status: "", unit: "" });
              }}
            >
              {t("filter.clear")}
            </Button>
          </State>
        ) : null}
        {list.isPending || rows.length > 0 ? (
          <table className={css.table}>
            <thead>
              <tr>
                <th scope="col">{label("display_name")}</th>
                <th scope="col">{label("username")}</th>
                <th scope="col" className={css.hideSmall}>{label("title")}</th>
                <th scope="col" className={css.hideSmall}>{label("unit")}</th>
                <th scope="col">{label("status")}</th>
              </tr>
            </thead>
            <tbody>
              {list.isPending
                ? Array.from({ length: 10 }, (_, row) => (
                    <tr key={row} aria-hidden>
                      <td colSpan={5}>
                        <Bone width={280} height={16} />
                      </td>
                    </tr>
                  ))
                : rows.map((row) => {
                    const status = String(row.fields["status"] ?? "");
                    return (
                      <tr key={row.id}>
                        <td>
                          <Link className={css.name} to="/admin/users/$id" params={{ id: row.id }}>
                            {titleOf(meta, row)}
                          </Link>
                          {row.fields["is_sample"] === true ? <span className={`${css.mark} faint`}>{t("record.sample")}</span> : null}
                        </td>
                        <td>{String(row.fields["username"] ?? "")}</td>
                        <td className={css.hideSmall}><Value meta={meta} path="title" record={row} /></td>
                        <td className={css.hideSmall}><Value meta={meta} path="unit" record={row} /></td>
                        <td>{states && status ? <Badge tone={STATUS_TONES[status] ?? "plain"} {...(status === "locked" ? { icon: "seal" as const } : {})}>{optionLabel(states, status)}</Badge> : <Nothing />}</td>
                      </tr>
                    );
                  })}
            </tbody>
          </table>
        ) : null}
      </div>
      {list.hasNextPage ? (
        <div className={css.foot}>
          <Button busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            {t("admin.more")}
          </Button>
        </div>
      ) : null}
      {creating ? <NewUser meta={meta} onClose={() => setCreating(false)} /> : null}
    </AdminPage>
  );
}

export default function Users() {
  const meta = useMetas().get("user");
  const offices = useOffices();
  if (!meta || !offices.users) return <Denied />;
  return <UsersOf meta={meta} />;
}
