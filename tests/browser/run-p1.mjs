// Starts a demonstration, then runs each journey in a page of its own. Says the result as cargo does.

import { readdirSync } from "node:fs";
import { journeys, start, stop } from "./house.mjs";

const folder = new URL("./journeys/", import.meta.url);
for (const name of readdirSync(folder).sort().filter((one) => 'export.mjs proof.mjs'.split(' ').includes(one))) await import(new URL(name, folder).href);

const wanted = process.argv[2];
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

for (const { name, run, fresh } of journeys.filter((one) => !wanted || one.name.includes(wanted))) {
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
