// Shipping in the browser: an appliance whose answers wait for a second folder says so, says how far one can go back, and says
// of a third one that is away what would be lost with it.

import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { journey } from "../house.mjs";
import { api } from "../steps.mjs";

const PASSWORD = "a-long-enough-password-7";
let third = "";

/** A folder that every answer waits for and one that gets all a moment later, and no schedule: sets are made only where shipping asks for one. */
function fill(house) {
  third = house.path("disk3");
  const second = house.path("disk2");
  for (const folder of [second, third]) mkdirSync(folder);
  const file = house.path("house/kontor.toml");
  const without = readFileSync(file, "utf8").replace(/^schedule = .*$/m, 'schedule = ""').replace(/^drill = .*$/m, 'drill = ""').replace(/^\[backup\.targets\]$/m, `$&\ndisk2 = ${JSON.stringify(second)}\ndisk3 = ${JSON.stringify(third)}`);
  writeFileSync(file, without.replace(/^sync = ""$/m, 'sync = "disk2"').replace(/^also = \[\]$/m, 'also = ["disk3"]'));
  house.on(["config", "check"]);
  house.on(["user", "add"], "--password-file", house.secret(PASSWORD), "--lasting", "--role", "system_admin", "--name", "The system_admin", "system_admin");
  return [{ login: "system_admin", password: PASSWORD, roles: ["system_admin"] }];
}

journey(
  "shipping says how far one can go back, and what would be lost without its target",
  async (page, { signIn, accessible }) => {
    await signIn("system_admin");
    await page.goto("/app/admin/backups");
    await page.getByText("Each commit is shipped: back to any second of the last 7 days.").waitFor();
    await page.getByText("Each answer waits until its commit is here").waitFor();
    await page.getByText("Every commit is here").waitFor();
    await accessible("targets that are shipped to");
    // A folder goes away: work goes on, and the page says what that costs.
    renameSync(third, `${third}-away`);
    const { version } = await api(page, "GET", "settings");
    await api(page, "PATCH", "settings", { organisation: "A house without its second disk" }, version);
    await page.reload();
    await page.getByText(/^Not shipped, .+ would be lost:/).waitFor();
    await accessible("a target that is away");
    renameSync(`${third}-away`, third);
  },
  { fresh: fill },
);
