// Which facts of an object stand where. Sections, highlights and the short form come from the server, where administrators
// arrange them; the columns of a list are chosen here, by hand for shipped objects and from the definition for any other.

import type { IconName } from "~/lib/icons";
import type { Label } from "~/api/types.gen";
import { canSee, isSealed, type Meta, type Metas } from "./meta";

export type Section = { label: Label; fields: string[] };

export type Layout = {
  icon: IconName;
  /** Columns of the list; related titles as `account.name`. */
  columns: string[];
  sort: string;
  /** Four to six facts under the name. */
  highlights: string[];
  sections: Section[];
  /** Fields of the short form for a new record. */
  create: string[];
};

const HOUSE = ["owner", "team", "unit", "number", "created_at", "created_by", "updated_at", "updated_by", "locked_by", "lock_reason", "retention_until"];

type Listed = { icon: IconName; columns: string[]; sort: string };

const LISTS: { [object: string]: Listed } = {
  account: { icon: "account", columns: ["name", "type", "lifecycle", "level", "industry", "phone", "owner.display_name", "updated_at"], sort: "-updated_at" },
  contact: { icon: "contact", columns: ["full_name", "account.name", "title", "mobile", "email", "owner.display_name", "updated_at"], sort: "-updated_at" },
  lead: { icon: "lead", columns: ["full_name", "company_name", "topic", "status", "rating", "source", "owner.display_name", "created_at"], sort: "-created_at" },
  opportunity: { icon: "opportunity", columns: ["name", "account.name", "stage", "amount", "probability", "expected_close", "next_step", "owner.display_name"], sort: "-created_at" },
  case: { icon: "case", columns: ["number", "subject", "account.name", "status", "priority", "channel", "resolve_due", "owner.display_name"], sort: "-created_at" },
  activity: { icon: "activity", columns: ["subject", "kind", "status", "priority", "due", "start", "owner.display_name"], sort: "-created_at" },
  product: { icon: "product", columns: ["name", "code", "category", "type", "status", "list_price", "updated_at"], sort: "name" },
  user: { icon: "users", columns: ["display_name", "username", "title", "unit.name", "status"], sort: "display_name" },
};

const ICONS: { [object: string]: IconName } = { unit: "unit", team: "users", tag: "tag" };
const HOUSE_FIELDS = new Set([...HOUSE, "deleted_at", "deleted_by", "is_sample", "import_job"]);

function derived(meta: Meta): Listed {
  const fields = [...meta.fields.values()].filter((field) => !HOUSE_FIELDS.has(field.name) && field.name !== meta.titleField);
  const plain = fields.filter((field) => !isSealed(field) && !["long_text", "rich_text", "json", "file", "address"].includes(field.type));
  return { icon: ICONS[meta.name] ?? "object", columns: [meta.titleField, ...plain.slice(0, 5).map((field) => field.name), "updated_at"], sort: "-updated_at" };
}

/** Without fields that the reader may not even know of. */
export function layoutOf(meta: Meta): Layout {
  const list = LISTS[meta.name] ?? derived(meta);
  const { layout } = meta.view;
  const seen = (name: string) => meta.fields.has(name.split(".")[0] ?? "") && canSee(meta, name.split(".")[0] ?? "");
  return {
    ...list,
    columns: list.columns.filter(seen),
    highlights: layout.highlights.filter(seen),
    sections: layout.sections.map((section) => ({ ...section, fields: section.fields.filter(seen) })).filter((section) => section.fields.length > 0),
    create: [...new Set([...layout.create, ...[...meta.fields.values()].filter((field) => field.required).map((field) => field.name)])].filter(seen),
  };
}

/** What the appliance keeps about a record; nothing in it waits to be filled in. */
export function isHouse(section: Section): boolean {
  return section.fields.every((name) => HOUSE_FIELDS.has(name));
}

export function iconOf(object: string): IconName {
  return LISTS[object]?.icon ?? ICONS[object] ?? "object";
}

/** Lists of other objects that point here: object and the field that does. */
export function pointingHere(meta: Meta, metas: Metas): { object: string; field: string }[] {
  const found: { object: string; field: string }[] = [];
  for (const other of metas.values()) {
    if (!other.may.read || other.name === "activity") continue;
    for (const field of other.fields.values()) {
      if (field.type !== "reference" || HOUSE_FIELDS.has(field.name) || !field.targets?.includes(meta.name)) continue;
      if (canSee(other, field.name) && other.view.access[field.name]?.filterable) found.push({ object: other.name, field: field.name });
    }
  }
  const order = ["contact", "opportunity", "case", "lead", "account"];
  const rank = (object: string) => (order.includes(object) ? order.indexOf(object) : order.length);
  return found.sort((a, b) => rank(a.object) - rank(b.object));
}

/** The order of objects in the rail; those of their own come last. */
export const RAIL_ORDER = ["account", "contact", "lead", "opportunity", "case", "activity", "product"];
