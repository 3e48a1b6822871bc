// Layouts: what the server sends becomes pages, and what administrators do to it never loses a field.

import { expect, test } from "vitest";
import type { Layout } from "~/api/types.gen";
import { addPart, arrangementOf, dropPart, layoutFrom, movePart, namePart, place, step, type Arrangement } from "~/model/arrange";

const label = (text: string) => ({ en: text, zh: text });
const layout: Layout = { version: 3, arranged: true, highlights: ["a"], create: ["a", "b"], sections: [{ label: label("One"), fields: ["a", "b"] }, { label: label("Two"), fields: ["c"] }], hidden: ["z"] };
const start = arrangementOf(layout);
const names = (now: Arrangement) => now.parts.map((part) => part.fields.join(""));

test("what was not touched is sent as it came", () => {
  const { version, arranged, ...rest } = layout;
  expect(layoutFrom(start)).toEqual(rest);
  expect([version, arranged]).toEqual([3, true]);
});

test("a field moves within a section, into the next, and out of the page", () => {
  const down = step(start, "a", "s0", 1);
  expect(down && names(down.next)).toEqual(["ba", "c"]);
  const over = step(start, "b", "s0", 1);
  expect(over && [names(over.next), over.zone]).toEqual([["a", "bc"], "s1"]);
  const out = step(start, "c", "s1", 1);
  expect(out && [out.next.hidden, out.zone]).toEqual([["c", "z"], "hidden"]);
  expect(step(start, "a", "s0", -1)).toBeNull();
  expect(step(start, "a", "highlights", 1)).toBeNull();
});

test("dropping places a field where it was let go, and the head only names it again", () => {
  expect(names(place(start, "c", "s1", "s0", 1))).toEqual(["acb", ""]);
  expect(names(place(start, "a", "s0", "s0", 2))).toEqual(["ba", "c"]);
  const named = place(start, "c", "s1", "highlights", 0);
  expect([named.highlights, names(named)]).toEqual([["c", "a"], ["ab", "c"]]);
  expect(place(named, "c", "s1", "highlights", 2).highlights).toEqual(["a", "c"]);
  const unnamed = place(start, "a", "highlights", "s1", 0);
  expect([unnamed.highlights, names(unnamed)]).toEqual([[], ["ab", "c"]]);
});

test("sections come, go and change places without losing a field", () => {
  const { next, key } = addPart(start, label("Three"));
  expect([key, next.parts.length]).toEqual(["s2", 3]);
  expect(names(dropPart(start, "s0"))).toEqual(["cab"]);
  expect(names(dropPart(start, "s1"))).toEqual(["abc"]);
  const only = dropPart(start, "s1");
  expect(dropPart(only, "s0")).toBe(only);
  expect(names(movePart(start, "s1", 0))).toEqual(["c", "ab"]);
  expect(movePart(start, "s1", 2)).toBe(start);
  expect(namePart(start, "s1", label("Zwei")).parts[1]?.label.en).toBe("Zwei");
});
