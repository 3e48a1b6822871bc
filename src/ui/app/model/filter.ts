// Filters as the API takes them: a tree of and/or with conditions. What may be asked of which field, and how a condition is
// said in words. Pure.

import type { FieldDef, Filter, Json } from "~/api/types.gen";
import { t, type Key } from "~/i18n";
import { plain } from "~/value/Value";
import { fieldLabel, isSealed, type Meta, type Metas } from "./meta";

export type Leaf = { field?: string; op: string; value?: Json };
export type Node = Leaf | { and: Node[] } | { or: Node[] };

export const RELATIVE = ["today", "yesterday", "tomorrow", "this_week", "last_week", "next_week", "this_month", "last_month", "next_month", "this_quarter", "last_quarter", "this_year", "last_year", "this_fiscal_quarter", "last_fiscal_quarter", "next_fiscal_quarter", "this_fiscal_year", "last_fiscal_year", "next_fiscal_year", "last_7_days", "last_30_days", "last_90_days", "last_365_days", "next_7_days", "next_30_days", "next_90_days", "before_today", "after_today"];
const PERSONAL = ["mine", "my_team", "my_unit_and_below"];

export function isLeaf(node: Node): node is Leaf {
  return "op" in node;
}

export function parts(node: Node): Node[] {
  return "and" in node ? node.and : "or" in node ? node.or : [];
}

/** What stands in the address, when it is a filter. */
export function parseFilter(text: string | undefined): Node | null {
  if (!text) return null;
  try {
    const node: unknown = JSON.parse(text);
    return node && typeof node === "object" && ("op" in node || "and" in node || "or" in node) ? (node as Node) : null;
  } catch {
    return null;
  }
}

/** Without empty branches; null when nothing is left. */
export function pruned(node: Node | null): Node | null {
  if (!node || isLeaf(node)) return node;
  const kept = parts(node).flatMap((part) => pruned(part) ?? []);
  if (kept.length === 0) return null;
  return "and" in node ? { and: kept } : { or: kept };
}

export function toFilter(node: Node | null): Filter | null {
  return pruned(node) as Filter | null;
}

/** The conditions of a filter that is a plain list of them, all of which hold; null for any other. */
export function flat(node: Node | null): Leaf[] | null {
  if (!node) return [];
  if (isLeaf(node)) return [node];
  return "and" in node && node.and.every(isLeaf) ? (node.and as Leaf[]) : null;
}

export function count(node: Node | null): number {
  return !node ? 0 : isLeaf(node) ? 1 : parts(node).reduce((sum, part) => sum + count(part), 0);
}

/** Operators that a field answers. */
export function operators(field: FieldDef): string[] {
  if (isSealed(field)) return ["eq", "empty", "filled"];
  switch (field.type) {
    case "enum":
      return ["in", "ne", "empty", "filled"];
    case "multi_enum":
      return ["has", "empty", "filled"];
    case "bool":
      return ["eq", "empty", "filled"];
    case "integer":
    case "decimal":
    case "money":
      return ["ge", "le", "gt", "lt", "eq", "between", "empty", "filled"];
    case "date":
    case "timestamp":
      return ["relative", "ge", "le", "between", "empty", "filled"];
    case "reference":
      return field.targets?.length === 1 && field.targets[0] === "user" ? ["eq", "mine", "ne", "empty", "filled"] : ["eq", "ne", "empty", "filled"];
    case "text":
    case "email":
    case "phone":
    case "url":
      return ["contains", "starts_with", "eq", "ne", "empty", "filled"];
    default:
      return ["empty", "filled"];
  }
}

/** The operator as the interface shows it: relative dates are one, and "empty: false" is one of its own. */
export function shownOp(leaf: Leaf): string {
  if (RELATIVE.includes(leaf.op)) return "relative";
  if (leaf.op === "empty") return leaf.value === false ? "filled" : "empty";
  return leaf.op;
}

export const needsValue = (op: string) => !["empty", "filled", "mine", "my_team", "my_unit_and_below"].includes(op);

/** A condition as it goes to the server, from what was chosen. */
export function leafOf(field: string, op: string, value: Json | undefined): Leaf {
  if (op === "empty") return { field, op: "empty", value: true };
  if (op === "filled") return { field, op: "empty", value: false };
  if (op === "relative") return { field, op: String(value ?? "last_7_days") };
  if (op === "mine") return { field, op: "mine" };
  return { field, op, value: value ?? null };
}

/** Whether somebody has said enough for it to be asked. */
export function isComplete(op: string, value: Json | undefined): boolean {
  if (!needsValue(op) || op === "relative") return true;
  if (Array.isArray(value)) return op === "between" ? value.length === 2 && value.every((one) => one !== null && one !== "") : value.length > 0;
  return value !== null && value !== undefined && value !== "";
}

export type Choice = { path: string; label: string; field: FieldDef; group: string };

/** The field at a path, also one of a related record. */
export function fieldAt(meta: Meta, metas: Metas, path: string): FieldDef | undefined {
  const [head = "", rest] = path.split(".", 2);
  const field = meta.fields.get(head);
  if (!rest || !field || field.type === "address") return field;
  return metas.get(field.targets?.[0] ?? "")?.fields.get(rest);
}

/** Fields that may be asked about; those of directly related records after the own ones. */
export function choices(meta: Meta, metas: Metas): Choice[] {
  const own = [...meta.fields.values()].filter((field) => meta.view.access[field.name]?.filterable && !["json", "file", "long_text", "rich_text", "address"].includes(field.type));
  const mine = own.map((field) => ({ path: field.name, label: fieldLabel(meta, field.name), field, group: "" }));
  const related = own.flatMap((reference) => {
    if (reference.type !== "reference" || reference.targets?.length !== 1 || /_by$/.test(reference.name)) return [];
    const other = metas.get(reference.targets[0] ?? "");
    if (!other?.may.read || ["user", "team"].includes(other.name)) return [];
    return [...other.fields.values()]
      .filter((field) => other.view.access[field.name]?.filterable && !["json", "file", "long_text", "rich_text", "address", "reference"].includes(field.type) && !field.read_only)
      .map((field) => ({ path: `${reference.name}.${field.name}`, label: fieldLabel(other, field.name), field, group: fieldLabel(meta, reference.name) }));
  });
  return [...mine, ...related];
}

function valueText(field: FieldDef | undefined, leaf: Leaf, title: (object: string, id: string) => string): string {
  const one = (value: Json | undefined): string => {
    if (field?.type === "reference") {
      const id = typeof value === "string" ? value : value && typeof value === "object" && !Array.isArray(value) ? String(value["id"]) : "";
      return title(field.targets?.[0] ?? "", id);
    }
    return field ? plain(field, value, t) : String(value ?? "");
  };
  if (Array.isArray(leaf.value)) return leaf.value.map(one).join(leaf.op === "between" ? " – " : ", ");
  return one(leaf.value);
}

/** A condition in words: what, how, and what with. */
export function said(leaf: Leaf, meta: Meta, metas: Metas, title: (object: string, id: string) => string): { what: string; how: string; value: string } {
  if (PERSONAL.includes(leaf.op) && !leaf.field) return { what: "", how: t(`filter.op.${leaf.op}` as Key), value: "" };
  const field = leaf.field ? fieldAt(meta, metas, leaf.field) : undefined;
  const what = leaf.field ? fieldLabel(meta, leaf.field, metas) : "";
  const shown = shownOp(leaf);
  if (shown === "relative") return { what, how: "", value: t(`filter.when.${leaf.op}` as Key) };
  return { what, how: t(`filter.op.${shown}` as Key), value: needsValue(shown) ? valueText(field, leaf, title) : "" };
}
