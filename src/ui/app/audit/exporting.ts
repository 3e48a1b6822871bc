// What was found, as a file, made in the browser from paged answers. Cells that a spreadsheet would take for a formula are made
// harmless. The file has what the log has: ids, acts and names of fields, never a value.

import { call } from "~/api/client";
import { limits } from "~/api/types.gen";
import type { Entry } from "./words";

/** The most entries that one file takes. */
export const EXPORT_MAX = 20_000;

export type Found = { [name: string]: string };

/** One cell of RFC 4180, safe for spreadsheets: a text that begins like a formula gets an apostrophe before it. */
export function cell(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const COLUMNS: [string, (entry: Entry) => string][] = [
  ["seq", (entry) => String(entry.seq)],
  ["at", (entry) => entry.at],
  ["act", (entry) => entry.verb],
  ["decision", (entry) => entry.decision],
  ["repeats", (entry) => String(entry.repeats)],
  ["phase", (entry) => entry.phase],
  ["outcome", (entry) => entry.outcome],
  ["actor", (entry) => entry.actor],
  ["user", (entry) => entry.user ?? ""],
  ["on_behalf_of", (entry) => entry.on_behalf_of ?? ""],
  ["object", (entry) => entry.object],
  ["record", (entry) => entry.record ?? ""],
  ["ids", (entry) => entry.ids.join(" ")],
  ["count", (entry) => String(entry.count)],
  ["fields", (entry) => entry.fields.map(([field, how]) => `${String(field)}:${String(how)}`).join(" ")],
  ["changed", (entry) => entry.changed.join(" ")],
  ["purpose", (entry) => entry.purpose],
  ["channel", (entry) => entry.channel],
  ["auth", (entry) => entry.auth],
  ["address", (entry) => entry.address],
  ["rules", (entry) => entry.rules.join(" ")],
  ["error", (entry) => entry.error],
  ["request", (entry) => entry.request ?? ""],
  ["note", (entry) => entry.note],
];

/** With a byte order mark, so that spreadsheets take it for UTF-8. */
export function csvOf(entries: Entry[], name: (user: string) => string): string {
  const head = [...COLUMNS.map(([column]) => column), "user_name"].join(",");
  const lines = entries.map((entry) => [...COLUMNS.map(([, of]) => cell(of(entry))), cell(entry.user ? name(entry.user) : "")].join(","));
  return `\ufeff${[head, ...lines].join("\r\n")}\r\n`;
}

export function jsonOf(entries: Entry[], asked: Found): string {
  return `${JSON.stringify({ kontor_log_entries: 1, asked, taken_at: new Date().toISOString(), entries }, null, 1)}\n`;
}

/** Reads all that match, page by page, until there are no more, the limit is reached, or `signal` says to stop. */
export async function readAll(query: Found, keep: (entry: Entry) => boolean, signal: AbortSignal, progress: (read: number) => void): Promise<{ entries: Entry[]; complete: boolean }> {
  const entries: Entry[] = [];
  let before: number | undefined;
  for (;;) {
    const page: { items: Entry[]; next: number | null } = await call("audit_entries", { query: { ...query, limit: limits.PAGE_ROWS_MAX, ...(before === undefined ? {} : { before }) }, signal });
    entries.push(...page.items.filter(keep));
    progress(entries.length);
    if (page.next === null) return { entries, complete: true };
    if (entries.length >= EXPORT_MAX) return { entries: entries.slice(0, EXPORT_MAX), complete: false };
    before = page.next;
  }
}

/** Hands a text to the browser as a file. */
export function saveFile(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
