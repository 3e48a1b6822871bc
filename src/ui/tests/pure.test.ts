// What needs no browser: filters, formats, addresses, matches, drafts.

import { beforeAll, expect, test } from "vitest";
import { address } from "~/api/client";
import { Refusal } from "~/api/problem";
import type { FieldDef, ObjectView, RecordView } from "~/api/types.gen";
import { speak, startWords } from "~/i18n";
import * as format from "~/i18n/format";
import { count, flat, isComplete, leafOf, operators, parseFilter, pruned, shownOp } from "~/model/filter";
import { calendarOf, datesOf } from "~/calendar/model";
import { draftOf, keepDraft } from "~/model/drafts";
import { metaOf, sortBlock, titlePaths } from "~/model/meta";
import { matchOf } from "~/shell/finder";
import { fits } from "~/shell/Palette";
import { FAVOURITES_MAX, getPrefs, keepFavourite, setPrefs } from "~/model/prefs";
import { joined } from "~/model/prefsSync";

beforeAll(() => startWords("en"));

const field = (name: string, more: Partial<FieldDef> = {}): FieldDef => ({ name, label: { en: name, zh: name }, type: "text", sensitivity: "S1", ...more });
const view: ObjectView = {
  definition: {
    name: "account",
    label: { en: "Account", zh: "客户" },
    title_field: "name",
    fields: [field("name", { searchable: true }), field("legal_name", { searchable: true }), field("phone", { type: "phone", sealing: "exact" }), field("id_no", { sensitivity: "S3" }), field("owner", { type: "reference", targets: ["user"] }), field("about", { type: "reference", targets: ["user", "account"] })],
  } as ObjectView["definition"],
  verbs: { read: true },
  relations: {},
  attachments: "none",
  layout: { version: 0, arranged: false, highlights: [], create: [], sections: [], hidden: [] },
  access: Object.fromEntries(["name", "legal_name", "phone", "id_no", "owner", "about"].map((name) => [name, { level: "edit" as const, filterable: true }])),
};
const meta = metaOf(view);
const user = metaOf({ ...view, definition: { ...view.definition, name: "user", title_field: "display_name" } });

test("addresses escape every part", () => {
  expect(address("/api/v1/records/{object}/{id}", { object: "a/b", id: "ü?" }, { q: "x&y", none: undefined, empty: "" })).toBe("/api/v1/records/a%2Fb/%C3%BC%3F?q=x%26y");
});

test("a refusal finds the error of a field, also inside it", () => {
  const refusal = new Refusal({ status: 422, code: "validation_failed", errors: [{ pointer: "/address/city", code: "value_type", detail: "No." }] });
  expect(refusal.of("address")?.code).toBe("value_type");
  expect(refusal.of("addr")).toBeUndefined();
});

test("filters are read with care and lose their empty branches", () => {
  expect(parseFilter('{"a":1}')).toBeNull();
  expect(parseFilter("nonsense")).toBeNull();
  const leaf = { field: "name", op: "eq", value: "x" };
  expect(pruned({ and: [{ or: [] }, leaf] })).toEqual({ and: [leaf] });
  expect(pruned({ and: [{ or: [] }] })).toBeNull();
  expect(flat({ and: [leaf, leaf] })).toHaveLength(2);
  expect(flat({ or: [leaf] })).toBeNull();
  expect(count({ or: [leaf, { and: [leaf, leaf] }] })).toBe(3);
});

test("conditions go to the server as it knows them", () => {
  expect(leafOf("due", "relative", "last_7_days")).toEqual({ field: "due", op: "last_7_days" });
  expect(leafOf("due", "filled", undefined)).toEqual({ field: "due", op: "empty", value: false });
  expect(shownOp({ field: "due", op: "next_week" })).toBe("relative");
  expect(shownOp({ field: "due", op: "empty", value: false })).toBe("filled");
  expect(isComplete("between", [1, null])).toBe(false);
  expect(isComplete("in", [])).toBe(false);
  expect(isComplete("empty", undefined)).toBe(true);
  expect(operators(field("p", { type: "phone", sealing: "exact" }))).toEqual(["eq", "empty", "filled"]);
});

test("what cannot be sorted says why", () => {
  expect(sortBlock(meta.fields.get("phone"), "phone")).toBe("sealed");
  expect(sortBlock(meta.fields.get("owner"), "owner.display_name")).toBe("related");
  expect(sortBlock(meta.fields.get("name"), "name")).toBeNull();
});

test("names of single references are asked for with the record", () => {
  expect(titlePaths(meta, new Map([["user", user]]), ["owner", "about", "name"])).toEqual(["owner.display_name"]);
});

test("a hit says which field matched, and nothing when none can be seen", () => {
  const record: RecordView = { id: "1", object: "account", version: 1, fields: { name: "Hanse", legal_name: "Hanse Shipping Ltd" } };
  expect(matchOf(meta, record, "han")?.field).toBe("name");
  expect(matchOf(meta, record, "shipping")?.field).toBe("legal_name");
  expect(matchOf(meta, record, "+49451")).toBeNull();
});

test("the palette takes words in any order", () => {
  expect(fits("New: Account", "acc new")).toBe(true);
  expect(fits("New: Account", "acd")).toBe(false);
});

test("drafts leave out what is sealed or sensitive", () => {
  keepDraft("t", meta, { name: "a", phone: "+49", id_no: "1" });
  expect(draftOf("t")).toEqual({ name: "a" });
});

test("values are written as people of a language write them", async () => {
  expect(format.date("2026-01-31")).toBe("31 Jan 2026");
  expect(format.money({ amount: "12.30", currency: "EUR" })).toBe("€12.30");
  expect(format.money({ amount: "9007199254740993.00", currency: "EUR" })).toBe("€9,007,199,254,740,993");
  expect(format.phone("+8618600002942")).toBe("186 0000 2942");
  expect(format.phone("+862150005002")).toBe("021 5000 5002");
  expect(format.phone("+8657150004706")).toBe("0571 5000 4706");
  expect(format.phone("+494511234567")).toBe("+49 451 123 4567");
  expect(format.duration(3661)).toBe("1:01:01");
  await speak("zh");
  expect(format.date("2026-01-31")).toBe("2026-01-31");
  expect(format.short(1_200_000)).toBe("120万");
  expect(format.short(120_000_000, "CNY")).toContain("1.2亿");
  await speak("en");
});

test("settings of another browser come along and lose nothing that was set here", () => {
  const here = { ...getPrefs(), density: "compact" as const, recents: [{ object: "lead", id: "b", at: 2 }], favourites: [] };
  const there = { density: "comfortable" as const, currency: "EUR", recents: [{ object: "lead", id: "a", at: 3 }, { object: "lead", id: "b", at: 1 }], favourites: [{ kind: "record" as const, object: "lead", id: "a" }] };
  const both = joined(there, here, ["density"]);
  expect(both.density).toBe("compact");
  expect(both.currency).toBe("EUR");
  expect(both.favourites).toEqual(there.favourites);
  expect(both.recents?.map((one) => `${one.id}${one.at}`)).toEqual(["a3", "b2"]);
  expect(joined(there, here, []).density).toBe("comfortable");
});

test("a favourite is kept once, let go, and refused when there is no room", () => {
  setPrefs({ favourites: [] });
  const one = { kind: "record" as const, object: "lead", id: "1" };
  expect(keepFavourite(one)).toBe("kept");
  expect(getPrefs().favourites).toEqual([one]);
  expect(keepFavourite(one)).toBe("gone");
  setPrefs({ favourites: Array.from({ length: FAVOURITES_MAX }, (_, at) => ({ ...one, id: `x${at}` })) });
  expect(keepFavourite(one)).toBe("full");
  expect(getPrefs().favourites.length).toBe(FAVOURITES_MAX);
});

test("a calendar shows the usual date, the one that is asked for, and never one that it may not", () => {
  const dated = (names: string[], type: "date" | "timestamp" = "date") => metaOf({ ...view, definition: { ...view.definition, fields: names.map((name) => field(name, { type })) } as ObjectView["definition"], access: Object.fromEntries(names.map((name) => [name, { level: "edit" as const, filterable: name !== "hidden" }])) });
  const deal = dated(["created_at", "x_review", "expected_close", "hidden"]);
  expect(datesOf(deal)).toEqual(["expected_close", "x_review"]);
  expect(calendarOf(deal)).toEqual({ start: "expected_close", end: null, due: null });
  expect(calendarOf(deal, "x_review")?.start).toBe("x_review");
  expect(calendarOf(deal, "hidden")?.start).toBe("expected_close");
  const work = dated(["start", "end", "due"], "timestamp");
  expect(calendarOf(work)).toEqual({ start: "start", end: "end", due: "due" });
  expect(calendarOf(work, "due")).toEqual({ start: "due", end: null, due: null });
  expect(calendarOf(dated(["created_at"]))).toBe(null);
});
