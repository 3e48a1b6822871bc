// @vitest-environment node
// Rules of the interface as tests: types fit the API description, words are complete and used, files are small and say what
// they are for, colours come from the tokens and contrast enough.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generate } from "../scripts/types.mjs";

const here = join(__dirname, "..");
const read = (path: string) => readFileSync(join(here, path), "utf8");
const files = (readdirSync(join(here, "app"), { recursive: true }) as string[]).filter((name) => /\.(tsx?|css)$/.test(name));
const source = files.filter((name) => /\.tsx?$/.test(name) && !name.endsWith(".gen.ts")).map((name) => read(`app/${name}`)).join("\n");

test("the types are those of the API description (npm run types)", () => {
  expect(read("app/api/types.gen.ts") === generate(read("../api/snapshots/openapi.json"))).toBe(true);
});

const words = { en: JSON.parse(read("app/i18n/en.json")) as Record<string, string>, zh: JSON.parse(read("app/i18n/zh.json")) as Record<string, string> };

test("both languages have the same words with the same places", () => {
  expect(Object.keys(words.zh).sort()).toEqual(Object.keys(words.en).sort());
  const places = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort();
  for (const [key, text] of Object.entries(words.en)) {
    expect(places(words.zh[key] ?? ""), key).toEqual(places(text));
    expect(text.trim().length && words.zh[key]?.trim().length, key).toBeTruthy();
  }
});

/** Keys stand in the source as texts, or begin one that is put together: `density.${name}`. */
test("no word is unused", () => {
  const begun = [...source.matchAll(/[`"]([a-z]\w*(?:\.\w+)*\.)(?:\$\{)/g)].map((match) => match[1] ?? "");
  const unused = Object.keys(words.en).filter((key) => {
    const base = key.replace(/_(one|other)$/, "");
    return !source.includes(`"${base}"`) && !begun.some((start) => base.startsWith(start));
  });
  expect(unused).toEqual([]);
});

test("files are small and say what they are for", () => {
  for (const name of files) {
    const text = read(`app/${name}`);
    // What a script writes is as long as the description it is written from.
    if (name.endsWith(".gen.ts")) continue;
    expect(text.split("\n").length, name).toBeLessThanOrEqual(501);
    expect(/^(\/\/ |\/\* )/.test(text), `${name} has no header`).toBe(true);
  }
});

test("colours are named in the tokens only", () => {
  for (const name of files.filter((one) => one !== "tokens.css")) {
    const hits = read(`app/${name}`).match(/#[0-9a-f]{6}\b|#[0-9a-f]{3}\b(?!\w)|\brgba?\(/gi) ?? [];
    expect(hits, name).toEqual([]);
  }
});

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
}

function contrast(one: string, other: string): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

test("text and controls contrast enough in every theme", () => {
  for (const theme of ["light", "dark", "contrast"]) {
    const block = read("app/tokens.css").split(`[data-theme="${theme}"]`)[1]?.split("}")[0] ?? "";
    const token = (name: string) => new RegExp(`--${name}: (#[0-9a-f]{6})`).exec(block)?.[1] ?? "";
    const papers = ["ground", "sheet", "raised", "tint", "wash"];
    for (const paper of papers) {
      for (const text of ["ink", "soft", "faint", "brass", "brick", "green", "amber"]) {
        expect(contrast(token(text), token(paper)), `${theme}: ${text} on ${paper}`).toBeGreaterThanOrEqual(4.5);
      }
      expect(contrast(token("edge"), token(paper)), `${theme}: edge on ${paper}`).toBeGreaterThanOrEqual(2.99);
    }
    for (const name of ["brick", "green", "amber"]) {
      expect(contrast(token(name), token(`${name}-wash`)), `${theme}: ${name} on its wash`).toBeGreaterThanOrEqual(4.5);
      expect(contrast(token("ink"), token(`${name}-wash`)), `${theme}: ink on ${name} wash`).toBeGreaterThanOrEqual(4.5);
    }
    expect(contrast(token("on-ink"), token("ink")), `${theme}: on ink`).toBeGreaterThanOrEqual(4.5);
  }
});
