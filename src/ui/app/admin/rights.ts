// What a role amounts to, object by object: the same order of precedence as the server's (a named object, then its kind, then
// nothing; what is forbidden wins). Pure; it decides nothing, it only tells.

import type { RoleView } from "./data";

export const VERBS = ["read", "create", "update", "delete", "assign", "reveal"] as const;
export const SENSITIVITIES = ["S0", "S1", "S2", "S3"] as const;

/** Objects as the matrix names them: those that exist, or the kinds where no objects are known. */
export type Row = { name: string; kind: string; label: string };

const KIND_KEY: { [kind: string]: string } = { business: "*", organisation: "organisation", reference: "reference" };

export function scopeOf(role: RoleView, object: Row, verb: string): string {
  const banned = [...(role.forbid.objects?.[object.name] ?? []), ...(object.kind === "business" ? (role.forbid.objects?.["*"] ?? []) : [])];
  if (banned.includes(verb)) return "forbidden";
  // An administrator opens no customer data, whatever a role says.
  if (object.kind === "business" && role.kind.endsWith("_administration")) return "none";
  const rights = role.objects[object.name] ?? role.objects[KIND_KEY[object.kind] ?? "*"];
  return rights?.[verb] ?? "none";
}

/** Whether the role says something about this object by name. */
export function isNamed(role: RoleView, object: Row): boolean {
  return role.objects[object.name] !== undefined;
}

export function levelFor(role: Pick<RoleView, "levels" | "object_levels">, object: string | null, sensitivity: string): string {
  return (object ? role.object_levels?.[object]?.[sensitivity] : undefined) ?? role.levels[sensitivity] ?? "none";
}

/** Rows of the matrix in the order of kinds; without definitions, what the role itself names. */
export function rowsOf(known: Row[], roles: RoleView[], label: (name: string) => string): Row[] {
  const rows = new Map(known.map((row) => [row.name, row]));
  for (const role of roles) {
    for (const name of Object.keys(role.objects)) {
      if (!rows.has(name) && !["*", "organisation", "reference"].includes(name)) rows.set(name, { name, kind: "business", label: label(name) });
    }
  }
  rows.set("*", { name: "*", kind: "business", label: label("*") });
  const order = ["business", "organisation", "reference"];
  return [...rows.values()].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || Number(a.name === "*") - Number(b.name === "*") || a.label.localeCompare(b.label));
}

/** The parts of a role that are edited. */
export type Draft = Pick<RoleView, "name" | "label" | "description" | "kind" | "objects" | "levels" | "object_levels" | "fields" | "actions" | "forbid">;

export function draftOf(role: RoleView): Draft {
  const { name, label, description, kind, objects, levels, object_levels, fields, actions, forbid } = role;
  return { name, label, description, kind, objects, levels, object_levels, fields, actions, forbid: { objects: forbid.objects ?? {}, fields: forbid.fields ?? [], actions: forbid.actions ?? [] } };
}

export const EMPTY_DRAFT: Draft = { name: "", label: { en: "", zh: "" }, description: { en: "", zh: "" }, kind: "business", objects: { organisation: { read: "all" }, reference: { read: "all" } }, levels: { S0: "read", S1: "read" }, object_levels: {}, fields: {}, actions: [], forbid: { objects: {}, fields: [], actions: [] } };

const SECTIONS = ["label", "description", "objects", "levels", "object_levels", "fields", "actions", "forbid"] as const;

/** The parts that differ. */
export function patchOf(before: Draft, now: Draft): Partial<Draft> {
  const text = (value: unknown) => JSON.stringify(value, (_, one: unknown) => (one && typeof one === "object" && !Array.isArray(one) ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1))) : one));
  return Object.fromEntries(SECTIONS.filter((section) => text(before[section]) !== text(now[section])).map((section) => [section, now[section]]));
}

function without<V>(map: { [key: string]: V }, key: string): { [key: string]: V } {
  return Object.fromEntries(Object.entries(map).filter(([name]) => name !== key));
}

/** The key that speaks for an object that is not named. */
export const kindKey = (kind: string) => KIND_KEY[kind] ?? "*";

/** Names an object, beginning with what holds for it until now; or leaves it to its kind again. */
export function named(draft: Draft, row: Row, on: boolean): Draft {
  const forbid = { ...draft.forbid, objects: without(draft.forbid.objects, row.name) };
  if (!on) return { ...draft, objects: without(draft.objects, row.name), forbid };
  return { ...draft, objects: { ...draft.objects, [row.name]: { ...(draft.objects[kindKey(row.kind)] ?? {}) } } };
}

/** Sets how far a verb reaches; `forbidden` takes it away whatever other roles give. */
export function withScope(draft: Draft, key: string, verb: string, scope: string): Draft {
  const rights = { ...(draft.objects[key] ?? {}) };
  if (scope === "none" || scope === "forbidden") delete rights[verb];
  else rights[verb] = scope;
  const verbs = (draft.forbid.objects[key] ?? []).filter((one) => one !== verb);
  if (scope === "forbidden") verbs.push(verb);
  const objects = verbs.length > 0 ? { ...draft.forbid.objects, [key]: verbs.sort() } : without(draft.forbid.objects, key);
  return { ...draft, objects: { ...draft.objects, [key]: rights }, forbid: { ...draft.forbid, objects } };
}

/** Sets an act: `yes`, `no` or `forbidden`. */
export function withAct(draft: Draft, act: string, state: string): Draft {
  const others = (list: string[]) => list.filter((one) => one !== act);
  const actions = state === "yes" ? [...others(draft.actions), act].sort() : others(draft.actions);
  const banned = state === "forbidden" ? [...others(draft.forbid.actions), act].sort() : others(draft.forbid.actions);
  return { ...draft, actions, forbid: { ...draft.forbid, actions: banned } };
}

/** Sets the level of a field; empty leaves it to its sensitivity. */
export function withField(draft: Draft, path: string, level: string): Draft {
  const fields = without(draft.fields, path);
  const banned = draft.forbid.fields.filter((one) => one !== path);
  if (level === "forbidden") banned.push(path);
  else if (level) fields[path] = level;
  return { ...draft, fields, forbid: { ...draft.forbid, fields: banned.sort() } };
}

/** Sets the level of a sensitivity, everywhere or for one object; empty leaves it to what holds everywhere. */
export function withLevel(draft: Draft, object: string | null, sensitivity: string, level: string): Draft {
  if (object === null) return { ...draft, levels: { ...without(draft.levels, sensitivity), ...(level ? { [sensitivity]: level } : {}) } };
  const own = { ...without(draft.object_levels[object] ?? {}, sensitivity), ...(level ? { [sensitivity]: level } : {}) };
  return { ...draft, object_levels: Object.keys(own).length > 0 ? { ...draft.object_levels, [object]: own } : without(draft.object_levels, object) };
}

/** How many exceptions a role makes for an object's fields. */
export function exceptions(draft: Draft, object: string): number {
  const mine = (path: string) => path.startsWith(`${object}.`);
  return Object.keys(draft.object_levels[object] ?? {}).length + Object.keys(draft.fields).filter(mine).length + draft.forbid.fields.filter(mine).length;
}
