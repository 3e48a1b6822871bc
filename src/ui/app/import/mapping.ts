// The mapping of an import as the wizard changes it: which column goes to which field, and how its texts are read. The same
// format as the mapping file of the command line. Pure; what does not fit is the server's to say.

import { limits, type FieldDef, type Json, type Mapping } from "~/api/types.gen";
import { canSet, isSealed, said, type Meta, type Metas } from "~/model/meta";

export type Rule = {
  column?: string;
  columns?: string[];
  join?: string;
  constant?: string | number | boolean;
  values?: { [text: string]: string };
  values_default?: string;
  transform?: string[];
  format?: string;
  decimal?: string;
  thousands?: string;
  scale?: number;
  currency?: string;
  currency_column?: string;
  separator?: string;
  reference?: { by: string; system?: string; object?: string; create_missing?: { [field: string]: Json } };
  when_empty?: "skip" | "clear" | "reject";
};

export type Defaults = { date_formats: string[]; decimal: string; thousands: string; null_values: string[]; trim: boolean; currency?: string; utc_offset?: string };
export type ExternalId = { system: string; column?: string; columns?: string[] };
export type MappingFile = Omit<Mapping, "fields"> & { fields: { [field: string]: Rule }; defaults?: Defaults; external_id?: ExternalId; links?: Json[]; related?: Json[] };

/** The server's form; the wizard only knows more of its members by name. */
export const mappingOf = (mapping: Mapping): MappingFile => mapping as MappingFile;
export const wireOf = (mapping: MappingFile): Mapping => mapping as Mapping;

export const ADDRESS_PARTS = ["country", "province", "city", "district", "street", "postcode"] as const;

/** A field, or a part of an address, that a column can go to. */
export type Target = { path: string; field: FieldDef; part: (typeof ADDRESS_PARTS)[number] | null };

export function targetsOf(meta: Meta): Target[] {
  return [...meta.fields.values()]
    .filter((field) => canSet(meta, field))
    .flatMap((field): Target[] => (field.type === "address" ? ADDRESS_PARTS.map((part) => ({ path: `${field.name}.${part}`, field, part })) : [{ path: field.name, field, part: null }]));
}

/** The field of a path; a whole address is its street. */
export function fieldAtPath(meta: Meta, path: string): FieldDef | undefined {
  return meta.fields.get(path.split(".")[0] ?? "");
}

/** A rule for a whole address is one for its street; here it stands where people look for it. */
export function withStreets(mapping: MappingFile, meta: Meta): MappingFile {
  const whole = (path: string) => !path.includes(".") && meta.fields.get(path)?.type === "address";
  if (!Object.keys(mapping.fields).some(whole)) return mapping;
  return { ...mapping, fields: Object.fromEntries(Object.entries(mapping.fields).map(([path, rule]) => [whole(path) ? `${path}.street` : path, rule])) };
}

/** How a mapping names a column: by its header, or by number where it has none or shares it with an earlier one. */
export function columnRef(columns: string[], index: number): string {
  const name = columns[index] ?? "";
  return name !== "" && columns.indexOf(name) === index ? name : `#${index + 1}`;
}

export function columnIndex(columns: string[], ref: string): number {
  const at = columns.indexOf(ref);
  if (at >= 0) return at;
  const number = /^#(\d+)$/.exec(ref)?.[1];
  return number && Number(number) <= columns.length ? Number(number) - 1 : -1;
}

export const columnsOf = (rule: Rule): string[] => (rule.column !== undefined ? [rule.column] : (rule.columns ?? []));

/** Paths that a column goes to, in the order of the mapping. */
export function pathsOf(mapping: MappingFile, columns: string[], index: number): string[] {
  return Object.entries(mapping.fields).flatMap(([path, rule]) => (columnsOf(rule).some((ref) => columnIndex(columns, ref) === index) ? [path] : []));
}

export function isIgnored(mapping: MappingFile, columns: string[], index: number): boolean {
  return (mapping.ignore_columns ?? []).some((ref) => columnIndex(columns, ref) === index);
}

/** Whether texts of two columns can stand in one field. */
export const canJoin = (field: FieldDef): boolean => ["text", "long_text", "rich_text", "address"].includes(field.type);

function withoutColumn(mapping: MappingFile, columns: string[], index: number): MappingFile {
  const fields: { [path: string]: Rule } = {};
  for (const [path, rule] of Object.entries(mapping.fields)) {
    const from = columnsOf(rule);
    const left = from.filter((ref) => columnIndex(columns, ref) !== index);
    if (left.length === from.length) fields[path] = rule;
    else if (left.length > 0) fields[path] = joined(rule, left);
  }
  const ignored = (mapping.ignore_columns ?? []).filter((ref) => columnIndex(columns, ref) !== index);
  return kept({ ...mapping, fields, ignore_columns: ignored });
}

/** The same without these members. */
export function without<T extends object, K extends keyof T>(from: T, ...names: K[]): Omit<T, K> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => !(names as PropertyKey[]).includes(name))) as Omit<T, K>;
}

/** A rule that takes these columns: one is named as one. */
function joined(rule: Rule, refs: string[]): Rule {
  const rest = without(rule, "column", "columns", "join");
  const [first] = refs;
  if (refs.length === 1 && first !== undefined) return { ...rest, column: first };
  return { ...rest, columns: refs, ...(rule.join === undefined ? {} : { join: rule.join }) };
}

/** Fields by which existing records are found must have a rule; those that lost theirs go. */
function kept(mapping: MappingFile): MappingFile {
  const { match, ...rest } = mapping;
  const left = (match ?? []).filter((name) => name in mapping.fields);
  return left.length > 0 ? { ...rest, match: left } : rest;
}

/** Sends a column to a field. A field of text that has a column already gets both; any other moves. */
export function assign(mapping: MappingFile, columns: string[], index: number, path: string, meta: Meta, metas: Metas): MappingFile {
  const bare = withoutColumn(mapping, columns, index);
  const field = fieldAtPath(meta, path);
  if (!field) return bare;
  const ref = columnRef(columns, index);
  const before = bare.fields[path];
  const refs = before && canJoin(field) && before.constant === undefined ? [...columnsOf(before), ref] : [ref];
  const rule = before && before.constant === undefined ? joined(before, refs) : firstRule(field, ref, metas);
  return kept({ ...bare, fields: { ...bare.fields, [path]: rule } });
}

/** People name other records by their title. */
function firstRule(field: FieldDef, column: string, metas: Metas): Rule {
  return field.type === "reference" ? { column, reference: { by: metas.get(field.targets?.[0] ?? "")?.titleField ?? "name" } } : { column };
}

export function leaveOut(mapping: MappingFile, columns: string[], index: number, said: boolean): MappingFile {
  const bare = withoutColumn(mapping, columns, index);
  return said ? { ...bare, ignore_columns: [...(bare.ignore_columns ?? []), columnRef(columns, index)] } : bare;
}

export function setRule(mapping: MappingFile, path: string, rule: Rule | null): MappingFile {
  return kept({ ...mapping, fields: rule ? { ...mapping.fields, [path]: rule } : without(mapping.fields, path) });
}

/** Leaves members out that say nothing. */
export function tidy(rule: Rule): Rule {
  return Object.fromEntries(Object.entries(rule).filter(([name, value]) => value !== undefined && (value !== "" || name === "thousands" || name === "join") && !(Array.isArray(value) && value.length === 0) && !(name === "values" && Object.keys(value).length === 0))) as Rule;
}

/** Text without case, width and blanks around it, as the server compares. */
const folded = (text: string): string => text.normalize("NFKC").trim().toLowerCase();

/** Different texts of a column in the sample, the most frequent first. */
export function textsOf(rows: string[][], index: number): string[] {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const text = (row[index] ?? "").trim();
    if (text) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([text]) => text);
}

/** Texts that name no option of the field, neither by code nor by label, and are not in the value map. */
export function unknownTexts(field: FieldDef, rule: Rule, texts: string[]): string[] {
  if (field.type !== "enum" || rule.values_default !== undefined) return [];
  const known = new Set((field.options ?? []).flatMap((option) => [option.code, option.label.en, option.label.zh].map(folded)));
  for (const text of Object.keys(rule.values ?? {})) known.add(folded(text));
  return texts.filter((text) => !known.has(folded(text)));
}

/** Required fields without a rule and without a default. */
export function missingFields(meta: Meta, mapping: MappingFile): FieldDef[] {
  const paths = Object.keys(mapping.fields).map((path) => path.split(".")[0]);
  return [...meta.fields.values()].filter((field) => field.required && field.default === undefined && canSet(meta, field) && !paths.includes(field.name));
}

/** Fields of the mapping that existing records can be found by: a sealed one cannot be looked up. */
export function keyFields(meta: Meta, mapping: MappingFile): FieldDef[] {
  return Object.keys(mapping.fields).flatMap((path) => {
    const field = meta.fields.get(path);
    return field && !isSealed(field) && ["text", "email", "phone", "url"].includes(field.type) && mapping.fields[path]?.constant === undefined ? [field] : [];
  });
}

export const kindsOf = (meta: Meta, mapping: MappingFile): Set<string> => new Set(Object.keys(mapping.fields).flatMap((path) => fieldAtPath(meta, path)?.type ?? []));

export const FIRST_DEFAULTS: Defaults = { date_formats: [], decimal: ".", thousands: ",", null_values: [""], trim: true };

/** How people write dates, as the server reads them. */
export const DATE_FORMATS = ["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d", "%d-%b-%Y"] as const;

/** A format shown with a day that cannot be mistaken. */
export function formatExample(format: string): string {
  const parts: { [sign: string]: string } = { Y: "2026", m: "12", d: "31", b: "Dec", H: "16", M: "45", S: "00", y: "26" };
  return format.replace(/%([A-Za-z])/g, (whole, sign: string) => parts[sign] ?? whole);
}

/** Decimal mark and mark between groups of digits, as one choice. */
export const NUMBER_STYLES = [
  { id: "point", decimal: ".", thousands: ",", example: "1,234.56" },
  { id: "comma", decimal: ",", thousands: ".", example: "1.234,56" },
  { id: "blank", decimal: ",", thousands: " ", example: "1 234,56" },
  { id: "bare", decimal: ".", thousands: "", example: "1234.56" },
] as const;

export function numberStyle(decimal: string, thousands: string): string {
  return NUMBER_STYLES.find((one) => one.decimal === decimal && one.thousands === thousands)?.id ?? "point";
}

/** A mapping out of a file that somebody kept. `null` when it is none, or of another version. */
export function parseMapping(text: string): MappingFile | null {
  if (text.length > limits.IMPORT_MAPPING_BYTES_MAX) return null;
  try {
    const found = JSON.parse(text.replace(/^\ufeff/, "")) as Partial<MappingFile> | null;
    const fits = found !== null && typeof found === "object" && found.kontor_mapping === 1 && typeof found.object === "string" && typeof found.fields === "object" && found.fields !== null;
    return fits ? (found as MappingFile) : null;
  } catch {
    return null;
  }
}

/** A kept mapping on this file: columns that the file does not have are left out of it, and named. */
export function adopt(found: MappingFile, columns: string[]): { mapping: MappingFile; lost: string[] } {
  const lost = new Set<string>();
  const has = (ref: string) => columnIndex(columns, ref) >= 0 || (lost.add(ref), false);
  const fields: { [path: string]: Rule } = {};
  for (const [path, rule] of Object.entries(found.fields)) {
    const left = columnsOf(rule).filter(has);
    if (rule.constant !== undefined) fields[path] = rule;
    else if (left.length > 0) fields[path] = joined(rule, left);
  }
  const id = found.external_id;
  const rest = without(found, "external_id", "encoding", "delimiter", "header", "header_line");
  const refs = id ? (id.column !== undefined ? [id.column] : (id.columns ?? [])) : [];
  const whole = id !== undefined && id !== null && refs.length > 0 && refs.filter(has).length === refs.length;
  const ignored = (found.ignore_columns ?? []).filter((ref) => columnIndex(columns, ref) >= 0);
  return { mapping: kept({ ...rest, ...(whole ? { external_id: id } : {}), ignore_columns: ignored, fields }), lost: [...lost] };
}

export function targetLabel(target: Target, part: (name: string) => string): string {
  return target.part ? `${said(target.field.label)} · ${part(target.part)}` : said(target.field.label);
}
