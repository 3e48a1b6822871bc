// A month as a table of weeks. A day shows its first entries and says how many more there are.

import { useDroppable } from "@dnd-kit/core";
import { useT } from "~/i18n";
import { date, weekday } from "~/i18n/format";
import { IconButton } from "~/lib/basics";
import type { Meta } from "~/model/meta";
import type { Entry } from "./data";
import { EntryChip } from "./EntryChip";
import { dayOf, startOf } from "./model";
import type { Place } from "./Calendar";
import css from "./calendar.module.css";

const SHOWN = 4;

export function entryDay(entry: Entry): string {
  return entry.whole ? entry.value.slice(0, 10) : dayOf(new Date(entry.value));
}

export function inOrder(entries: Entry[]): Entry[] {
  return [...entries].sort((a, b) => (a.whole === b.whole ? (a.value < b.value ? -1 : 1) : a.whole ? -1 : 1));
}

function Day({ meta, day, outside, entries, place }: { meta: Meta; day: string; outside: boolean; entries: Entry[]; place: Place }) {
  const t = useT();
  const { setNodeRef, isOver } = useDroppable({ id: `day ${day}`, data: { day } });
  const { onAdd } = place;
  const fit = entries.length <= SHOWN ? entries : entries.slice(0, SHOWN - 1);
  return (
    <td ref={setNodeRef} className={css.day} data-outside={outside || undefined} data-today={day === place.today || undefined} data-over={isOver || undefined} onClick={onAdd ? () => onAdd(day, null) : undefined}>
      <div className={css.dayHead}>
        <button type="button" className={css.dayNumber} aria-label={date(day)} aria-current={day === place.today ? "date" : undefined} onClick={(event) => { event.stopPropagation(); place.onDay(day); }}>
          {startOf(day).getDate()}
        </button>
        {onAdd ? <IconButton small icon="plus" className={css.dayAdd} label={t("calendar.add", { day: date(day) })} onClick={(event) => { event.stopPropagation(); onAdd(day, null); }} /> : null}
      </div>
      {fit.map((entry) => (
        <EntryChip key={entry.record.id} meta={meta} entry={entry} place={place} />
      ))}
      {fit.length < entries.length ? (
        <button type="button" className={css.moreButton} onClick={(event) => { event.stopPropagation(); place.onDay(day); }}>
          {t("calendar.more", { count: entries.length - fit.length })}
        </button>
      ) : null}
    </td>
  );
}

export function Month({ meta, days, month, ...place }: { meta: Meta; days: string[]; month: string } & Place) {
  const byDay = new Map<string, Entry[]>();
  for (const entry of place.entries) byDay.set(entryDay(entry), [...(byDay.get(entryDay(entry)) ?? []), entry]);
  const weeks = Array.from({ length: days.length / 7 }, (_, index) => days.slice(index * 7, index * 7 + 7));
  return (
    <div className={css.scroll}>
      <table className={css.month}>
        <thead>
          <tr>
            {days.slice(0, 7).map((day) => (
              <th key={day} scope="col">
                {weekday(day)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {weeks.map((week) => (
            <tr key={week[0]}>
              {week.map((day) => (
                <Day key={day} meta={meta} day={day} outside={day.slice(0, 7) !== month} entries={inOrder(byDay.get(day) ?? [])} place={place} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
