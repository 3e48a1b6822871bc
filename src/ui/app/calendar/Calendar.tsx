// Dates of records by day, week or month. Entries are moved by mouse and by keyboard, days are clicked to add something; what
// is late and what is done say so by sign and word. The days shown stand in the address.

import { DndContext, MouseSensor, pointerWithin, TouchSensor, useSensor, useSensors, type DragEndEvent } from "@dnd-kit/core";
import { lazy, Suspense, useCallback, useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { date, month } from "~/i18n/format";
import { Button, IconButton } from "~/lib/basics";
import libCss from "~/lib/lib.module.css";
import { Menu } from "~/lib/overlays";
import type { ListState } from "~/list/state";
import { flat, type Leaf } from "~/model/filter";
import { said, titleOf, useMetas, type Meta } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { show } from "~/shell/stage";
import { entryOf, shift, useEntries, useShifts, whenText, type Entry } from "./data";
import { addDays, addMonths, datesOf, dayOf, daysOf, moved, startOf, type CalendarFields, type Span } from "./model";
import { Month } from "./Month";
import { Week } from "./Week";
import css from "./calendar.module.css";

const FeedDialog = lazy(() => import("./FeedDialog"));

const SPANS: Span[] = ["day", "week", "month"];
const WHOSE = ["mine", "my_team"] as const;

export type Lift = { entry: Entry; value: string };
export type Place = {
  entries: Entry[];
  today: string;
  lift: Lift | null;
  hintId: string;
  onOpen: (record: RecordView) => void;
  onKey: (event: KeyboardEvent, entry: Entry) => void;
  /** Null where nothing can be added. */
  onAdd: ((day: string, minute: number | null) => void) | null;
  onDay: (day: string) => void;
};

function Whose({ state }: { state: ListState }) {
  const t = useT();
  const list = flat(state.filter);
  if (!list) return null;
  const now = list.find((leaf) => !leaf.field && (WHOSE as readonly string[]).includes(leaf.op))?.op;
  const choose = (op: string | null) => {
    const rest = list.filter((leaf) => leaf.field || !(WHOSE as readonly string[]).includes(leaf.op));
    const next: Leaf[] = op ? [{ op }, ...rest] : rest;
    state.set({ f: next.length > 0 ? JSON.stringify({ and: next }) : "" });
  };
  return (
    <div className={css.group} role="group" aria-label={t("calendar.whose")}>
      {WHOSE.map((op) => (
        <button key={op} type="button" className={`${libCss.button} ${libCss.quiet} ${libCss.small}`} aria-pressed={now === op} onClick={() => choose(now === op ? null : op)}>
          {t(`filter.op.${op}`)}
        </button>
      ))}
    </div>
  );
}

export default function Calendar({ meta, state, fields, onOpen }: { meta: Meta; state: ListState; fields: CalendarFields; onOpen: (record: RecordView, beside: boolean) => void }) {
  const t = useT();
  const metas = useMetas();
  const hintId = useId();
  const place = useRef<HTMLDivElement>(null);
  const wanted = useRef<string | null>(null);
  const [spoken, setSpoken] = useState("");
  const [feeding, setFeeding] = useState(false);
  const [lift, setLift] = useState<Lift | null>(null);
  const announce = useCallback((text: string) => setSpoken((before) => (before === text ? `${text}\u00a0` : text)), []);
  const today = dayOf(new Date());
  const span: Span = SPANS.find((one) => one === state.search.span) ?? (matchMedia("(max-width: 640px)").matches ? "day" : "week");
  const at = /^\d{4}-\d{2}-\d{2}$/.test(state.search.at ?? "") ? (state.search.at ?? today) : today;
  const days = useMemo(() => daysOf(at, span), [at, span]);
  const query = useEntries(meta, metas, state, fields, days[0] ?? at, days.at(-1) ?? at);
  const shifts = useShifts(meta, fields, announce);
  const sensors = useSensors(useSensor(MouseSensor, { activationConstraint: { distance: 6 } }), useSensor(TouchSensor, { activationConstraint: { delay: 220, tolerance: 8 } }));
  const entries = useMemo(() => {
    const rows = query.data?.items ?? [];
    return rows.flatMap((record) => {
      const change = lift?.entry.record.id === record.id ? shift(lift.entry, fields, lift.value) : shifts.moved.get(record.id);
      return entryOf(meta, fields, change ? { ...record, fields: { ...record.fields, ...change } } : record) ?? [];
    });
  }, [query.data, shifts.moved, lift, meta, fields]);
  const { set } = state;
  const dates = useMemo(() => datesOf(meta), [meta]);
  const go = useCallback((day: string, to = span) => set({ at: day, span: to }), [set, span]);
  const step = (by: number) => go(span === "month" ? addMonths(at, by) : addDays(at, span === "week" ? 7 * by : by));
  // A lifted entry is drawn anew where it goes; the focus follows it.
  useEffect(() => {
    const id = wanted.current;
    const node = id ? place.current?.querySelector<HTMLElement>(`[data-entry="${id}"]`) : null;
    if (node && document.activeElement !== node) node.focus();
  });

  function key(event: KeyboardEvent, entry: Entry) {
    if (event.nativeEvent.isComposing) return;
    const name = titleOf(meta, entry.record);
    if (!lift) {
      wanted.current = null;
      if (event.key !== " " && event.key !== "m") return;
      event.preventDefault();
      event.stopPropagation();
      if (!entry.movable) return announce(t("record.readOnly"));
      wanted.current = entry.record.id;
      setLift({ entry, value: entry.value });
      return announce(t("calendar.lifted", { name, when: whenText(entry, entry.value) }));
    }
    event.preventDefault();
    event.stopPropagation();
    const vertical = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const horizontal = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const timed = span !== "month" && !entry.whole;
    if (vertical !== undefined || horizontal !== undefined) {
      const before = new Date(lift.value.length === 10 ? startOf(lift.value) : lift.value);
      const dayBy = horizontal ?? (timed ? 0 : 7 * (vertical ?? 0));
      const minutes = before.getHours() * 60 + before.getMinutes() + (timed && vertical ? vertical * 15 : 0);
      const value = moved(lift.value, addDays(dayOf(before), dayBy), entry.whole ? null : minutes);
      setLift({ ...lift, value });
      announce(whenText(entry, value));
      const day = dayOf(value.length === 10 ? startOf(value) : new Date(value));
      if (!days.includes(day)) go(day);
    } else if (event.key === "Enter" || event.key === " ") {
      setLift(null);
      const to = lift.value.length === 10 ? startOf(lift.value) : new Date(lift.value);
      shifts.move(lift.entry, dayOf(to), entry.whole ? null : to.getHours() * 60 + to.getMinutes());
    } else if (event.key === "Escape" || event.key === "Tab") {
      setLift(null);
      announce(t("calendar.cancelled", { name, when: whenText(lift.entry, lift.entry.value) }));
    }
  }

  function drop(event: DragEndEvent) {
    const entry = event.active.data.current?.["entry"] as Entry | undefined;
    const day = event.over?.data.current?.["day"] as string | undefined;
    if (!entry || !day) return;
    const before = entry.whole ? null : new Date(entry.value);
    const pixels = event.over?.data.current?.["hour"] as number | undefined;
    const minute = before && pixels ? Math.round((before.getHours() * 60 + before.getMinutes() + (event.delta.y / pixels) * 60) / 15) * 15 : null;
    shifts.move(entry, day, minute === null ? null : Math.max(0, Math.min(minute, 24 * 60 - 15)));
  }

  const add = meta.may.create && !meta.fields.get(fields.start)?.read_only ? (day: string, minute: number | null) => {
    const timed = meta.fields.get(fields.start)?.type === "timestamp";
    const at = startOf(day);
    at.setMinutes(minute ?? 9 * 60);
    const end = new Date(at.getTime() + 30 * 60_000);
    show({ what: "create", object: meta.name, preset: timed ? { [fields.start]: at.toISOString(), ...(fields.end ? { [fields.end]: end.toISOString() } : {}), ...(meta.fields.has("kind") ? { kind: "meeting" } : {}) } : { [fields.start]: day } });
  } : null;

  const props: Place = { entries, today, lift, hintId, onOpen: (record) => onOpen(record, false), onKey: key, onAdd: add, onDay: (day) => go(day, "day") };
  const title = span === "month" ? month(at) : span === "day" ? date(at) : `${date(days[0] ?? at)} – ${date(days.at(-1) ?? at)}`;
  return (
    <div ref={place} className={css.calendar} onPointerDown={() => (wanted.current = null)}>
      <p id={hintId} className="sr">
        {t("calendar.hint")}
      </p>
      <div className="sr" aria-live="assertive">
        {spoken}
      </div>
      <div className={css.tools}>
        <IconButton small icon="left" label={t("calendar.earlier")} onClick={() => step(-1)} />
        <Button small onClick={() => go(today)}>
          {t("calendar.today")}
        </Button>
        <IconButton small icon="right" label={t("calendar.later")} onClick={() => step(1)} />
        <h2 className={css.title} aria-live="polite">
          {title}
        </h2>
        {dates.length > 1 ? (
          <Menu
            label={t("calendar.date")}
            items={dates.map((name) => ({ label: said(meta.fields.get(name)?.label), checked: name === fields.start, act: () => set({ by: name === dates[0] ? "" : name }) }))}
            target={
              <Button small tone="quiet" icon="activity" aria-label={`${t("calendar.date")}: ${said(meta.fields.get(fields.start)?.label)}`}>
                {said(meta.fields.get(fields.start)?.label)}
              </Button>
            }
          />
        ) : null}
        <Whose state={state} />
        {meta.name === "activity" ? (
          <Button small tone="quiet" icon="link" onClick={() => setFeeding(true)}>
            {t("feed.open")}
          </Button>
        ) : null}
        <div className={css.group} role="group" aria-label={t("calendar.span")}>
          {SPANS.map((one) => (
            <button key={one} type="button" className={`${libCss.button} ${libCss.quiet} ${libCss.small}`} aria-pressed={span === one} onClick={() => go(at, one)}>
              {t(`group.${one}`)}
            </button>
          ))}
        </div>
      </div>
      {feeding ? (
        <Suspense fallback={null}>
          <FeedDialog onClose={() => setFeeding(false)} />
        </Suspense>
      ) : null}
      {query.data?.more ? <p className={css.more}>{t("calendar.tooMany", { count: query.data.items.length })}</p> : null}
      {query.error && !query.data ? (
        <Trouble error={query.error} retry={() => void query.refetch()} />
      ) : (
        <DndContext sensors={sensors} collisionDetection={pointerWithin} onDragEnd={drop} accessibility={{ announcements: { onDragStart: () => undefined, onDragOver: () => undefined, onDragEnd: () => undefined, onDragCancel: () => undefined }, screenReaderInstructions: { draggable: "" } }}>
          {span === "month" ? <Month meta={meta} days={days} month={at.slice(0, 7)} {...props} /> : <Week meta={meta} days={days} {...props} />}
        </DndContext>
      )}
    </div>
  );
}
