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

export function levelFor(role: RoleView, object: string | null, sensitivity: string): string {
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
