// Teams and who is in them. Membership reaches records ("team" scope), so joining and leaving take effect at the next request.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { Avatar, Button, IconButton, libCss, State } from "~/lib/basics";
import { SelectField } from "~/lib/fields";
import { toast } from "~/lib/toasts";
import { objectLabel, said, titleOf, useMetas, type Meta } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { Facts } from "~/record/Facts";
import { useChange, useRecord } from "~/record/data";
import { show } from "~/shell/stage";
import { RecordPicker } from "~/value/RecordPicker";
import { type Picked } from "~/value/title";
import { useOffices } from "./data";
import { AdminPage, Bones, Denied, Panel } from "./Page";
import css from "./admin.module.css";

const complain = (error: unknown) => toast(errorText(error), { tone: "bad", note: errorNote(error) });

function Members({ meta, id }: { meta: Meta; id: string }) {
  const t = useT();
  const client = useQueryClient();
  const metas = useMetas();
  const offices = useOffices();
  const user = metas.get("user");
  const relation = meta.view.definition.links?.find((one) => one.name === "members");
  const members = useQuery({ queryKey: ["links", "team", id, "members"], queryFn: ({ signal }) => call("record_links", { params: { object: "team", id, relation: "members" }, signal }), retry: false });
  const refresh = () => void client.invalidateQueries({ queryKey: ["links"] });
  const join = useMutation({ mutationFn: ({ record, role }: { record: string; role: string }) => call("record_link", { params: { object: "team", id, relation: "members" }, body: { record, role } }), onError: complain, onSuccess: refresh });
  const leave = useMutation({
    mutationFn: ({ record }: { record: string; role: string; name: string }) => call("record_unlink", { params: { object: "team", id, relation: "members", other: record } }),
    onError: complain,
    onSuccess: (_, gone) => {
      refresh();
      toast(t("teams.left", { name: gone.name }), { action: { label: t("act.undo"), act: () => join.mutate({ record: gone.record, role: gone.role }) } });
    },
  });
  const roles = (relation?.roles ?? []).map((role) => ({ value: role.code, label: said(role.label) }));
  const items = [...(members.data?.items ?? [])].sort((a, b) => (a.role === b.role ? 0 : a.role === "lead" ? -1 : 1));
  return (
    <Panel title={relation ? said(relation.label) : ""} end={<span className="faint num">{members.data ? number(items.length) : ""}</span>}>
      {members.error ? <p className="soft">{errorText(members.error)}</p> : null}
      {meta.may.update ? <RecordPicker key={items.length} objects={["user"]} value={null} label={t("teams.add")} onChange={(picked: Picked | null) => (picked ? join.mutate({ record: picked.id, role: "member" }) : undefined)} /> : null}
      {members.data && items.length === 0 ? <p className="soft">{t("teams.empty")}</p> : null}
      <ul className={css.lines}>
        {items.map(({ record, role }) => {
          const name = user ? titleOf(user, record) : record.id;
          return (
            <li key={record.id}>
              <Avatar name={name} />
              {offices.users ? <Link to="/admin/users/$id" params={{ id: record.id }}>{name}</Link> : <span>{name}</span>}
              <span className={css.end}>
                {meta.may.update && roles.length > 0 ? (
                  <SelectField hideLabel label={t("teams.roleOf", { name })} value={role ?? ""} choices={role ? roles : [{ value: "", label: "–" }, ...roles]} onChange={(event) => join.mutate({ record: record.id, role: event.target.value })} />
                ) : (
                  <span className="soft">{roles.find((one) => one.value === role)?.label}</span>
                )}
                <IconButton small icon="close" label={t("related.remove", { name })} blocked={meta.may.update ? undefined : t("record.readOnly")} onClick={() => leave.mutate({ record: record.id, role: role ?? "member", name })} />
              </span>
            </li>
          );
        })}
      </ul>
    </Panel>
  );
}

function Detail({ meta, id }: { meta: Meta; id: string }) {
  const t = useT();
  const metas = useMetas();
  const { data: record, error, refetch } = useRecord(meta, metas, id);
  const change = useChange(meta, id);
  if (error && !record) return <Trouble error={error} retry={() => void refetch()} />;
  if (!record) return <Bones />;
  return (
    <>
      <div className={css.head}>
        <h2>{titleOf(meta, record)}</h2>
        <div className={css.headEnd}>
          <Link className={`${libCss.button} ${libCss.small}`} to="/o/$object/$id" params={{ object: "team", id }}>
            {t("users.record")}
          </Link>
        </div>
      </div>
      <Members meta={meta} id={id} />
      <Facts
        meta={meta}
        record={record}
        save={
          meta.may.update
            ? async (field, value) => {
                await change.mutateAsync({ fields: { [field]: value }, version: record.version });
              }
            : null
        }
      />
    </>
  );
}

function TeamsOf({ meta }: { meta: Meta }) {
  const t = useT();
  const { team } = useSearch({ from: "/shell/admin/teams" });
  const teams = useQuery({ queryKey: ["list", "team", "admin"], queryFn: ({ signal }) => call("record_query", { params: { object: "team" }, body: { fields: ["name", "manager", "manager.display_name"], sort: ["name"], limit: 200 }, signal }) });
  const items = teams.data?.items ?? [];
  const on = team ?? items[0]?.id;
  return (
    <AdminPage
      title={objectLabel(meta, true)}
      count={teams.data ? number(items.length) : ""}
      acts={
        <Button tone="primary" icon="plus" blocked={meta.may.create ? undefined : t("users.noCreate")} onClick={() => show({ what: "create", object: "team" })}>
          {t("list.create", { object: objectLabel(meta) })}
        </Button>
      }
    >
      {teams.error ? <Trouble error={teams.error} retry={() => void teams.refetch()} /> : null}
      {teams.data && items.length === 0 ? <State icon="users" title={t("list.nothing", { objects: objectLabel(meta, true) })} text={t("list.nothingText")} /> : null}
      {teams.isPending ? <Bones /> : null}
      {items.length > 0 ? (
        <div className={css.split}>
          <ul className={css.side} aria-label={objectLabel(meta, true)}>
            {items.map((one) => (
              <li key={one.id}>
                <Link to="/admin/teams" search={{ team: one.id }} replace className={css.entry} aria-current={one.id === on ? "true" : undefined}>
                  <strong>{titleOf(meta, one)}</strong>
                  <span>{String(one.fields["manager.display_name"] ?? "")}</span>
                </Link>
              </li>
            ))}
          </ul>
          <div className={css.detail}>{on ? <Detail key={on} meta={meta} id={on} /> : null}</div>
        </div>
      ) : null}
    </AdminPage>
  );
}

export default function Teams() {
  const meta = useMetas().get("team");
  if (!meta?.may.read) return <Denied />;
  return <TeamsOf meta={meta} />;
}
