// Days beside each other with their hours. What has no time stands above; what overlaps shares the width of its day.

import { useDroppable } from "@dnd-kit/core";
import { useEffect, useRef, type MouseEvent } from "react";
import { useT } from "~/i18n";
import { date, shortDate, weekday } from "~/i18n/format";
import { IconButton } from "~/lib/basics";
import type { Meta } from "~/model/meta";
import type { Entry } from "./data";
import { EntryChip } from "./EntryChip";
import { entryDay, inOrder } from "./Month";
import type { Place } from "./Calendar";
import css from "./calendar.module.css";

/** Pixels of an hour. */
const HOUR = 44;
const SHORTEST = 24;

type Laid = { entry: Entry; top: number; height: number; lane: number; lanes: number };

function minutesOf(value: string): number {
  const at = new Date(value);
  return at.getHours() * 60 + at.getMinutes();
}

/** Entries that overlap get lanes of the same width. */
export function lay(entries: Entry[]): Laid[] {
  const sorted = [...entries].sort((a, b) => (a.value < b.value ? -1 : 1));
  const laid: Laid[] = [];
  let cluster: Laid[] = [];
  let until = -1;
  const close = () => {
    const lanes = Math.max(1, ...cluster.map((one) => one.lane + 1));
    for (const one of cluster) one.lanes = lanes;
    laid.push(...cluster);
    cluster = [];
  };
  for (const entry of sorted) {
    const top = (minutesOf(entry.value) / 60) * HOUR;
    const length = entry.end ? (new Date(entry.end).getTime() - new Date(entry.value).getTime()) / 3_600_000 : 0.5;
    const height = Math.max(SHORTEST, Math.min(length * HOUR, 24 * HOUR - top) - 2);
    if (top >= until) close();
    const taken = new Set(cluster.filter((one) => one.top + one.height > top).map((one) => one.lane));
    let lane = 0;
    while (taken.has(lane)) lane += 1;
    cluster.push({ entry, top, height, lane, lanes: 1 });
    until = Math.max(until, top + height);
  }
  close();
  return laid;
}

function DayColumn({ meta, day, entries, place }: { meta: Meta; day: string; entries: Entry[]; place: Place }) {
  const { setNodeRef, isOver } = useDroppable({ id: `hours ${day}`, data: { day, hour: HOUR } });
  const { onAdd } = place;
  const click = (event: MouseEvent<HTMLDivElement>) => {
    const y = event.clientY - event.currentTarget.getBoundingClientRect().top;
    onAdd?.(day, Math.floor((y / HOUR) * 2) * 30);
  };
  return (
    <div ref={setNodeRef} className={css.hours} data-over={isOver || undefined} data-today={day === place.today || undefined} style={{ height: 24 * HOUR }} onClick={onAdd ? click : undefined}>
      {lay(entries).map(({ entry, top, height, lane, lanes }) => (
        <EntryChip key={entry.record.id} meta={meta} entry={entry} place={place} block narrow={lanes > 1} style={{ top, height, left: `calc(${(lane / lanes) * 100}% + 2px)`, width: `calc(${100 / lanes}% - 4px)` }} />
      ))}
      {day === place.today ? <div className={css.now} style={{ top: ((new Date().getHours() * 60 + new Date().getMinutes()) / 60) * HOUR }} aria-hidden /> : null}
    </div>
  );
}

function Whole({ meta, day, entries, place }: { meta: Meta; day: string; entries: Entry[]; place: Place }) {
  const { setNodeRef, isOver } = useDroppable({ id: `day ${day}`, data: { day } });
  return (
    <div ref={setNodeRef} className={css.whole} data-over={isOver || undefined}>
      {entries.map((entry) => (
        <EntryChip key={entry.record.id} meta={meta} entry={entry} place={place} />
      ))}
    </div>
  );
}

export function Week({ meta, days, ...place }: { meta: Meta; days: string[] } & Place) {
  const t = useT();
  const scroll = useRef<HTMLDivElement>(null);
  const { onAdd } = place;
  useEffect(() => {
    scroll.current?.scrollTo({ top: 7.5 * HOUR });
  }, []);
  const of = (day: string, whole: boolean) => inOrder(place.entries.filter((entry) => entry.whole === whole && entryDay(entry) === day));
  const columns = { gridTemplateColumns: `48px repeat(${days.length}, minmax(0, 1fr))` };
  const anyWhole = place.entries.some((entry) => entry.whole);
  return (
    <div ref={scroll} className={css.scroll} tabIndex={-1}>
      <div className={css.weekHead} style={columns}>
        <span />
        {days.map((day) => (
          <div key={day} className={css.weekDay} data-today={day === place.today || undefined}>
            <button type="button" aria-label={date(day)} aria-current={day === place.today ? "date" : undefined} onClick={() => place.onDay(day)}>
              <span className="faint">{weekday(day)}</span> <strong>{shortDate(day)}</strong>
            </button>
            {onAdd ? <IconButton small icon="plus" className={css.dayAdd} label={t("calendar.add", { day: date(day) })} onClick={() => onAdd(day, null)} /> : null}
          </div>
        ))}
        {anyWhole ? <span className={css.hourName}>{t("calendar.whole")}</span> : null}
        {anyWhole ? days.map((day) => <Whole key={day} meta={meta} day={day} entries={of(day, true)} place={place} />) : null}
      </div>
      <div className={css.week} style={columns}>
        <div className={css.hourNames} aria-hidden>
          {Array.from({ length: 24 }, (_, hour) => (
            <span key={hour} className={css.hourName} style={{ height: HOUR }}>
              {`${String(hour).padStart(2, "0")}:00`}
            </span>
          ))}
        </div>
        {days.map((day) => (
          <DayColumn key={day} meta={meta} day={day} entries={of(day, false)} place={place} />
        ))}
      </div>
    </div>
  );
}
