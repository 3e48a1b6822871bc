// The state of the appliance in words: every state that the server knows has them in both languages, and figures read as people
// say them.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { checkState, STATES } from "~/admin/data";
import { speak, startWords, t } from "~/i18n";
import en from "~/i18n/en.json";
import zh from "~/i18n/zh.json";

const source = join(__dirname, "../..");
/** The words of states stand as they are in the checks, or belong to an alarm. */
const CHECKS = ["appliance/health.rs", "appliance/backup_health.rs"];
const WORD = /"((?:database|log|disk|certificate|backup|mail|nodes?|upgrade|proven|drill|target|deletion)_[a-z_]+)"/g;
/** An alarm of drills, for which the page shows the drill itself, and a figure. */
const NO_STATE = ["log_damaged", "proven_hours"];

const wordsOf = (file: string) => [...(readFileSync(join(source, file), "utf8").split("#[cfg(test)]")[0] ?? "").matchAll(WORD)].map((found) => found[1] ?? "");

beforeAll(() => startWords("en"));

test("every state of the server has words in both languages, and no other has", () => {
  const known = new Set([...CHECKS.flatMap(wordsOf), ...wordsOf("notify/alarms.rs")].filter((word) => !NO_STATE.includes(word)));
  expect([...known].sort()).toEqual([...STATES].sort());
  for (const words of [en, zh] as { [key: string]: string }[]) expect(STATES.filter((state) => !words[`health.state.${state}`])).toEqual([]);
});

test("figures read as people say them, and a certificate without a day left says more", async () => {
  const said = (state: string, figures: { [name: string]: number }) => checkState(t, { state, figures, detail: "as the server says" });
  expect(said("certificate_good", { days: 1 })).toBe("Good for 1 day.");
  expect(said("backup_good", { hours: 0, proven_hours: 26 })).toBe("Last set less than an hour ago; last proven restore 26 hours ago.");
  expect(said("upgrade_waits", { days: 0 })).toContain("for less than a day:");
  expect(said("certificate_site_ends", { days: 0 })).toContain("has ended");
  expect(said("certificate_site_ends", { days: 9 })).toContain("Good for 9 days.");
  expect(said("of_tomorrow", {})).toBe("as the server says");
  await speak("zh");
  expect(said("backup_shipped", { hours: 5, proven_hours: 0, rpo_seconds: 2 })).toBe("最近一份备份集：5小时前；最近一次成功的恢复演练：不到一小时前。如果这台机器现在丢失，会失去2秒的工作。");
  await speak("en");
});
