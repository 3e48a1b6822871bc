// Starts a demonstration, then runs each journey in a page of its own. Says the result as cargo does.

import { readdirSync } from "node:fs";
import { journeys, start, stop } from "./house.mjs";

const folder = new URL("./journeys/", import.meta.url);
for (const name of readdirSync(folder).sort()) await import(new URL(name, folder).href);

const wanted = process.argv[2];
const house = await start();
let [passed, failed] = [0, 0];
for (const { name, run } of journeys.filter((one) => !wanted || one.name.includes(wanted))) {
  try {
    await house.journey(run);
    passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}
await stop(house);
console.log(`test result: ${failed ? "FAILED" : "ok"}. ${passed} passed; ${failed} failed`);
process.exitCode = failed || passed === 0 ? 1 : 0;
