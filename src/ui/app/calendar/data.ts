// The entries of a stretch of days, and moving one: shown at once, sent with the version that was read, taken back with the
// reason when the server says no, undone on request.

import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { limits, type Json, type RecordView } from "~/api/types.gen";
import { t } from "~/i18n";
import { date, moment } from "~/i18n/format";
import { toast } from "~/lib/toasts";
import type { ListState } from "~/list/state";
import { toFilter, type Node } from "~/model/filter";
import { canSee, canSet, titleOf, titlePaths, type Meta, type Metas } from "~/model/meta";
import { recordKey, type Change } from "~/record/data";
import { addDays, moved, startOf, type CalendarFields } from "./model";

export type Entry = {
  record: RecordView;
  /** The field that says when. */
  field: string;
  value: string;
  end: string | null;
  /** A day without a time. */
  whole: boolean;
  done: boolean;
  late: boolean;
  movable: boolean;
};

const PAGES_MAX = 5;
const DONE = new Set(["completed", "cancelled", "won", "lost", "resolved", "closed", "converted", "unqualified"]);

function edge(meta: Meta, field: string, day: string): string {
  return meta.fields.get(field)?.type === "timestamp" ? startOf(day).toISOString() : day;
}

/** What falls on the days from `first` to `last`. */
function within(meta: Meta, fields: CalendarFields, first: string, last: string): Node {
  const between = (field: string): Node[] => [
    { field, op: "ge", value: edge(meta, field, first) },
    { field, op: "lt", value: edge(meta, field, addDays(last, 1)) },
  ];
  const own: Node = { and: between(fields.start) };
  return fields.due ? { or: [own, { and: [{ field: fields.start, op: "empty", value: true }, ...between(fields.due)] }] } : own;
}

export function useEntries(meta: Meta, metas: Metas, state: ListState, fields: CalendarFields, first: string, last: string) {
  const { filter, search } = state;
  const { q } = search;
  const body = useMemo(() => {
    const names = [meta.titleField, "kind", "status", "stage", "owner", "regarding", "account", fields.start, fields.end, fields.due].filter((name): name is string => name !== null && meta.fields.has(name) && canSee(meta, name));
    const inside = within(meta, fields, first, last);
    return { filter: toFilter(filter ? { and: [filter, inside] } : inside), fields: [...names, ...titlePaths(meta, metas, names)], limit: limits.PAGE_ROWS_MAX, ...(q ? { q } : {}) };
  }, [meta, metas, filter, q, fields, first, last]);
  return useQuery({
    queryKey: ["list", meta.name, "calendar", body],
    queryFn: async ({ signal }) => {
      const items: RecordView[] = [];
      let cursor: string | null = null;
      for (let page = 0; page < PAGES_MAX; page += 1) {
        const answer: { items: RecordView[]; next: string | null } = await call("record_query", { params: { object: meta.name }, body: { ...body, ...(cursor ? { cursor } : {}) }, signal });
        items.push(...answer.items);
        cursor = answer.next;
        if (!cursor) break;
      }
      return { items, more: cursor !== null };
    },
    placeholderData: keepPreviousData,
  });
}

export function entryOf(meta: Meta, fields: CalendarFields, record: RecordView, now = Date.now()): Entry | null {
  const start = record.fields[fields.start];
  const due = fields.due ? record.fields[fields.due] : null;
  const field = typeof start === "string" && start ? fields.start : fields.due;
  const value = typeof start === "string" && start ? start : due;
  const definition = meta.fields.get(field ?? "");
  if (!field || typeof value !== "string" || !value || !definition) return null;
  const end = field === fields.start && fields.end ? record.fields[fields.end] : null;
  const whole = definition.type === "date";
  const done = DONE.has(String(record.fields["status"] ?? record.fields["stage"] ?? ""));
  const until = typeof end === "string" && end ? end : value;
  const late = !done && (whole ? startOf(addDays(value, 1)).getTime() <= now : new Date(until).getTime() < now);
  return { record, field, value, end: typeof end === "string" && end ? end : null, whole, done, late, movable: meta.may.update && canSet(meta, definition) };
}

/** The change that moves an entry; what has an end keeps its length. */
export function shift(entry: Entry, fields: CalendarFields, value: string): Change {
  if (!entry.end || !fields.end) return { [entry.field]: value };
  const by = new Date(value).getTime() - new Date(entry.value).getTime();
  return { [entry.field]: value, [fields.end]: new Date(new Date(entry.end).getTime() + by).toISOString() };
}

export function whenText(entry: Entry, value: string): string {
  return entry.whole ? date(value) : moment(value);
}

export type Shifts = { moved: ReadonlyMap<string, Change>; move: (entry: Entry, day: string, minute: number | null) => void };

export function useShifts(meta: Meta, fields: CalendarFields, announce: (text: string) => void): Shifts {
  const client = useQueryClient();
  const [map, setMap] = useState<Shifts["moved"]>(new Map());
  const send = useCallback(
    async (record: RecordView, change: Change, when: string, undoing: boolean) => {
      const name = titleOf(meta, record);
      setMap((before) => new Map(before).set(record.id, change));
      const settle = () =>
        setMap((before) => {
          const next = new Map(before);
          next.delete(record.id);
          return next;
        });
      try {
        const answer = await call("record_change", { params: { object: meta.name, id: record.id }, body: change, version: record.version });
        void client.invalidateQueries({ queryKey: recordKey(meta.name, record.id) });
        const text = t("calendar.moved", { name, when });
        const back = Object.fromEntries(Object.keys(change).map((field): [string, Json] => [field, record.fields[field] ?? null]));
        announce(text);
        toast(text, undoing ? {} : { tone: "good", action: { label: t("act.undo"), act: () => void send({ ...record, ...answer, fields: { ...record.fields, ...change } }, back, t("calendar.before"), true) } });
        await client.invalidateQueries({ queryKey: ["list", meta.name] });
      } catch (error) {
        const text = t("board.returned", { name, reason: refusalOf(error).code === "version_conflict" ? t("board.conflict") : errorText(error) });
        toast(text, { tone: "bad", note: errorNote(error) });
        announce(text);
        void client.invalidateQueries({ queryKey: ["list", meta.name] });
      } finally {
        settle();
      }
    },
    [client, meta, announce],
  );
  const move = useCallback(
    (entry: Entry, day: string, minute: number | null) => {
      const value = moved(entry.value, day, minute);
      if (value !== entry.value) void send(entry.record, shift(entry, fields, value), whenText(entry, value), false);
    },
    [send, fields],
  );
  return { moved: map, move };
}
