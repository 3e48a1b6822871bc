// Which dates of an object stand in a calendar, and the days of a week or month. Days are those of the browser's zone.

import { isSealed, canSee, type Meta } from "~/model/meta";

export type CalendarFields = {
  /** When it begins; a date or a time. */
  start: string;
  end: string | null;
  /** Stands in for the beginning of what has none, such as a task. */
  due: string | null;
};

/** Dates that say when something is to happen, before those that are only noted. */
const USUAL = ["start", "expected_close", "resolve_due", "timeline"];
/** What the appliance notes of every record, and what only ends something that has a beginning. */
const NEVER = ["created_at", "updated_at", "deleted_at", "retention_until", "end"];

/** The dates of an object that a calendar can show, the usual one first. */
export function datesOf(meta: Meta): string[] {
  const can = (name: string) => {
    const field = meta.fields.get(name);
    return field !== undefined && ["date", "timestamp"].includes(field.type) && canSee(meta, name) && !isSealed(field) && meta.view.access[name]?.filterable === true;
  };
  const usual = USUAL.filter(can);
  return usual.length === 0 ? [] : [...usual, ...[...meta.fields.keys()].filter((name) => can(name) && !usual.includes(name) && !NEVER.includes(name))];
}

/** What a calendar of the object shows: the date that is wanted, or the usual one. */
export function calendarOf(meta: Meta, wanted?: string): CalendarFields | null {
  const dates = datesOf(meta);
  const start = dates.find((name) => name === wanted) ?? dates[0];
  if (!start) return null;
  // A task has no beginning; it stands where it is due.
  return start === "start" ? { start, end: canSee(meta, "end") && meta.fields.has("end") ? "end" : null, due: dates.includes("due") ? "due" : null } : { start, end: null, due: null };
}

/** A day as `2026-11-21`. */
export function dayOf(at: Date): string {
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
}

/** The same day at midnight here. */
export function startOf(day: string): Date {
  const [year = 2000, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date);
}

export function addDays(day: string, days: number): string {
  const at = startOf(day);
  at.setDate(at.getDate() + days);
  return dayOf(at);
}

export function addMonths(day: string, months: number): string {
  const at = startOf(day);
  const target = new Date(at.getFullYear(), at.getMonth() + months, 1);
  const last = new Date(target.getFullYear(), target.getMonth() + 1, 0).getDate();
  return dayOf(new Date(target.getFullYear(), target.getMonth(), Math.min(at.getDate(), last)));
}

/** Monday of the week. */
export function weekOf(day: string): string {
  const at = startOf(day);
  return addDays(day, -((at.getDay() + 6) % 7));
}

export type Span = "day" | "week" | "month";

/** All days that are shown, from Monday on. */
export function daysOf(at: string, span: Span): string[] {
  if (span === "day") return [at];
  const first = span === "week" ? weekOf(at) : weekOf(`${at.slice(0, 7)}-01`);
  if (span === "week") return Array.from({ length: 7 }, (_, index) => addDays(first, index));
  const end = addMonths(`${at.slice(0, 7)}-01`, 1);
  const weeks = Math.ceil((startOf(end).getTime() - startOf(first).getTime()) / (7 * 86_400_000) - 0.01);
  return Array.from({ length: weeks * 7 }, (_, index) => addDays(first, index));
}

/** Moves a stored date or time to another day, and to a minute of it when one is given. */
export function moved(value: string, day: string, minute: number | null): string {
  if (value.length === 10) return day;
  const before = new Date(value);
  const at = startOf(day);
  if (minute === null) at.setHours(before.getHours(), before.getMinutes(), 0, 0);
  else at.setHours(0, minute, 0, 0);
  return at.toISOString();
}
