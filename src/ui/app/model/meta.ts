// Objects as the server describes them, made easy to ask: fields by name, what may be done, how things are called in the
// language of the interface. It decides nothing about permission; the answer of the server does.

import { useQuery, type QueryClient } from "@tanstack/react-query";
import { call } from "~/api/client";
import type { FieldDef, Json, Label, ObjectView, RecordView } from "~/api/types.gen";
import { language } from "~/i18n";

export type Level = "none" | "exists" | "masked" | "read" | "edit";

export type Meta = {
  name: string;
  view: ObjectView;
  fields: Map<string, FieldDef>;
  titleField: string;
  may: { read: boolean; create: boolean; update: boolean; delete: boolean; assign: boolean; reveal: boolean };
};

/** Objects that lists of people's work never show beside their customers. */
export const HOUSE_OBJECTS = new Set(["user", "unit", "team", "tag"]);

export function said(label: Label | undefined): string {
  if (!label) return "";
  return (language() === "zh" ? label.zh : label.en) || label.en;
}

export function metaOf(view: ObjectView): Meta {
  const verbs = view.verbs as { [verb: string]: boolean };
  const may = (verb: string) => verbs[verb] === true;
  return {
    name: view.definition.name,
    view,
    fields: new Map(view.definition.fields.filter((field) => !field.retired).map((field) => [field.name, field])),
    titleField: view.definition.title_field,
    may: { read: may("read"), create: may("create"), update: may("update"), delete: may("delete"), assign: may("assign"), reveal: may("reveal") },
  };
}

export const objectsQuery = {
  queryKey: ["objects"],
  queryFn: async ({ signal }: { signal: AbortSignal }) => {
    const answer = await call("object_list", { signal });
    return new Map(answer.items.map((view) => [view.definition.name, metaOf(view)]));
  },
  staleTime: 5 * 60_000,
};

export type Metas = Map<string, Meta>;

/** All objects one may know of; the shell waits for them, so pages find them there. */
export function useMetas(): Metas {
  const { data } = useQuery(objectsQuery);
  return data ?? EMPTY;
}
const EMPTY: Metas = new Map();

export function knownMetas(client: QueryClient): Metas {
  return client.getQueryData<Metas>(objectsQuery.queryKey) ?? EMPTY;
}

export function objectLabel(meta: Meta | undefined, many = false): string {
  if (!meta) return "";
  return said(many ? (meta.view.definition.plural ?? meta.view.definition.label) : meta.view.definition.label);
}

export function fieldLabel(meta: Meta, name: string, metas?: Metas): string {
  const [head = name, rest] = name.split(".", 2);
  const field = meta.fields.get(head);
  if (!field) return name;
  if (!rest) return said(field.label);
  const other = metas?.get(field.targets?.[0] ?? "");
  const inner = other?.fields.get(rest);
  return inner && other && rest !== other.titleField ? `${said(field.label)} · ${said(inner.label)}` : said(field.label);
}

export function levelOf(meta: Meta, field: string): Level {
  return meta.view.access[field]?.level ?? "none";
}

export function canSee(meta: Meta, field: string): boolean {
  return levelOf(meta, field) !== "none";
}

/** Whether people may set it: the server sets some fields itself. */
export function canSet(meta: Meta, field: FieldDef): boolean {
  return levelOf(meta, field.name) === "edit" && !field.read_only && !["file", "json"].includes(field.type);
}

export function isSealed(field: FieldDef): boolean {
  return (field.sealing ?? "plain") !== "plain";
}

/** Whether a list can be sorted by it, and if not, why. */
export function sortBlock(field: FieldDef | undefined, path: string): "sealed" | "related" | "kind" | null {
  if (!field || path.includes(".")) return "related";
  if (isSealed(field)) return "sealed";
  return ["long_text", "rich_text", "json", "file", "address", "multi_enum", "reference"].includes(field.type) ? "kind" : null;
}

/** The field that says how far a record has come. */
export function stageField(meta: Meta): FieldDef | undefined {
  for (const name of ["stage", "status"]) {
    const field = meta.fields.get(name);
    if (field?.type === "enum" && canSee(meta, name)) return field;
  }
  return undefined;
}

/** For each visible reference to one object: the path of the other's title. Asked for together with the record. */
export function titlePaths(meta: Meta, metas: Metas, names: Iterable<string>): string[] {
  const paths: string[] = [];
  for (const name of names) {
    const field = meta.fields.get(name);
    const target = field?.type === "reference" && field.targets?.length === 1 ? metas.get(field.targets[0] ?? "") : undefined;
    if (target?.may.read && canSee(meta, name)) paths.push(`${name}.${target.titleField}`);
  }
  return paths;
}

export function optionLabel(field: FieldDef, code: string): string {
  const option = field.options?.find((one) => one.code === code);
  return option ? said(option.label) : code;
}

/** What a record is called; its number when its name may not be seen. */
export function titleOf(meta: Meta | undefined, record: RecordView): string {
  if (!meta) return record.id;
  const name = record.fields[meta.titleField];
  if (typeof name === "string" && name) return name;
  const masked = record.reduced?.[meta.titleField];
  if (typeof masked === "string") return masked;
  const human = record.fields["number"];
  return typeof human === "string" ? human : record.id.slice(0, 8);
}

/** What a polymorphic or plain reference points to. */
export function referenceOf(field: FieldDef, value: Json | undefined): { object: string; id: string } | null {
  if (typeof value === "string") return { object: field.targets?.[0] ?? "", id: value };
  if (value && typeof value === "object" && !Array.isArray(value) && typeof value["id"] === "string") {
    return { object: String(value["object"] ?? ""), id: value["id"] };
  }
  return null;
}
