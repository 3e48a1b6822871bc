// The mapping of an import as the wizard changes it, and what is worth asking about duplicates.

import { expect, test } from "vitest";
import type { Import, ImportReport, ObjectView } from "~/api/types.gen";
import { isStrong, telling } from "~/form/duplicates";
import { blockOf, partOf, stepOf } from "~/import/data";
import { adopt, assign, columnIndex, columnRef, formatExample, isIgnored, keyFields, leaveOut, missingFields, numberStyle, parseMapping, pathsOf, setRule, targetsOf, textsOf, tidy, unknownTexts, withStreets, type MappingFile } from "~/import/mapping";
import { metaOf, type Metas } from "~/model/meta";

const option = (code: string, en: string, zh: string) => ({ code, label: { en, zh } });
const field = (name: string, type: string, more: object = {}) => ({ name, label: { en: name, zh: name }, type, sensitivity: "S1", ...more });
const fields = [
  field("name", "text", { required: true }),
  field("kind", "enum", { required: true, default: "company", options: [option("company", "Company", "公司")] }),
  field("stage", "enum", { required: true, options: [option("open", "Open", "进行中"), option("won", "Won", "赢单")] }),
  field("phone", "phone", { sealing: "exact" }),
  field("code", "text", { unique: true }),
  field("address", "address", { sealing: "sealed" }),
  field("parent", "reference", { targets: ["account"] }),
  field("number", "text", { read_only: true }),
];
const view = {
  definition: { name: "account", label: { en: "Account", zh: "客户" }, plural: { en: "Accounts", zh: "客户" }, title_field: "name", fields },
  verbs: { read: true, create: true },
  access: Object.fromEntries(fields.map((one) => [one.name, { level: "edit", filterable: true }])),
  relations: {},
  attachments: "none",
} as unknown as ObjectView;
const meta = metaOf(view);
const metas: Metas = new Map([["account", meta]]);
const empty: MappingFile = { kontor_mapping: 1, object: "account", fields: {} };
const columns = ["First", "Last", "Stage", "", "Stage"];

test("columns are named by header, or by number where that says too little", () => {
  expect(columns.map((_, index) => columnRef(columns, index))).toEqual(["First", "Last", "Stage", "#4", "#5"]);
  expect(columns.map((_, index) => columnIndex(columns, columnRef(columns, index)))).toEqual([0, 1, 2, 3, 4]);
  expect([columnIndex(columns, "#6"), columnIndex(columns, "None")]).toEqual([-1, -1]);
});

test("texts of two columns are joined, everything else moves", () => {
  const one = assign(empty, columns, 0, "name", meta, metas);
  expect(one.fields["name"]).toEqual({ column: "First" });
  const two = assign(one, columns, 1, "name", meta, metas);
  expect(two.fields["name"]).toEqual({ columns: ["First", "Last"] });
  expect([pathsOf(two, columns, 0), pathsOf(two, columns, 1)]).toEqual([["name"], ["name"]]);
  const apart = assign(two, columns, 1, "code", meta, metas);
  expect([apart.fields["name"], apart.fields["code"]]).toEqual([{ column: "First" }, { column: "Last" }]);
  const moved = assign(assign(empty, columns, 2, "stage", meta, metas), columns, 4, "stage", meta, metas);
  expect(moved.fields["stage"]).toEqual({ column: "#5" });
  expect(assign(empty, columns, 3, "parent", meta, metas).fields["parent"]).toEqual({ column: "#4", reference: { by: "name" } });
});

test("what is left out is said, and a key without its column is none", () => {
  const keyed = { ...assign(empty, columns, 0, "name", meta, metas), match: ["name"] };
  const out = leaveOut(keyed, columns, 0, true);
  expect([out.fields, out.match, isIgnored(out, columns, 0)]).toEqual([{}, undefined, true]);
  const back = assign(out, columns, 0, "name", meta, metas);
  expect([back.fields["name"], isIgnored(back, columns, 0)]).toEqual([{ column: "First" }, false]);
  expect(setRule(keyed, "name", null).match).toBe(undefined);
});

test("an address is mapped by its parts, a whole one by its street", () => {
  expect(targetsOf(meta).map((target) => target.path)).toContain("address.city");
  expect(targetsOf(meta).map((target) => target.path)).not.toContain("number");
  expect(withStreets({ ...empty, fields: { address: { column: "First" } } }, meta).fields).toEqual({ "address.street": { column: "First" } });
});

test("required fields and keys are told apart from the rest", () => {
  expect(missingFields(meta, empty).map((one) => one.name)).toEqual(["name", "stage"]);
  const mapping = { ...empty, fields: { name: { column: "First" }, phone: { column: "Last" }, code: { constant: "x" } } };
  expect(keyFields(meta, mapping).map((one) => one.name)).toEqual(["name"]);
});

test("words that name no option are found without regard to case, width and language", () => {
  const stage = meta.fields.get("stage");
  const texts = textsOf([["Open"], ["ＷＯＮ "], ["赢单"], ["gewonnen"], ["gewonnen"], [""]], 0);
  expect(texts[0]).toBe("gewonnen");
  expect(stage && unknownTexts(stage, { column: "Stage" }, texts)).toEqual(["gewonnen"]);
  expect(stage && unknownTexts(stage, { column: "Stage", values: { Gewonnen: "won" } }, texts)).toEqual([]);
  expect(stage && unknownTexts(stage, { column: "Stage", values_default: "open" }, texts)).toEqual([]);
});

test("rules say only what they mean", () => {
  expect(tidy({ column: "a", format: "", values: {}, thousands: "", transform: [], reference: { by: "name", create_missing: {} } })).toEqual({ column: "a", thousands: "", reference: { by: "name", create_missing: {} } });
  expect([formatExample("%d.%m.%Y"), formatExample("%Y年%m月%d日")]).toEqual(["31.12.2026", "2026年12月31日"]);
  expect([numberStyle(",", "."), numberStyle(".", ","), numberStyle("/", "")]).toEqual(["comma", "point", "point"]);
});

test("a kept mapping is taken where it fits", () => {
  for (const text of ["", "[]", "null", '{"kontor_mapping":2,"object":"account","fields":{}}', '{"kontor_mapping":1,"fields":{}}']) expect(parseMapping(text), text).toBe(null);
  const found = parseMapping('\ufeff{"kontor_mapping":1,"object":"account","encoding":"big5","match":["code","name"],"external_id":{"system":"erp","column":"Nr"},"fields":{"name":{"columns":["First","Gone"]},"code":{"column":"Gone"},"stage":{"constant":"open"}}}');
  expect(found).not.toBe(null);
  if (!found) return;
  const { mapping, lost } = adopt(found, columns);
  expect(mapping.fields).toEqual({ name: { column: "First" }, stage: { constant: "open" } });
  expect([mapping.match, mapping.external_id, mapping.encoding, lost.sort()]).toEqual([["name"], undefined, undefined, ["Gone", "Nr"]]);
});

const report = { bytes_read: 30, bytes_total: 120 } as ImportReport;
const one = (state: Import["state"], more: object = {}) => ({ state, object: "account", mapping: { ...empty, fields: { name: { column: "First" } } }, sample: { columns, rows: [] }, can_run: true, progress: report, ...more }) as unknown as Import;

test("a step that cannot be gone to says why, and whoever comes back goes on", () => {
  expect(stepOf(one("new"), undefined)).toBe("file");
  expect(stepOf(one("new"), "mapping")).toBe("mapping");
  expect(stepOf(one("checked"), undefined)).toBe("try");
  expect(stepOf(one("checking"), "file")).toBe("try");
  expect(stepOf(one("paused"), "mapping")).toBe("run");
  expect(stepOf(one("new", { sample: undefined }), "rules")).toBe("file");
  expect(blockOf(one("new", { can_run: false }), "try")).toBe("unmapped");
  expect(blockOf(one("done"), "mapping")).toBe("begun");
  expect(blockOf(one("checking"), "mapping")).toBe("busy");
  expect(partOf(report)).toBe(0.25);
});

test("only telling values are asked about, and a name alone is no proof", () => {
  expect(telling(meta, { name: "Hanse Trading", phone: "+49 45", code: "A-1", stage: "open", number: "X-1234" })).toEqual({ name: "Hanse Trading" });
  const tasks = metaOf({ ...view, definition: { ...view.definition, fields: view.definition.fields.filter((one) => one.name === "name" || one.name === "stage") } } as ObjectView);
  expect(telling(tasks, { name: "Call back" })).toEqual({});
  expect(telling(meta, { name: "汉萨", phone: "+49 451 1234567" })).toEqual({ name: "汉萨", phone: "+49 451 1234567" });
  const found = (title: string, why: string[], others = false) => ({ items: [{ id: "1", title, why }], others, compared: [] });
  expect(isStrong(meta, found("Hanse Trading KG", ["name"]), { name: "Hanse Trading" })).toBe(false);
  expect(isStrong(meta, found("HANSE trading", ["name"]), { name: "Hanse Trading" })).toBe(true);
  expect(isStrong(meta, found("Elbe", ["phone"]), { name: "Hanse" })).toBe(true);
  expect(isStrong(meta, { items: [], others: true, compared: [] }, {})).toBe(true);
});
