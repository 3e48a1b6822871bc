// The page of one record of any object: head with highlights and stage, facts that are edited in their place, what happened, and
// what belongs to it. A change that somebody else overtook opens the dialog of both versions; a delete can be undone.

import { useQueryClient, type InfiniteData } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { useMe } from "~/api/session";
import type { Json, RecordPage as RecordPageAnswer, RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Badge, Bone, Button, IconButton } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { onMac, useKeys } from "~/lib/keys";
import { Dialog, Menu, type MenuItems } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { Later } from "~/lib/turns";
import { useCommands, type Command } from "~/model/commands";
import { iconOf, layoutOf } from "~/model/layouts";
import { objectLabel, said, stageField, titleOf, useMetas, type Meta } from "~/model/meta";
import { visited } from "~/model/prefs";
import { leaveTrail, listKey, trailOf } from "~/list/state";
import { NotFound, Trouble } from "~/pages/Trouble";
import { Star, useStar } from "~/shell/favourites";
import { PageTitle } from "~/shell/PageTitle";
import { Value } from "~/value/Value";
import { AccessTab } from "./AccessTab";
import { Conflict } from "./Conflict";
import { recordKey, useChange, useRecord, type Change } from "./data";
import { DeletePlan } from "./DeletePlan";
import { Facts } from "./Facts";
import { MergeWith } from "./MergeWith";
import { Presence } from "./Presence";
import { Files } from "./Files";
import { Related } from "./Related";
import { useSaving } from "./saving";
import { StagePath } from "./StagePath";
import { Timeline } from "./Timeline";
import css from "./record.module.css";

/** The neighbours in the list one came from. Where what was loaded of it ends, the next rows are read. */
function useWalk(meta: Meta, id: string) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const trail = trailOf(meta.name);
  const key = trail ? listKey(meta.name, trail.request) : null;
  const data = key ? client.getQueryData<InfiniteData<RecordPageAnswer, string>>(key) : undefined;
  const ids = data?.pages.flatMap((page) => page.items.map((item) => item.id)) ?? [];
  const at = ids.indexOf(id);
  const further = data?.pages.at(-1)?.next;
  const go = (to: string | undefined) => {
    if (!to || !trail) return undefined;
    return () => {
      leaveTrail({ ...trail, id: to });
      void navigate({ to: "/o/$object/$id", params: { object: meta.name, id: to }, search: (before) => before, replace: true });
    };
  };
  const goOn = async () => {
    if (!trail || !key || !data || !further) return;
    try {
      const page = await call("record_query", { params: { object: meta.name }, body: { ...trail.request, cursor: further } });
      client.setQueryData(key, { pages: [...data.pages, page], pageParams: [...data.pageParams, further] });
      go(page.items[0]?.id)?.();
    } catch (error) {
      toast(errorText(error), { tone: "bad", note: errorNote(error) });
    }
  };
  const next = at < 0 ? undefined : at === ids.length - 1 && further ? () => void goOn() : go(ids[at + 1]);
  return { at, of: ids.length, more: Boolean(further), next, previous: at > 0 ? go(ids[at - 1]) : undefined, back: trail?.href };
}

function Walk({ walk }: { walk: ReturnType<typeof useWalk> }) {
  const t = useT();
  if (walk.at < 0) return null;
  const keys = onMac ? "⌘" : "Ctrl";
  return (
    <span className={css.walk}>
      {walk.at + 1} / {walk.of}
      {walk.more ? "+" : ""}
      <IconButton small icon="up" label={t("record.previous")} keys={`${keys} ←`} blocked={walk.previous ? undefined : t("record.isFirst")} onClick={walk.previous} />
      <IconButton small icon="down" label={t("record.next")} keys={`${keys} →`} blocked={walk.next ? undefined : t("record.isLast")} onClick={walk.next} />
    </span>
  );
}

function useDelete(meta: Meta, record: RecordView | undefined, back: () => void) {
  const t = useT();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const refresh = () => {
    void client.invalidateQueries({ queryKey: ["list"] });
    if (record) void client.invalidateQueries({ queryKey: recordKey(meta.name, record.id) });
  };
  async function restore() {
    if (!record) return;
    try {
      await call("record_restore", { params: { object: meta.name, id: record.id } });
      refresh();
      toast(t("record.restored", { name: titleOf(meta, record) }), { tone: "good" });
    } catch (error) {
      toast(errorText(error), { tone: "bad", note: errorNote(error) });
    }
  }
  async function run() {
    if (!record) return;
    setBusy(true);
    try {
      const result = await call("record_delete", { params: { object: meta.name, id: record.id }, version: record.version });
      setAsking(false);
      back();
      client.removeQueries({ queryKey: recordKey(meta.name, record.id) });
      void client.invalidateQueries({ queryKey: ["list"] });
      const touched = result.cascaded + result.unlinked;
      toast(t("record.deleted", { name: titleOf(meta, record) }), { action: { label: t("act.undo"), act: () => void restore() }, ...(touched > 0 ? { note: t("record.touched", { count: touched }) } : {}) });
    } catch (error) {
      toast(errorText(error), { tone: "bad", note: refusalOf(error).detail });
    } finally {
      setBusy(false);
    }
  }
  return { asking, ask: () => setAsking(true), cancel: () => setAsking(false), run, busy, restore };
}

const TABS = ["details", "facts", "files", "access"] as const;
/** Levels at which the files of a record can be listed. */
const FILES_FROM = ["read", "edit"];
/** Who may ask the log about a record. */
const ASKERS = ["access_log", "audit_read"];

function RecordOf({ meta, id }: { meta: Meta; id: string }) {
  const t = useT();
  const metas = useMetas();
  const navigate = useNavigate();
  const { tab = "details" } = useSearch({ from: "/shell/o/$object/$id" });
  const { data: record, error, refetch } = useRecord(meta, metas, id);
  const walk = useWalk(meta, id);
  const { mutateAsync } = useChange(meta, id);
  const saving = useSaving((_, fields, version) => mutateAsync({ fields, version }));
  const back = useCallback(() => void navigate(walk.back ? { to: walk.back } : { to: "/o/$object", params: { object: meta.name } }), [navigate, walk.back, meta.name]);
  const remove = useDelete(meta, record, back);
  const layout = useMemo(() => layoutOf(meta), [meta]);
  const stage = stageField(meta);
  const asks = useMe().actions.some((action) => ASKERS.includes(action));
  const title = record ? titleOf(meta, record) : "";
  const { restore } = remove;
  const [merging, setMerging] = useState(false);
  const [stopped, setStopped] = useState<string | undefined>(undefined);
  const mergeable = meta.may.update && meta.may.delete && meta.view.definition.kind !== "organisation";
  const ledOn = error && !record ? refusalOf(error).mergedInto : undefined;
  useEffect(() => {
    if (!ledOn) return;
    toast(t("record.ledOn"));
    void navigate({ to: "/o/$object/$id", params: { object: meta.name, id: ledOn }, replace: true });
  }, [ledOn, meta.name, navigate, t]);
  const asker = useRef(remove.ask);
  useEffect(() => {
    asker.current = remove.ask;
  });
  const ask = useCallback(() => asker.current(), []);
  const { save: send } = saving;
  const save = useCallback(
    async (fields: Change, base = record): Promise<void> => {
      // Left as the other wanted it: theirs is shown.
      if (base && !(await send(fields, base))) void refetch();
    },
    [record, send, refetch],
  );

  useEffect(() => {
    if (record) visited(meta.name, id);
  }, [meta.name, id, record !== undefined]); // eslint-disable-line react-hooks/exhaustive-deps -- once per record, not per change of it

  const edit = () => document.querySelector<HTMLElement>("[data-field] [data-edit]")?.click();
  const star = useStar({ kind: "record", object: meta.name, id }, title);
  useKeys({ e: edit, s: star.toggle, ".": () => document.querySelector<HTMLElement>("[data-acts]")?.click() });
  useKeys({ "mod+arrowright": walk.next ? () => walk.next?.() : undefined, "mod+arrowleft": walk.previous ? () => walk.previous?.() : undefined });
  const copy = useCallback(() => void navigator.clipboard.writeText(location.href).then(() => toast(t("record.copied"))), [t]);
  const commands = useMemo<Command[]>(
    () => [
      { id: "edit", label: t("record.edit"), icon: "edit", keys: "e", act: edit },
      ...(stage && meta.may.update ? (stage.options ?? []).map((option) => ({ id: `stage-${option.code}`, label: t("record.moveTo", { stage: said(option.label) }), icon: "right" as const, act: () => document.querySelector<HTMLElement>(`[data-stage="${option.code}"]`)?.click() })) : []),
      { id: "star", label: star.label, icon: "star", keys: "s", act: star.toggle },
      { id: "copy", label: t("record.copy"), icon: "link", act: copy },
      { id: "delete", label: t("record.delete"), icon: "trash", blocked: meta.may.delete ? undefined : t("record.noDelete"), act: ask },
    ],
    [t, stage, meta, copy, ask, star.label, star.toggle],
  );
  useCommands(commands);

  if (ledOn) return <PageTitle title={objectLabel(meta)} quiet />;
  if (error && !record) {
    return (
      <>
        <PageTitle title={objectLabel(meta)} quiet />
        <Trouble error={error} retry={() => void refetch()} />
      </>
    );
  }
  const locked = record?.fields["locked_by"] ? String(record.fields["lock_reason"] ?? "") : null;
  const acts: MenuItems = [
    { label: t("record.edit"), icon: "edit", end: "e", act: edit },
    { label: t("record.copy"), icon: "link", act: copy },
    { label: t("record.refresh"), icon: "refresh", act: () => void refetch() },
    mergeable && record && !record.deleted ? { label: t("merge.find"), icon: "copy", act: () => setMerging(true) } : null,
    { kind: "rule" },
    { label: t("record.delete"), icon: "trash", danger: true, blocked: meta.may.delete ? undefined : t("record.noDelete"), act: ask },
  ];
  const tabs = { details: t("record.details"), facts: t("record.allFacts"), files: t("files.title"), access: t("record.access") };
  return (
    <article className={css.page}>
      <div className={css.head}>
        <nav className={css.crumbs} aria-label={t("record.crumbs")}>
          <Link to={walk.back ?? `/o/${meta.name}`}>{objectLabel(meta, true)}</Link>
          {meta.fields.has("number") ? (
            <>
              <Icon name="right" size={10} />
              <span className={css.number}>{String(record?.fields["number"] ?? "")}</span>
            </>
          ) : null}
          <Walk walk={walk} />
        </nav>
        <div className={css.name}>
          <Icon name={iconOf(meta.name)} size={20} />
          <PageTitle key={record ? id : "loading"} title={title} className={css.title}>
            {record ? title : <Bone width={240} height={18} />}
          </PageTitle>
          {record?.fields["is_sample"] === true ? <Badge>{t("record.sample")}</Badge> : null}
          {locked !== null ? <Badge tone="warn" icon="seal">{t("record.locked", { reason: locked })}</Badge> : null}
          {record?.deleted ? <Badge tone="bad" icon="trash">{t("record.inBin")}</Badge> : null}
          {record?.merged_into ? (
            <Link to="/o/$object/$id" params={{ object: meta.name, id: record.merged_into }} className={css.led}>
              {t("record.mergedInto")}
            </Link>
          ) : null}
          <div className={css.nameEnd}>
            {record ? (
              <Later>
                <Presence object={meta.name} id={id} />
              </Later>
            ) : null}
            {record?.deleted ? (
              <Button icon="undo" onClick={() => void restore()}>
                {t("record.restore")}
              </Button>
            ) : null}
            {record ? <Star star={star} /> : null}
            <Menu label={t("record.acts")} align="end" items={acts} target={<IconButton data-acts tone="plain" icon="more" label={t("record.acts")} keys="." />} />
          </div>
        </div>
        {record ? (
          <dl className={css.highlights}>
            {layout.highlights.map((name) => {
              const field = meta.fields.get(name);
              return field ? (
                <div key={name} className={css.highlight}>
                  <dt>{said(field.label)}</dt>
                  <dd>
                    <Value meta={meta} path={name} record={record} link />
                  </dd>
                </div>
              ) : null;
            })}
          </dl>
        ) : (
          <div className={css.highlights}>
            <Bone width={420} height={34} />
          </div>
        )}
        {stage && record ? <StagePath meta={meta} record={record} field={stage} save={save} /> : null}
        <div className={css.tabs} role="tablist" aria-label={t("record.tabs")}>
          {TABS.filter((name) => (name !== "access" || asks) && (name !== "files" || FILES_FROM.includes(meta.view.attachments))).map((name) => (
            <Link key={name} to="/o/$object/$id" params={{ object: meta.name, id }} search={name === "details" ? {} : { tab: name }} replace role="tab" aria-selected={tab === name} aria-controls="record-panel" className={css.tab}>
              {tabs[name]}
            </Link>
          ))}
        </div>
      </div>
      <div id="record-panel" role="tabpanel" aria-label={tabs[(TABS as readonly string[]).includes(tab) ? (tab as (typeof TABS)[number]) : "details"]} style={{ flex: 1 }}>
        {record && tab === "access" ? <AccessTab meta={meta} record={record} /> : null}
        {record && tab === "files" ? <Files meta={meta} record={record} /> : null}
        {record && tab === "facts" ? (
          <div className={css.wide}>
            <Facts meta={meta} record={record} save={record.deleted ? null : (field, value: Json, base) => save({ [field]: value }, base)} />
          </div>
        ) : null}
        {record && tab !== "access" && tab !== "facts" && tab !== "files" ? (
          <div className={css.body}>
            <div className={css.column}>
              <Facts meta={meta} record={record} save={record.deleted ? null : (field, value: Json, base) => save({ [field]: value }, base)} />
            </div>
            <div className={css.column}>
              <h2 className="sr">{t("timeline.title")}</h2>
              <Timeline meta={meta} record={record} />
            </div>
            <div className={css.column}>
              <Related meta={meta} record={record} />
            </div>
          </div>
        ) : null}
      </div>
      {merging && record ? <MergeWith meta={meta} record={record} onClose={() => setMerging(false)} /> : null}
      {saving.clash ? <Conflict meta={meta} clash={saving.clash} onSend={(fields, version) => void saving.settle(fields, version)} onClose={saving.drop} /> : null}
      <Dialog
        open={remove.asking}
        onClose={remove.cancel}
        title={t("record.deleteTitle", { name: title })}
        closeLabel={t("act.close")}
        size="narrow"
        foot={
          <>
            <Button onClick={remove.cancel}>{t("act.cancel")}</Button>
            <Button tone="danger" busy={remove.busy} blocked={stopped} onClick={() => void remove.run()}>
              {t("record.delete")}
            </Button>
          </>
        }
      >
        <p>{t("record.deleteText")}</p>
        {record && remove.asking ? <DeletePlan meta={meta} record={record} onBlocked={setStopped} /> : null}
      </Dialog>
    </article>
  );
}

export default function RecordPage() {
  const { object, id } = useParams({ from: "/shell/o/$object/$id" });
  const meta = useMetas().get(object);
  if (!meta) return <NotFound />;
  return <RecordOf key={`${object}/${id}`} meta={meta} id={id} />;
}
