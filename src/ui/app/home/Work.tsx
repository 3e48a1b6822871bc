// Widgets of daily work: tasks that can be ticked off in their place, cases by the time that is left, new leads.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import type { Filter, RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { ago, shortDate } from "~/i18n/format";
import { Bone, IconButton } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { toast } from "~/lib/toasts";
import { canSet, optionLabel, titleOf, type Meta } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { dayOf } from "~/calendar/model";
import css from "~/pages/pages.module.css";
import own from "./home.module.css";

type Answer = { data: RecordView[] | undefined; error: unknown; refetch: () => unknown };

function useRows(object: string, filter: Filter, fields: string[], sort: string[], limit: number, on = true): Answer {
  const { data, error, refetch } = useQuery({
    queryKey: ["list", object, "home", filter, fields, limit],
    queryFn: ({ signal }) => call("record_query", { params: { object }, body: { filter, fields, sort, limit, count: "none" }, signal }),
    enabled: on,
  });
  return { data: data?.items, error, refetch };
}

function Rows({ answer, none, children }: { answer: Answer; none: string; children: (records: RecordView[]) => ReactNode }) {
  if (answer.error) return <Trouble error={answer.error} retry={() => void answer.refetch()} />;
  if (!answer.data) return [0, 1, 2].map((one) => <div key={one} className={css.row}><span /><Bone width={240} /></div>);
  if (answer.data.length === 0) return <p className={css.nothing}>{none}</p>;
  return children(answer.data);
}

type Group = { key: string; name: string; rows: RecordView[] };

/** Rows under their headings; groups without rows are left out. */
function Grouped({ groups, row }: { groups: Group[]; row: (record: RecordView) => ReactNode }) {
  return groups
    .filter((group) => group.rows.length > 0)
    .map((group) => (
      <div key={group.key}>
        {group.name ? <h3 className={own.group}>{group.name}</h3> : null}
        <ul>{group.rows.map(row)}</ul>
      </div>
    ));
}

/** Due before today, today, and after that. */
export function Tasks({ meta, filter }: { meta: Meta; filter: Filter }) {
  const t = useT();
  const client = useQueryClient();
  const [ticked, setTicked] = useState<ReadonlySet<string>>(new Set());
  const dated: Filter = { and: [filter, { field: "due", op: "empty", value: false }] };
  const answer = useRows("activity", dated, ["subject", "kind", "due", "status"], ["due"], 30);
  const status = meta.fields.get("status");
  const may = meta.may.update && status !== undefined && canSet(meta, status);
  const today = dayOf(new Date());

  async function tick(record: RecordView, to: string, from: string) {
    setTicked((before) => new Set(before).add(record.id));
    try {
      const after = await call("record_change", { params: { object: "activity", id: record.id }, body: { status: to }, version: record.version });
      if (to === "completed") toast(t("timeline.ticked"), { tone: "good", note: titleOf(meta, record), action: { label: t("act.undo"), act: () => void tick({ ...record, ...after, fields: record.fields }, from, to) } });
    } catch (error) {
      toast(errorText(error), { tone: "bad", note: errorNote(error) });
    }
    await client.invalidateQueries({ queryKey: ["list", "activity"] });
    setTicked((before) => new Set([...before].filter((id) => id !== record.id)));
  }

  const row = (record: RecordView) => {
    const due = String(record.fields["due"]);
    const late = dayOf(new Date(due)) < today;
    const kind = String(record.fields["kind"] ?? "task");
    const field = meta.fields.get("kind");
    return (
      <li key={record.id} className={css.row}>
        <IconButton small icon="tick" label={t("home.tick", { name: titleOf(meta, record) })} blocked={may ? undefined : t("record.readOnly")} onClick={() => void tick(record, "completed", String(record.fields["status"]))} />
        <Link to="/o/$object/$id" params={{ object: "activity", id: record.id }} className={`clip ${own.name}`}>
          {titleOf(meta, record)}
        </Link>
        <span className={`faint ${own.kind}`}>{field ? optionLabel(field, kind) : kind}</span>
        <span className={late ? css.late : "soft num"}>
          {late ? <Icon name="warn" size={13} /> : null}
          {shortDate(dayOf(new Date(due)))}
        </span>
      </li>
    );
  };
  return (
    <Rows answer={answer} none={t("home.noTasks")}>
      {(records) => {
        const left = records.filter((record) => !ticked.has(record.id));
        const dayOfRecord = (record: RecordView) => dayOf(new Date(String(record.fields["due"])));
        const groups = [
          { key: "late", rows: left.filter((record) => dayOfRecord(record) < today).slice(0, 6), name: t("home.late") },
          { key: "today", rows: left.filter((record) => dayOfRecord(record) === today), name: t("calendar.today") },
          { key: "next", rows: left.filter((record) => dayOfRecord(record) > today).slice(0, 6), name: t("home.next") },
        ];
        return <Grouped groups={groups} row={row} />;
      }}
    </Rows>
  );
}

const SOON_MILLISECONDS = 24 * 3_600_000;
const CASE_FIELDS = ["subject", "number", "resolve_due", "priority", "created_at"];

/** Open cases by the time that is left: whose time is up first; after those with a time the ones without, the oldest first. */
export function Cases({ meta, filter }: { meta: Meta; filter: Filter }) {
  const t = useT();
  const [now] = useState(() => Date.now());
  const clocked = meta.view.access["resolve_due"]?.filterable === true;
  const timed = useRows("case", { and: [filter, { field: "resolve_due", op: "empty", value: false }] }, CASE_FIELDS, ["resolve_due"], 8, clocked);
  const rest = useRows("case", clocked ? { and: [filter, { field: "resolve_due", op: "empty", value: true }] } : filter, clocked ? CASE_FIELDS : CASE_FIELDS.filter((name) => name !== "resolve_due"), ["created_at"], 8);
  const priority = meta.fields.get("priority");
  const dueOf = (record: RecordView) => (typeof record.fields["resolve_due"] === "string" ? new Date(record.fields["resolve_due"]) : null);
  const left = (record: RecordView) => (dueOf(record)?.getTime() ?? Infinity) - now;
  const row = (record: RecordView) => {
    const due = dueOf(record);
    return (
      <li key={record.id}>
        <Link to="/o/$object/$id" params={{ object: "case", id: record.id }} className={css.row}>
          <Icon name="case" />
          <span className="clip">{titleOf(meta, record)}</span>
          <span className="faint">{priority && record.fields["priority"] ? optionLabel(priority, String(record.fields["priority"])) : ""}</span>
          <span className={left(record) < SOON_MILLISECONDS ? css.late : "soft num"}>
            {left(record) < SOON_MILLISECONDS ? <Icon name="warn" size={13} /> : null}
            {due ? ago(due.toISOString()) : t("home.since", { when: ago(String(record.fields["created_at"])) })}
          </span>
        </Link>
      </li>
    );
  };
  const data = rest.data && (timed.data || !clocked) ? [...(timed.data ?? []), ...rest.data].slice(0, 10) : undefined;
  return (
    <Rows answer={{ data, error: timed.error ?? rest.error, refetch: () => [timed.refetch(), rest.refetch()] }} none={t("home.noCases")}>
      {(records) => (
        <Grouped
          row={row}
          groups={[
            { key: "up", name: t("home.timeUp"), rows: records.filter((record) => left(record) < 0) },
            { key: "soon", name: t("home.soon"), rows: records.filter((record) => left(record) >= 0 && left(record) < SOON_MILLISECONDS) },
            { key: "later", name: t("home.next"), rows: records.filter((record) => left(record) >= SOON_MILLISECONDS && left(record) < Infinity) },
            { key: "none", name: timed.data?.length ? t("home.untimed") : "", rows: records.filter((record) => left(record) === Infinity) },
          ]}
        />
      )}
    </Rows>
  );
}

export function Leads({ meta, filter }: { meta: Meta; filter: Filter }) {
  const t = useT();
  const answer = useRows("lead", filter, ["full_name", "company_name", "created_at"], ["-created_at"], 6);
  return (
    <Rows answer={answer} none={t("home.noLeads")}>
      {(records) =>
        records.map((record) => (
          <Link key={record.id} to="/o/$object/$id" params={{ object: "lead", id: record.id }} className={css.row}>
            <Icon name="lead" />
            <span className="clip">{titleOf(meta, record)}</span>
            <span className="faint clip">{String(record.fields["company_name"] ?? "")}</span>
            <span className="soft num">{ago(String(record.fields["created_at"]))}</span>
          </Link>
        ))
      }
    </Rows>
  );
}
