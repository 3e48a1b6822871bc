// A layout while somebody arranges it: fields go from place to place, sections are added, named, moved and taken away. Each step
// gives a new arrangement; a field stands in exactly one section or is left out, and highlights and the short form name some again.

import type { Layout as LayoutView, LayoutDef, LayoutSection } from "~/api/types.gen";

/** `highlights`, `create` and `hidden`, or the key of a section. */
export type Zone = string;
/** A section that keeps its key while it is renamed and moved. */
export type Part = LayoutSection & { key: string };
export type Arrangement = { highlights: string[]; create: string[]; parts: Part[]; hidden: string[] };

const HEAD = ["highlights", "create"];

/** Whether its fields stand elsewhere as well. */
export function isCopy(zone: Zone): boolean {
  return HEAD.includes(zone);
}

export function arrangementOf(layout: LayoutView): Arrangement {
  return { highlights: layout.highlights, create: layout.create, hidden: layout.hidden, parts: layout.sections.map((section, index) => ({ ...section, key: `s${index}` })) };
}

export function layoutFrom({ highlights, create, parts, hidden }: Arrangement): LayoutDef {
  return { highlights, create, sections: parts.map(({ label, fields }) => ({ label: { en: label.en.trim(), zh: label.zh.trim() }, fields })), hidden };
}

export function fieldsIn(now: Arrangement, zone: Zone): string[] {
  if (zone === "highlights" || zone === "create" || zone === "hidden") return now[zone];
  return now.parts.find((part) => part.key === zone)?.fields ?? [];
}

function put(now: Arrangement, zone: Zone, fields: string[]): Arrangement {
  if (zone === "highlights" || zone === "create" || zone === "hidden") return { ...now, [zone]: fields };
  return { ...now, parts: now.parts.map((part) => (part.key === zone ? { ...part, fields } : part)) };
}

/** Puts a field before the `at`-th of a zone. From a section to the head it is named again; out of the head it is only taken away. */
export function place(now: Arrangement, field: string, from: Zone, to: Zone, at: number): Arrangement {
  if (isCopy(from) && !isCopy(to)) return put(now, from, fieldsIn(now, from).filter((one) => one !== field));
  const target = fieldsIn(now, to);
  const before = target.indexOf(field);
  const rest = target.filter((one) => one !== field);
  const index = before >= 0 && before < at ? at - 1 : at;
  const next = put(now, to, [...rest.slice(0, index), field, ...rest.slice(index)]);
  return from === to || isCopy(to) ? next : put(next, from, fieldsIn(next, from).filter((one) => one !== field));
}

/** One step up or down; at the end of a section into the next one, and from the last out of the page. */
export function step(now: Arrangement, field: string, zone: Zone, by: 1 | -1): { next: Arrangement; zone: Zone } | null {
  const fields = fieldsIn(now, zone);
  const to = fields.indexOf(field) + by;
  if (to >= 0 && to < fields.length) {
    const moved = fields.filter((one) => one !== field);
    moved.splice(to, 0, field);
    return { next: put(now, zone, moved), zone };
  }
  if (isCopy(zone)) return null;
  const zones = [...now.parts.map((part) => part.key), "hidden"];
  const other = zones[zones.indexOf(zone) + by];
  return other === undefined ? null : { next: place(now, field, zone, other, by > 0 ? 0 : fieldsIn(now, other).length), zone: other };
}

/** A new, empty section before what the page ends with. */
export function addPart(now: Arrangement, label: { en: string; zh: string }): { next: Arrangement; key: string } {
  let index = now.parts.length;
  while (now.parts.some((part) => part.key === `s${index}`)) index += 1;
  const key = `s${index}`;
  return { next: { ...now, parts: [...now.parts, { key, label, fields: [] }] }, key };
}

/** Takes a section away; its fields go to the one before it, or after it, so that none leaves the page unnoticed. */
export function dropPart(now: Arrangement, key: string): Arrangement {
  const at = now.parts.findIndex((part) => part.key === key);
  const gone = now.parts[at];
  const heir = now.parts[at - 1] ?? now.parts[at + 1];
  if (!gone || !heir) return now;
  return { ...now, parts: now.parts.filter((part) => part !== gone).map((part) => (part === heir ? { ...part, fields: [...part.fields, ...gone.fields] } : part)) };
}

export function movePart(now: Arrangement, key: string, to: number): Arrangement {
  const moving = now.parts.find((part) => part.key === key);
  if (!moving || to < 0 || to >= now.parts.length) return now;
  const rest = now.parts.filter((part) => part !== moving);
  rest.splice(to, 0, moving);
  return { ...now, parts: rest };
}

export function namePart(now: Arrangement, key: string, label: { en: string; zh: string }): Arrangement {
  return { ...now, parts: now.parts.map((part) => (part.key === key ? { ...part, label } : part)) };
}
