// Values as people of a locale write them: dates, money, large numbers (万 and 亿 in Chinese), telephone numbers, sizes of
// time. Pure; the locale comes from the language of the interface.

import { language, locale } from ".";

const made = new Map<string, unknown>();

function kept<F>(name: string, make: () => F): F {
  const key = `${locale()} ${name}`;
  const found = made.get(key);
  if (found !== undefined) return found as F;
  const format = make();
  made.set(key, format);
  return format;
}

/** A date without a time of day; it has no zone and must not be moved by one. */
export function date(text: string): string {
  const [year, month, day] = text.slice(0, 10).split("-").map(Number);
  if (!year || !month || !day) return text;
  const format = kept("date", () => new Intl.DateTimeFormat(locale(), { timeZone: "UTC", ...(language() === "zh" ? { year: "numeric", month: "2-digit", day: "2-digit" } : { year: "numeric", month: "short", day: "numeric" }) }));
  return format.format(Date.UTC(year, month - 1, day)).replaceAll("/", language() === "zh" ? "-" : "/");
}

/** A date for narrow places: without the year when it is this one. */
export function shortDate(text: string, now = new Date()): string {
  const day = text.slice(0, 10);
  if (day.slice(0, 4) !== String(now.getFullYear())) return date(day);
  const [year, month, at] = day.split("-").map(Number);
  return kept("short date", () => new Intl.DateTimeFormat(locale(), { day: "numeric", month: "short", timeZone: "UTC" })).format(Date.UTC(year ?? 0, (month ?? 1) - 1, at));
}

/** "Mon", "周一". */
export function weekday(text: string): string {
  const [year, at, day] = text.split("-").map(Number);
  return kept("weekday", () => new Intl.DateTimeFormat(locale(), { weekday: "short", timeZone: "UTC" })).format(Date.UTC(year ?? 0, (at ?? 1) - 1, day));
}

/** "Oct", "10月". */
export function shortMonth(text: string): string {
  const [year, at] = text.split("-").map(Number);
  return kept("short month", () => new Intl.DateTimeFormat(locale(), { month: "short", timeZone: "UTC" })).format(Date.UTC(year ?? 0, (at ?? 1) - 1, 1));
}

/** A month: "October 2026", "2026年10月". */
export function month(text: string): string {
  const [year, at] = text.split("-").map(Number);
  return kept("month", () => new Intl.DateTimeFormat(locale(), { year: "numeric", month: "long", timeZone: "UTC" })).format(Date.UTC(year ?? 0, (at ?? 1) - 1, 1));
}

export function time(text: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : kept("time", () => new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit", hour12: false })).format(at);
}

export function moment(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const local = `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")}`;
  return `${date(local)} ${time(text)}`;
}

/** To the second, for those who put things in order by it. */
export function instant(text: string): string {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : `${moment(text)}:${String(at.getSeconds()).padStart(2, "0")}`;
}

/** "3 minutes ago", up to a month; then the date. */
export function ago(text: string, now = Date.now()): string {
  const at = new Date(text).getTime();
  if (Number.isNaN(at)) return text;
  const seconds = Math.round((at - now) / 1000);
  const relative = kept("relative", () => new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }));
  const size = Math.abs(seconds);
  if (size < 45) return relative.format(0, "second");
  if (size < 3600) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 86_400) return relative.format(Math.round(seconds / 3600), "hour");
  if (size < 30 * 86_400) return relative.format(Math.round(seconds / 86_400), "day");
  return moment(text).slice(0, -6);
}

export function number(value: number | string, digits?: number): string {
  const exact = typeof value === "string" ? (value as `${number}`) : value;
  const options = digits === undefined ? { maximumFractionDigits: 9 } : { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return kept(`number ${digits ?? ""}`, () => new Intl.NumberFormat(locale(), options)).format(exact);
}

export type Amount = { amount: string; currency: string };

/** Exact: the digits go through Intl as text. Whole amounts are shown without their empty decimals. */
export function money(value: Amount): string {
  const whole = /^-?\d+(\.0*)?$/.test(value.amount);
  try {
    const format = kept(`money ${value.currency} ${whole}`, () => new Intl.NumberFormat(locale(), { style: "currency", currency: value.currency, currencyDisplay: "narrowSymbol", ...(whole ? { maximumFractionDigits: 0, minimumFractionDigits: 0 } : {}) }));
    return format.format(value.amount as `${number}`);
  } catch {
    return `${value.amount} ${value.currency}`;
  }
}

/** Short for figures at a glance: 1.2M, 120 万, 1.2 亿. */
export function short(value: number, currency?: string): string {
  const options: Intl.NumberFormatOptions = { notation: "compact", maximumFractionDigits: 1, ...(currency ? { style: "currency", currency, currencyDisplay: "narrowSymbol" } : {}) };
  return kept(`short ${currency ?? ""}`, () => new Intl.NumberFormat(locale(), options)).format(value);
}

/** E.164 in readable groups; what is no number stays as it is. */
export function phone(text: string): string {
  const chinese = /^\+86(?:(1[3-9]\d)(\d{4})(\d{4})|(10|2\d|[3-9]\d\d)(\d{4})(\d{3,4}))$/.exec(text)?.slice(1).filter(Boolean);
  if (chinese) return chinese[0]?.startsWith("1") && chinese[0].length === 3 ? chinese.join(" ") : `0${chinese.join(" ")}`;
  if (!/^\+\d{7,15}$/.test(text)) return text;
  const code = /^\+(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|\d{3})/.exec(text)?.[0] ?? text.slice(0, 3);
  const rest = text.slice(code.length);
  const groups: string[] = [];
  for (let at = 0; at < rest.length; ) {
    const left = rest.length - at;
    const size = left <= 4 ? left : 3;
    groups.push(rest.slice(at, at + size));
    at += size;
  }
  return `${code} ${groups.join(" ")}`;
}

/** Sizes of files, in powers of 1024 as people know them from their desk. */
export function bytes(size: number): string {
  const units = ["B", "KB", "MB", "GB"];
  const at = size < 1 ? 0 : Math.min(Math.floor(Math.log2(size) / 10), units.length - 1);
  const value = size / 1024 ** at;
  return `${number(at === 0 || value >= 100 ? Math.round(value) : Math.round(value * 10) / 10)} ${units[at] ?? ""}`;
}

export function duration(seconds: number): string {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  const rest = Math.floor(seconds % 60);
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Names one after the other. */
export const listed = (names: string[]) => names.join(language() === "zh" ? "、" : ", ");

/** A length of time inside a sentence: "1 day", "12 hours", "3小时". */
export function span(value: number, unit: "second" | "hour" | "day"): string {
  return kept(`span ${unit}`, () => new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: language() === "zh" ? "short" : "long" })).format(value);
}

/** How long something takes, in the unit that people would use: "0.7s", "12m", "3小时". */
export function lasting(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  const [value, unit] = seconds < 120 ? [seconds, "second"] : seconds < 7200 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  return kept(`lasting ${unit}`, () => new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "narrow", maximumSignificantDigits: 2 })).format(value);
}
