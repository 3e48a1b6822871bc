// What happened about a record, in one line of time: what is planned, then calls, meetings, notes, tasks and changes, newest
// first. One can write here; a task is ticked off where it stands.

import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "~/api/client";
import { errorText } from "~/api/errors";
import type { Act, RecordView, Timeline as TimelineAnswer } from "~/api/types.gen";
import { useT, type Key } from "~/i18n";
import { ago, moment } from "~/i18n/format";
import { Bone, Button } from "~/lib/basics";
import { Icon, type IconName } from "~/lib/icons";
import libCss from "~/lib/lib.module.css";
import { toast } from "~/lib/toasts";
import { Later } from "~/lib/turns";
import { optionLabel, said, titleOf, useMetas, type Meta } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { Value } from "~/value/Value";
import { Composer } from "./Composer";
import { MoveText, Person } from "./History";
import css from "./record.module.css";

const KINDS = ["", "note", "call", "meeting", "task", "change"] as const;
const ICONS: { [kind: string]: IconName } = { note: "note", call: "call", meeting: "meeting", task: "task", change: "edit" };
/** Acts of the record itself that have words of their own; any other is called a change. */
const VERBS = ["create", "update", "delete", "restore", "merge", "unlink", "reveal"];

function Activity({ record, at, planned, onDone }: { record: RecordView; at: string; planned: boolean; onDone: (record: RecordView) => void }) {
  const t = useT();
  const metas = useMetas();
  const meta = metas.get("activity");
  if (!meta) return null;
  const kind = String(record.fields["kind"] ?? "task");
  const field = meta.fields.get("kind");
  const due = typeof record.fields["due"] === "string" ? record.fields["due"] : null;
  const late = planned && due !== null && new Date(due).getTime() < Date.now();
  const body = record.fields["body"];
  const owner = record.fields["owner"];
  return (
    <li className={css.happening} data-late={late || undefined}>
      <span className={css.dot}>
        <Icon name={ICONS[kind] ?? "activity"} size={14} title={field ? optionLabel(field, kind) : kind} />
      </span>
      <div>
        <div className={css.happeningHead}>
          <Link to="/o/$object/$id" params={{ object: "activity", id: record.id }}>
            {titleOf(meta, record)}
          </Link>
          <span className={late ? undefined : "faint"} style={late ? { color: "var(--brick)" } : undefined} title={moment(planned ? (due ?? at) : at)}>
            {late ? <Icon name="warn" size={12} className="sr" title={t("timeline.late")} /> : null}
            {planned && due ? t(late ? "timeline.overdue" : "timeline.due", { when: ago(due) }) : ago(at)}
          </span>
          {planned && meta.may.update ? (
            <Button small icon="check" onClick={() => onDone(record)}>
              {t("timeline.done")}
            </Button>
          ) : null}
        </div>
        {typeof owner === "string" ? (
          <div className="faint">
            <Person id={owner} />
            {record.fields["outcome"] ? <> · <Value meta={meta} path="outcome" record={record} /></> : null}
          </div>
        ) : null}
        {typeof body === "string" && body ? <div className={css.happeningBody}>{body}</div> : null}
      </div>
    </li>
  );
}

function ChangeLine({ meta, act }: { meta: Meta; act: Act }) {
  const t = useT();
  const [all, setAll] = useState(false);
  const many = act.verb === "create" ? 0 : 4;
  const shown = all ? act.changes : act.changes.slice(0, many);
  const verb = VERBS.includes(act.verb) ? act.verb : "update";
  return (
    <li className={css.happening}>
      <span className={css.dot}>
        <Icon name={verb === "create" ? "plus" : verb === "delete" ? "trash" : verb === "reveal" ? "eye" : verb.endsWith("link") ? "link" : "edit"} size={14} />
      </span>
      <div>
        <div className={css.happeningHead}>
          <span>
            <strong>
              <Person id={act.user} />
            </strong>{" "}
            {t(`timeline.verb.${verb}` as Key)}
          </span>
          <span className="faint" title={moment(act.at)}>
            {ago(act.at)}
          </span>
          {act.changes.length > shown.length ? (
            <Button small tone="quiet" onClick={() => setAll(true)}>
              {t("timeline.values", { count: act.changes.length })}
            </Button>
          ) : null}
        </div>
        <div className={css.changes}>
          {shown.map((move) => {
            const field = meta.fields.get(move.field);
            return (
              <div key={move.field}>
                <span className="faint clip">{field ? said(field.label) : move.field}</span>
                <MoveText field={field} move={move} />
              </div>
            );
          })}
        </div>
      </div>
    </li>
  );
}

type Item = TimelineAnswer["items"][number] | { type: "links"; acts: Act[] };

/** Several links that one person made in a row are one line. */
function gathered(items: TimelineAnswer["items"]): Item[] {
  const list: Item[] = [];
  for (const item of items) {
    const last = list.at(-1);
    if (item.type !== "change" || item.act.verb !== "link") list.push(item);
    else if (last?.type === "links" && last.acts[0]?.user === item.act.user) last.acts.push(item.act);
    else list.push({ type: "links", acts: [item.act] });
  }
  return list;
}

function LinkLine({ acts }: { acts: Act[] }) {
  const t = useT();
  const first = acts[0];
  if (!first) return null;
  return (
    <li className={css.happening}>
      <span className={css.dot}>
        <Icon name="link" size={14} />
      </span>
      <div className={css.happeningHead}>
        <span>
          <strong>
            <Person id={first.user} />
          </strong>{" "}
          {t("timeline.linked", { count: acts.length })}
        </span>
        <span className="faint" title={moment(first.at)}>
          {ago(first.at)}
        </span>
      </div>
    </li>
  );
}

export function Timeline({ meta, record }: { meta: Meta; record: RecordView }) {
  const activity = useMetas().get("activity");
  const writes = activity?.may.create === true && activity.fields.get("regarding")?.targets?.includes(meta.name) === true;
  return (
    <div>
      {writes && activity ? <Composer meta={activity} about={{ object: meta.name, id: record.id }} /> : null}
      <Later>
        <Happenings meta={meta} record={record} />
      </Later>
    </div>
  );
}

function Happenings({ meta, record }: { meta: Meta; record: RecordView }) {
  const t = useT();
  const client = useQueryClient();
  const [kind, setKind] = useState<(typeof KINDS)[number]>("");
  const query = useInfiniteQuery({
    queryKey: ["timeline", record.id, kind],
    queryFn: ({ pageParam, signal }) => call("record_timeline", { params: { object: meta.name, id: record.id }, query: { limit: 30, ...(kind ? { kind } : {}), ...(pageParam ? { cursor: pageParam } : {}) }, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const done = useMutation({
    mutationFn: (one: RecordView) => call("record_change", { params: { object: "activity", id: one.id }, version: one.version, body: { status: "completed", completed_at: new Date().toISOString() } }),
    onSuccess: () => {
      toast(t("timeline.ticked"), { tone: "good" });
      void client.invalidateQueries({ queryKey: ["timeline", record.id] });
      void client.invalidateQueries({ queryKey: ["list", "activity"] });
    },
    onError: (error) => toast(errorText(error), { tone: "bad" }),
  });
  const planned = query.data?.pages[0]?.planned ?? [];
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <div className={css.kinds} role="group" aria-label={t("timeline.show")}>
        {KINDS.map((one) => (
          <button key={one} type="button" className={`${libCss.button} ${libCss.quiet} ${libCss.small}`} aria-pressed={kind === one} onClick={() => setKind(one)}>
            {t(one ? `timeline.kind.${one}` : "timeline.everything")}
          </button>
        ))}
      </div>
      <div className={css.line}>
        {query.error ? <Trouble error={query.error} retry={() => void query.refetch()} /> : null}
        {query.isPending ? [0, 1, 2].map((one) => <div key={one} className={css.happening}><span className={css.dot} /><Bone width={220} /></div>) : null}
        {planned.length > 0 ? (
          <>
            <h3 className={css.lineTitle}>{t("timeline.planned")}</h3>
            <ol>
              {planned.map((one) => (
                <Activity key={one.id} record={one} at={String(one.fields["due"] ?? one.fields["start"] ?? one.fields["created_at"] ?? "")} planned onDone={(now) => done.mutate(now)} />
              ))}
            </ol>
          </>
        ) : null}
        {items.length > 0 ? <h3 className={css.lineTitle}>{t("timeline.past")}</h3> : null}
        <ol>
          {gathered(items).map((item) => (item.type === "links" ? <LinkLine key={item.acts[0]?.seq} acts={item.acts} /> : item.type === "activity" ? <Activity key={item.record.id} record={item.record} at={item.at} planned={false} onDone={() => undefined} /> : <ChangeLine key={item.act.seq} meta={meta} act={item.act} />))}
        </ol>
        {query.data && items.length === 0 && planned.length === 0 ? <p className="soft">{t("timeline.nothing")}</p> : null}
        {query.hasNextPage ? (
          <Button small busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("timeline.older")}
          </Button>
        ) : null}
      </div>
    </>
  );
}
