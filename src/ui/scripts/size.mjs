// Says how large what a first visit loads is, compressed, and fails above the budget of docs/DESIGN.md's product: 300 kB.

import { gzipSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const BUDGET_BYTES = 300_000;
const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const manifest = JSON.parse(readFileSync(`${dist}manifest.json`, "utf8"));

/** A chunk with all it imports without being asked. */
function closure(name, found = new Set()) {
  if (found.has(name)) return found;
  found.add(name);
  for (const other of manifest[name]?.imports ?? []) closure(other, found);
  return found;
}

/** A screen's chunk: under its own name, or under that of the chunk it was put into. */
const chunk = (way) => (manifest[way] ? way : Object.keys(manifest).find((key) => manifest[key].name === way.split("/").at(-1).split(".")[0] && key.endsWith(".js")));

const bytes = (names) => [...names].reduce((sum, name) => sum + gzipSync(readFileSync(`${dist}site/${manifest[name].file}`)).length, 0);
const first = closure("index.html");
for (const way of ["app/shell/Shell.tsx", "app/pages/Home.tsx", "app/list/ListPage.tsx", "app/record/RecordPage.tsx", "app/i18n/en.json"]) {
  const own = [...closure(chunk(way))].filter((name) => !first.has(name));
  console.log(`${way}: ${(bytes(own) / 1000).toFixed(1)} kB more`);
}
for (const name of ["app/shell/Shell.tsx", "app/pages/Home.tsx", "app/i18n/en.json"]) closure(chunk(name), first);
const total = bytes(first);
console.log(`first page (entry, shell, home, words): ${(total / 1000).toFixed(1)} kB gzip of ${BUDGET_BYTES / 1000} kB`);
process.exit(total > BUDGET_BYTES ? 1 : 0);
