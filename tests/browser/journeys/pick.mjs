// Records brought back from a backup set in the browser, on an appliance of its own: a customer that was overwritten, one that
// was deleted, and a whole object; by somebody who has the right, looked at by somebody who has not.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { equal, journey } from "../house.mjs";

const PASSWORD = "a-long-enough-password-7";

/** A target without a schedule, an administrator of the system, and a manager of customers. */
function fill(house) {
  const target = house.path("disk2");
  mkdirSync(target);
  const file = house.path("house/kontor.toml");
  const text = readFileSync(file, "utf8").replace(/^schedule = .*$/m, 'schedule = ""').replace(/^drill = .*$/m, 'drill = ""');
  writeFileSync(file, text.replace("[backup.targets]\n", `[backup.targets]\ndisk2 = ${JSON.stringify(target)}\n`));
  return ["system_admin", "sales_manager"].map((role) => {
    house.on(["user", "add"], "--password-file", house.secret(PASSWORD), "--lasting", "--role", role, "--name", `The ${role}`, role);
    return { login: role, password: PASSWORD, roles: [role] };
  });
}

/** What a program would do with the session of the page. */
async function send(page, verb, path, body, version) {
  return page.evaluate(
    async ([verb, path, body, version]) => {
      const session = await (await fetch("/api/v1/session")).json();
      const headers = { "Content-Type": "application/json", "X-CSRF-Token": session.csrf };
      if (version) headers["If-Match"] = `"${version}"`;
      const answer = await fetch(`/api/v1${path}`, { method: verb, headers, body: body ? JSON.stringify(body) : undefined });
      return answer.json();
    },
    [verb, path, body, version],
  );
}

journey(
  "records come back from a backup set, field by field and all at once",
  async (page, { signIn, as, accessible }) => {
    await signIn("sales_manager");
    const names = ["Hanse", "Elbe", "Trave"];
    const made = [];
    for (const name of names) made.push(await send(page, "POST", "/records/account", { name, legal_name: `${name} AG`, phone: "+49 451 1234" }));
    // The administrator makes the set, and may not look into it.
    await as("system_admin", async (other) => {
      await other.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Backups" }).click();
      await other.getByRole("button", { name: "Back up now" }).click();
      const one = other.getByRole("row", { name: /Set 1 on disk2/ });
      await one.getByText("read back", { exact: true }).waitFor();
      await one.getByRole("button").click();
      const browse = other.getByRole("dialog").getByRole("button", { name: "Browse" });
      await browse.waitFor();
      equal(await browse.getAttribute("aria-disabled"), "true", "browsing is for those who read records");
    });

    // Somebody overwrites one and deletes another.
    await send(page, "PATCH", `/records/account/${made[0].id}`, { legal_name: "Wrong", phone: null }, 1);
    await send(page, "DELETE", `/records/account/${made[1].id}`, undefined, 1);
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "From a backup" }).click();
    for (const theme of ["light", "dark"]) await accessible(`sets to look into, ${theme}`, theme);
    await page.getByRole("button", { name: "Browse set 1 on disk2" }).click();
    await page.getByRole("heading", { level: 1, name: /^Set 1 of/ }).waitFor();
    await page.getByRole("button", { name: "Elbe" }).waitFor();
    equal(await page.getByRole("row", { name: /Elbe/ }).getByText("in the recycle bin").count(), 1, "it says where a record is now");
    for (const theme of ["light", "dark"]) await accessible(`a set is open, ${theme}`, theme);

    // One record, by the keyboard alone: found, compared, tried, brought back.
    await page.getByLabel("Find in the set").fill("hanse");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Elbe" }).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Hanse" }).focus();
    await page.keyboard.press("Enter");
    const row = page.getByRole("row", { name: /Legal name/ });
    await row.getByText("Hanse AG").waitFor();
    await row.getByText("Wrong").waitFor();
    for (const theme of ["light", "dark"]) await accessible(`a record beside the set, ${theme}`, theme);
    await row.getByRole("checkbox").focus();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Try", exact: true }).focus();
    await page.keyboard.press("Enter");
    await page.getByText("Only tried; nothing was written.").waitFor();
    equal((await send(page, "GET", `/records/account/${made[0].id}`)).fields.legal_name, "Wrong", "a try writes nothing");
    await page.getByRole("button", { name: "Bring back 1 field" }).click();
    await page.getByText("Brought back: Legal name.").waitFor();
    const after = await send(page, "GET", `/records/account/${made[0].id}`);
    equal(after.fields.legal_name, "Hanse AG", "what was chosen");
    equal(after.fields.phone, null, "what was not chosen stays");

    // All of an object: counted, then brought back as a job.
    await page.getByRole("button", { name: "Back to the list" }).click();
    await page.getByRole("button", { name: "All", exact: true }).click();
    await page.getByRole("button", { name: "Compare all" }).click();
    await page.getByRole("checkbox", { name: "1 differs" }).check();
    await page.getByRole("checkbox", { name: /^1 in the recycle bin/ }).check();
    for (const theme of ["light", "dark"]) await accessible(`an object compared, ${theme}`, theme);
    await page.getByRole("button", { name: "Bring 2 records back" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Bring 2 records back" }).click();
    await page.getByText("2 changed").waitFor();
    equal((await send(page, "GET", `/records/account/${made[0].id}`)).fields.phone !== null, true, "the other field");
    equal((await send(page, "GET", `/records/account/${made[1].id}`)).deleted ?? false, false, "out of the bin");
    await page.getByRole("button", { name: "Close the set" }).click();
    await page.getByRole("button", { name: "Browse set 1 on disk2" }).waitFor();
  },
  { fresh: fill },
);
