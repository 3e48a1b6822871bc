// Units as a tree: opened, moved, renamed and added to, by mouse and by keyboard. A move changes who sees what, so it says so
// before it is done; a unit cannot be put below itself.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { call } from "~/api/client";
import { errorText, fieldErrorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { Json } from "~/api/types.gen";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { Badge, Button, Kbd, libCss, State } from "~/lib/basics";
import { SelectField, TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { objectLabel, optionLabel, useMetas, type Meta } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { Facts } from "~/record/Facts";
import { useChange, useRecord } from "~/record/data";
import { show } from "~/shell/stage";
import { useOffices } from "./data";
import { AdminPage, Bones, Denied, FromFile, Panel } from "./Page";
import { flatten, useUnits, within, type Node } from "./tree";
import css from "./admin.module.css";

type Asked = { what: "move"; node: Node; to: string } | { what: "rename"; node: Node };

type BranchProps = { nodes: Node[]; shut: ReadonlySet<string>; on: string; tab: string; meta: Meta; drop: string; drag: (id: string) => void; over: (id: string) => void; dropOn: (id: string) => void; pick: (node: Node) => void; twist: (node: Node) => void };

function Branch({ nodes, ...rest }: BranchProps) {
  const t = useT();
  const { shut, on, tab, meta, drop } = rest;
  const type = meta.fields.get("type");
  return (
    <>
      {nodes.map((node) => {
        const open = !shut.has(node.id);
        const kind = String(node.record.fields["type"] ?? "");
        return (
          <li key={node.id} id={`unit-${node.id}`} role="treeitem" aria-selected={on === node.id} aria-expanded={node.children.length > 0 ? open : undefined} aria-level={node.depth + 1} aria-label={node.name} tabIndex={tab === node.id ? 0 : -1} data-id={node.id}>
            <div
              className={css.node}
              data-on={on === node.id}
              data-drop={drop === node.id}
              draggable={meta.may.update}
              onClick={() => rest.pick(node)}
              onDragStart={(event) => {
                event.dataTransfer.setData("text/plain", node.id);
                rest.drag(node.id);
              }}
              onDragOver={(event) => {
                event.preventDefault();
                rest.over(node.id);
              }}
              onDragLeave={() => rest.over("")}
              onDrop={(event) => {
                event.preventDefault();
                rest.dropOn(node.id);
              }}
            >
              <span
                className={css.twist}
                data-leaf={node.children.length === 0}
                aria-hidden
                onClick={(event) => {
                  event.stopPropagation();
                  rest.twist(node);
                }}
              >
                <Icon name={open ? "down" : "right"} size={12} />
              </span>
              <span className="clip">{node.name}</span>
              {node.ring ? <Badge tone="bad" icon="warn">{t("units.ring")}</Badge> : null}
              {node.record.fields["data_boundary"] === true ? <Badge icon="seal">{t("units.boundary")}</Badge> : null}
              <span className={css.nodeEnd}>{[node.code, type && kind ? optionLabel(type, kind) : ""].filter(Boolean).join(" · ")}</span>
            </div>
            {node.children.length > 0 && open ? (
              <ul role="group">
                <Branch {...rest} nodes={node.children} />
              </ul>
            ) : null}
          </li>
        );
      })}
    </>
  );
}

function useUnitChange() {
  const t = useT();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ id, fields }: { id: string; fields: { [field: string]: Json } }) => {
      const now = await call("record_open", { params: { object: "unit", id }, query: { fields: "name" } });
      return call("record_change", { params: { object: "unit", id }, body: fields, version: now.version });
    },
    onSuccess: (_, { id }) => {
      void client.invalidateQueries({ queryKey: ["list", "unit"] });
      void client.invalidateQueries({ queryKey: ["record", "unit", id] });
      toast(t("units.saved"), { tone: "good" });
    },
  });
}

/** Asks where to, or for the new name. */
function Ask({ asked, flat, onClose }: { asked: Asked; flat: Node[]; onClose: () => void }) {
  const t = useT();
  const { node } = asked;
  const change = useUnitChange();
  const [name, setName] = useState(node.name);
  const [to, setTo] = useState(asked.what === "move" ? asked.to : "");
  const moving = asked.what === "move";
  const wrong = change.error ? refusalOf(change.error) : null;
  const error = wrong ? (wrong.errors[0] ? fieldErrorText(wrong.errors[0]) : errorText(wrong)) : undefined;
  const blocked = moving ? (to === (node.parent ?? "") ? t("units.there") : undefined) : !name.trim() || name === node.name ? t("units.sameName") : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (blocked || change.isPending) return;
    change.mutate({ id: node.id, fields: moving ? { parent: to || null } : { name: name.trim() } }, { onSuccess: onClose });
  };
  const places = flat.filter((one) => !within(node, one.id));
  return (
    <Dialog
      open
      onClose={onClose}
      title={moving ? t("units.moveTitle", { name: node.name }) : t("units.renameTitle", { name: node.name })}
      closeLabel={t("act.close")}
      size="narrow"
      foot={
        <>
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button tone="primary" type="submit" form="unit-ask" busy={change.isPending} blocked={blocked}>
            {moving ? t("units.move") : t("units.rename")}
          </Button>
        </>
      }
    >
      <form id="unit-ask" onSubmit={submit}>
        {moving ? (
          <SelectField label={t("units.under")} value={to} error={error} data-autofocus empty={t("units.top")} choices={places.map((one) => ({ value: one.id, label: `${"  ".repeat(one.depth)}${one.name}` }))} onChange={(event) => setTo(event.target.value)} />
        ) : (
          <TextField label={t("units.name")} value={name} error={error} maxLength={120} data-autofocus onChange={(event) => setName(event.target.value)} />
        )}
      </form>
      {moving ? <p className="soft">{t("units.moveText")}</p> : null}
    </Dialog>
  );
}

function Detail({ meta, id }: { meta: Meta; id: string }) {
  const t = useT();
  const metas = useMetas();
  const offices = useOffices();
  const { data: record, error, refetch } = useRecord(meta, metas, id);
  const change = useChange(meta, id);
  const people = useQuery({
    queryKey: ["list", "user", "of-unit", id],
    queryFn: ({ signal }) => call("record_query", { params: { object: "user" }, body: { filter: { field: "unit", op: "eq", value: id }, fields: ["display_name"], limit: 8, sort: ["display_name"], count: "exact" }, signal }),
    enabled: metas.get("user")?.may.read ?? false,
  });
  const user = metas.get("user");
  if (error && !record) return <Trouble error={error} retry={() => void refetch()} />;
  if (!record) return <Bones />;
  return (
    <>
      <Panel title={user ? objectLabel(user, true) : ""} end={<span className="faint num">{people.data?.count === undefined ? "" : number(people.data.count)}</span>}>
        {people.data?.items.length === 0 ? <p className="soft">{t("units.nobody")}</p> : null}
        <p>
          {people.data?.items.map((one, index) => (
            <span key={one.id}>
              {index > 0 ? " · " : ""}
              {offices.users ? <Link to="/admin/users/$id" params={{ id: one.id }}>{String(one.fields["display_name"] ?? "")}</Link> : String(one.fields["display_name"] ?? "")}
            </span>
          ))}
          {people.data?.next && offices.users ? (
            <>
              {" · "}
              <Link to="/admin/users" search={{ unit: id }}>
                {t("related.all")}
              </Link>
            </>
          ) : null}
        </p>
      </Panel>
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

function UnitsOf({ meta }: { meta: Meta }) {
  const t = useT();
  const navigate = useNavigate();
  const search = useSearch({ from: "/shell/admin/units" });
  const { query, tree, flat } = useUnits();
  const [shut, setShut] = useState<ReadonlySet<string>>(new Set());
  const [asked, setAsked] = useState<Asked | null>(null);
  const [over, setOver] = useState("");
  const dragged = useRef("");
  const place = useRef<HTMLUListElement>(null);
  const seen = flatten(tree, shut);
  const on = search.unit ?? "";
  const tab = seen.some((node) => node.id === on) ? on : (seen[0]?.id ?? "");
  const node = flat.find((one) => one.id === on);
  const pick = (one: Node) => void navigate({ to: "/admin/units", search: { unit: one.id }, replace: true });
  const twist = (one: Node) => {
    const next = new Set(shut);
    if (!next.delete(one.id)) next.add(one.id);
    setShut(next);
  };
  const focus = (id: string | undefined) => {
    const to = seen.find((one) => one.id === id);
    if (!to) return;
    pick(to);
    requestAnimationFrame(() => place.current?.querySelector<HTMLElement>(`[data-id="${to.id}"]`)?.focus());
  };
  const below = (one: Node | undefined) => show({ what: "create", object: "unit", preset: one ? { parent: one.id } : {} });
  const noUpdate = meta.may.update ? undefined : t("record.readOnly");

  function key(event: KeyboardEvent) {
    const id = (event.target as HTMLElement).dataset["id"];
    const at = seen.findIndex((one) => one.id === id);
    const now = seen[at];
    if (!now || event.ctrlKey || event.metaKey || event.altKey) return;
    const acts: { [key: string]: () => void } = {
      ArrowDown: () => focus(seen[at + 1]?.id),
      ArrowUp: () => focus(seen[at - 1]?.id),
      Home: () => focus(seen[0]?.id),
      End: () => focus(seen.at(-1)?.id),
      ArrowRight: () => (now.children.length === 0 ? undefined : shut.has(now.id) ? twist(now) : focus(now.children[0]?.id)),
      ArrowLeft: () => (now.children.length > 0 && !shut.has(now.id) ? twist(now) : focus(now.parent ?? undefined)),
      Enter: () => pick(now),
      " ": () => pick(now),
      F2: () => (noUpdate ? undefined : setAsked({ what: "rename", node: now })),
      m: () => (noUpdate ? undefined : setAsked({ what: "move", node: now, to: now.parent ?? "" })),
      Insert: () => (meta.may.create ? below(now) : undefined),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }
  const dropOn = (target: string) => {
    setOver("");
    const from = flat.find((one) => one.id === dragged.current);
    if (!from || from.id === target || from.parent === target) return;
    if (within(from, target)) return void toast(t("units.below"), { tone: "bad" });
    setAsked({ what: "move", node: from, to: target });
  };
  return (
    <AdminPage
      title={objectLabel(meta, true)}
      count={flat.length > 0 ? number(flat.length) : ""}
      acts={
        <>
          <FromFile meta={meta} />
          <Button tone="primary" icon="plus" blocked={meta.may.create ? undefined : t("users.noCreate")} onClick={() => below(node)}>
            {node ? t("units.newBelow") : t("list.create", { object: objectLabel(meta) })}
          </Button>
        </>
      }
    >
      {query.error ? <Trouble error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isPending ? <Bones /> : null}
      {query.data && flat.length === 0 ? <State icon="unit" title={t("list.nothing", { objects: objectLabel(meta, true) })} text={t("units.nothing")} /> : null}
      {flat.length > 0 ? (
        <div className={`${css.split} ${css.splitWide}`}>
          <div className={css.side}>
            <ul ref={place} role="tree" aria-label={objectLabel(meta, true)} className={css.tree} onKeyDown={key}>
              <Branch nodes={tree} shut={shut} on={on} tab={tab} meta={meta} drop={over} drag={(id) => (dragged.current = id)} over={setOver} dropOn={dropOn} pick={pick} twist={twist} />
            </ul>
            {meta.may.update ? (
              <div className={css.keysLine}>
                <span><Kbd>↑</Kbd><Kbd>↓</Kbd><Kbd>←</Kbd><Kbd>→</Kbd> {t("units.keys.walk")}</span>
                <span><Kbd>M</Kbd> {t("units.move")}</span>
                <span><Kbd>F2</Kbd> {t("units.rename")}</span>
                <span><Kbd>Ins</Kbd> {t("units.newBelow")}</span>
              </div>
            ) : null}
          </div>
          <div className={css.detail}>
            {node ? (
              <>
                <div className={css.head}>
                  <h2>{node.name}</h2>
                  <div className={css.headEnd}>
                    <Button small blocked={noUpdate} onClick={() => setAsked({ what: "rename", node })}>
                      {t("units.rename")}
                    </Button>
                    <Button small blocked={noUpdate} onClick={() => setAsked({ what: "move", node, to: node.parent ?? "" })}>
                      {t("units.move")}
                    </Button>
                    <Link className={`${libCss.button} ${libCss.small}`} to="/o/$object/$id" params={{ object: "unit", id: node.id }}>
                      {t("users.record")}
                    </Link>
                  </div>
                </div>
                <Detail key={node.id} meta={meta} id={node.id} />
              </>
            ) : (
              <State icon="unit" title={t("units.choose")} text={t("units.chooseText")} />
            )}
          </div>
        </div>
      ) : null}
      {asked ? <Ask asked={asked} flat={flat} onClose={() => setAsked(null)} /> : null}
    </AdminPage>
  );
}

export default function Units() {
  const meta = useMetas().get("unit");
  if (!meta?.may.read) return <Denied />;
  return <UnitsOf meta={meta} />;
}
