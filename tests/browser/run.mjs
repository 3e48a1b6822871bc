// Starts a demonstration, then runs each journey in a page of its own. Says the result as cargo does.

import { readdirSync } from "node:fs";
import { journeys, start, stop } from "./house.mjs";

const folder = new URL("./journeys/", import.meta.url);
for (const name of readdirSync(folder).sort()) await import(new URL(name, folder).href);

const wanted = process.argv[2];
const chosen = journeys.filter((one) => !wanted || one.name.includes(wanted));
if (chosen.length === 0) {
  console.error(`No journey has "${wanted}" in its name. There are:\n${journeys.map((one) => `  ${one.name}`).join("\n")}`);
  console.log("test result: FAILED. 0 passed; 1 failed");
  process.exit(1);
}
const house = await start();
let [passed, failed] = [0, 0];
const unsteady = [];

/** Runs a journey, once more if it failed: a browser on a busy machine may stumble, and a real defect does so twice. A second
 * chance that was needed is told at the end, so that it gets mended. */
async function attempt(name, run, fresh) {
  try {
    await house.journey(run, fresh);
  } catch (first) {
    console.log(`again   ${name}\n${first.stack}`);
    await house.journey(run, fresh);
    unsteady.push(name);
  }
}

for (const { name, run, fresh } of chosen) {
  try {
    await attempt(name, run, fresh);
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}
for (const name of unsteady) console.log(`UNSTEADY: ${name}`);
await stop(house);
console.log(`test result: ${failed ? "FAILED" : "ok"}. ${passed} passed; ${failed} failed`);
process.exitCode = failed || passed === 0 ? 1 : 0;
