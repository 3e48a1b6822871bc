// The last weeks as a calendar: each day says by shape, colour and words whether its sets are there, proven, or failed. A grid
// that is walked with the arrow keys; a day that is chosen narrows the list.

import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import type { BackupLine } from "~/api/types.gen";
import { addDays, dayOf } from "~/calendar/model";
import { useT } from "~/i18n";
import { shortDate, shortMonth, weekday } from "~/i18n/format";
import { Icon, type IconName } from "~/lib/icons";
import { byDay, dayLabel, dayState, type DayState } from "./data";
import css from "./backup.module.css";

const WEEKS = 14;
const MARKS: { [state in DayState]: IconName | null } = { proven: "check", whole: null, mixed: "warn", failed: "warn", gone: null };

/** The days of the grid, week by week, Monday first; the last week holds today. */
export function weeksUntil(today: string, weeks: number): string[][] {
  const monday = addDays(today, -((new Date(`${today}T00:00:00`).getDay() + 6) % 7));
  return Array.from({ length: weeks }, (_, week) => Array.from({ length: 7 }, (_, day) => addDays(monday, (week - weeks + 1) * 7 + day)));
}

export function Days({ sets, chosen, onChoose }: { sets: BackupLine[]; chosen: string | null; onChoose: (day: string | null) => void }) {
  const t = useT();
  const today = dayOf(new Date());
  const [at, setAt] = useState(chosen ?? today);
  const grid = useRef<HTMLTableElement>(null);
  const weeks = weeksUntil(today, WEEKS);
  const days = byDay(sets, dayOf);
  const first = weeks[0]?.[0] ?? today;
  useEffect(() => {
    // What is newest is in sight, also where not everything is.
    const place = grid.current?.parentElement;
    if (place) place.scrollLeft = place.scrollWidth;
  }, []);
  const walk = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -7, ArrowRight: 7, ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const to = addDays(at, by);
    if (to < first || to > today) return;
    setAt(to);
    requestAnimationFrame(() => grid.current?.querySelector<HTMLElement>(`[data-day="${to}"]`)?.focus());
  };
  return (
    <div className={css.days}>
      <div className={css.weeks}>
        <table ref={grid} role="grid" aria-label={t("backup.calendar")} onKeyDown={walk}>
          <thead>
            <tr>
              <td />
              {weeks.map(([monday = today], week) => (
                <th key={monday} scope="col">
                  <span className="sr">{shortDate(monday)}</span>
                  <span aria-hidden>{monday.slice(5, 7) !== weeks[week - 1]?.[0]?.slice(5, 7) ? shortMonth(monday) : null}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {[0, 1, 2, 3, 4, 5, 6].map((row) => (
              <tr key={row}>
                <th scope="row">{weekday(weeks[0]?.[row] ?? today)}</th>
                {weeks.map((week) => {
                  const day = week[row] ?? today;
                  if (day > today) return <td key={day} />;
                  const made = days.get(day) ?? [];
                  const mark = made.length > 0 ? MARKS[dayState(made)] : null;
                  return (
                    <td key={day} role="gridcell" aria-selected={chosen === day}>
                      <button type="button" data-day={day} data-state={made.length > 0 ? dayState(made) : "none"} data-today={day === today || undefined} tabIndex={day === at ? 0 : -1} aria-label={dayLabel(t, day, made)} title={dayLabel(t, day, made)} className={css.dayCell} onFocus={() => setAt(day)} onClick={() => onChoose(chosen === day || made.length === 0 ? null : day)}>
                        {mark ? <Icon name={mark} size={11} /> : null}
                      </button>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <ul className={css.legend}>
        {(["proven", "whole", "mixed", "failed", "gone"] as const).map((state) => (
          <li key={state}>
            <span className={css.dayCell} data-state={state} aria-hidden>
              {MARKS[state] ? <Icon name={MARKS[state]} size={11} /> : null}
            </span>
            {t(`backup.dayState.${state}`)}
          </li>
        ))}
      </ul>
    </div>
  );
}
