// Backups in the browser, on an appliance of its own with a real folder to go to: a set is made, looked into, kept, proven, and
// missed when it is no longer there.

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { equal, journey } from "../house.mjs";

const PASSWORD = "a-long-enough-password-7";
let target = "";

/** A target, no schedule (so that nothing happens by itself), an administrator of the system, and a seller. */
function fill(house) {
  target = house.path("disk2");
  mkdirSync(target);
  const file = house.path("house/kontor.toml");
  const text = readFileSync(file, "utf8").replace(/^schedule = .*$/m, 'schedule = ""').replace(/^drill = .*$/m, 'drill = ""');
  writeFileSync(file, text.replace("[backup.targets]\n", `[backup.targets]\ndisk2 = ${JSON.stringify(target)}\n`));
  house.on(["config", "check"]);
  return ["system_admin", "seller"].map((role) => {
    house.on(["user", "add"], "--password-file", house.secret(PASSWORD), "--lasting", "--role", role, "--name", `The ${role}`, role);
    return { login: role, password: PASSWORD, roles: [role] };
  });
}

/** The folder of this appliance on the target. */
const setsOf = () => join(target, readdirSync(target)[0]);

journey(
  "a backup is made, looked into, kept, proven, and missed when it is gone",
  async (page, { signIn, accessible }) => {
    await signIn("system_admin");
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Backups" }).click();
    await page.getByRole("heading", { level: 1, name: "Backups" }).waitFor();
    await page.getByText("No set yet.").waitFor();
    for (const theme of ["light", "dark"]) await accessible(`no backups yet, ${theme}`, theme);
    await page.getByRole("button", { name: "Back up now" }).click();
    const one = page.getByRole("row", { name: /Set 1 on disk2/ });
    await one.getByText("read back", { exact: true }).waitFor();
    equal(readdirSync(setsOf()).length, 1, "sets in the folder");

    // Looked into: the plan, the files, and the commands with the place filled in.
    await one.getByRole("button").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("stays: the newest").waitFor();
    await dialog.getByText("database.tar.zst.age").waitFor();
    await dialog.getByLabel("Folder to make").fill("/srv/a new house");
    const command = await dialog.getByLabel("Restore it.", { exact: false }).innerText();
    equal(command, `kontor backup restore --from ${join(setsOf(), readdirSync(setsOf())[0])} --dir '/srv/a new house'`, "the command");
    for (const theme of ["light", "dark"]) await accessible(`a set, ${theme}`, theme);
    await dialog.getByRole("button", { name: "Keep for good" }).click();
    await dialog.getByText("stays: somebody wants it to").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });

    // Proven.
    await page.getByRole("button", { name: "Prove now" }).click();
    await page.getByText("Set 1 of disk2 was restored and is whole").waitFor();
    await one.getByText("proven", { exact: true }).waitFor();
    await page.getByText("Set 1 of disk2 was restored and is whole").click();
    await page.getByText("Audit log", { exact: true }).waitFor();

    // The calendar by keyboard alone: today narrows the list, and once more widens it.
    const today = page.locator("[data-today]");
    await today.focus();
    await page.keyboard.press("ArrowUp");
    await page.keyboard.press("ArrowDown");
    equal(await today.evaluate((day) => day === document.activeElement), true, "back on today");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Every day" }).waitFor();
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Every day" }).waitFor({ state: "detached" });

    // A target is tried out, and says what is wrong with it when it is not there.
    const test = page.getByRole("button", { name: "Test the target disk2" });
    await test.click();
    await page.getByText("Sets can be put there.", { exact: false }).waitFor();
    renameSync(target, `${target}-away`);
    await test.click();
    await page.getByText("Not well at “write”", { exact: false }).waitFor();
    renameSync(`${target}-away`, target);

    // Somebody takes the set away: the next one finds that out.
    rmSync(join(setsOf(), readdirSync(setsOf())[0]), { recursive: true });
    await page.getByRole("button", { name: "Back up now" }).click();
    await page.getByRole("row", { name: /Set 2 on disk2/ }).getByText("read back", { exact: true }).waitFor();
    await one.getByText("lost", { exact: true }).waitFor();
    await accessible("sets of several states");
  },
  { fresh: fill },
);

journey(
  "who does not run the appliance sees no backups",
  async (page, { signIn }) => {
    await signIn("seller");
    equal(await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Backups" }).count(), 0, "links to backups");
    await page.goto("/app/admin/backups");
    await page.getByRole("heading", { name: "You may not see this" }).first().waitFor();
    equal(await page.getByRole("button", { name: "Back up now" }).count(), 0, "buttons");
  },
);
