// The first run of an appliance, its settings, and sample data from its coming to its going.

import { equal, journey } from "../house.mjs";

const OWN = "a password of my own 9";

/** Signs in with a first password and chooses another. */
async function enter(page, login, password) {
  await page.goto("/app/sign-in");
  await page.fill("input[name=login]", login);
  await page.fill("input[name=password]", password);
  await page.click("button[type=submit]");
  await page.getByRole("heading", { name: "Choose your own password" }).waitFor();
  await page.fill("input[name=old]", password);
  await page.fill("input[name=new]", OWN);
  await page.fill("input[name=again]", OWN);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "First run", exact: true }).waitFor();
}

const step = (page, name) => page.getByRole("heading", { level: 2, name, exact: true });

/** Goes to the button by Tab alone and presses it. */
async function press(page, name) {
  const button = page.getByRole("button", { name, exact: true });
  await button.waitFor();
  for (let tries = 0; tries < 80; tries += 1) {
    if (await button.evaluate((one) => one === document.activeElement)) return page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
  }
  throw new Error(`${name} cannot be reached by keyboard`);
}

journey(
  "two administrators go through the first run by keyboard, load sample data and remove all of it",
  async (page, { demo, accessible }) => {
    await page.addInitScript(() => localStorage.getItem("kontor.prefs.") ?? localStorage.setItem("kontor.prefs.", JSON.stringify({ theme: "light", language: "en" })));
    await enter(page, "anna", demo.users[0].password);

    // The security administrator: units, people, custody.
    await step(page, "Units and people").waitFor();
    await page.getByText("HQ", { exact: true }).waitFor();
    const units = page.getByRole("region", { name: "Units", exact: true });
    await units.getByLabel("Name", { exact: true }).fill("Harbour branch");
    await units.getByLabel("Code").fill("B1");
    await page.keyboard.press("Enter");
    await units.getByText("Harbour branch").first().waitFor();
    const people = page.getByRole("region", { name: "People", exact: true });
    await people.getByLabel("Name", { exact: true }).fill("Piet System");
    await people.getByLabel("User name").fill("piet");
    await page.keyboard.press("Enter");
    const secret = page.getByLabel("First password of Piet System");
    await secret.waitFor();
    const password = await secret.innerText();
    for (const theme of ["light", "dark"]) await accessible(`units and people, ${theme}`, theme);
    await press(page, "Go on");
    await step(page, "Custody of the key").waitFor();
    equal(await page.getByRole("button", { name: "Go on" }).getAttribute("aria-disabled"), "true", "custody has to be confirmed");
    await page.getByText("A key file is the only way in.").waitFor();
    await page.getByRole("checkbox").check();
    await accessible("custody of the key");
    await press(page, "Go on");
    await page.getByText("Your part is done.").waitFor();
    await page.getByRole("button", { name: "Go home" }).click();
    await page.getByRole("search").waitFor();
    await page.goto("/app/sign-in");

    // The system administrator goes on where the other stopped.
    await enter(page, "piet", password);
    await step(page, "Your organisation").waitFor();
    await page.getByLabel("Name of the organisation").fill("Hanse & Söhne");
    await page.keyboard.press("Enter");
    await step(page, "Language and money").waitFor();
    await page.reload();
    await step(page, "Language and money").waitFor();
    await page.getByLabel("Currency").fill("XQX");
    await page.keyboard.press("Enter");
    await page.getByLabel("Currency").and(page.locator("[aria-invalid=true]")).waitFor();
    await page.getByLabel("Currency").fill("EUR");
    await page.getByLabel("Time zone").selectOption("Europe/Berlin");
    await accessible("language and money");
    await press(page, "Save and go on");
    await step(page, "Copies").waitFor();
    await page.getByRole("checkbox").check();
    await accessible("copies");
    // It is left and taken up again.
    await press(page, "Later");
    await page.getByText("The first run has 3 open steps for you.").waitFor();
    await page.getByRole("link", { name: "Go on with the first run" }).click();
    await step(page, "Copies").waitFor();
    await page.getByRole("checkbox").check();
    await press(page, "Go on");
    await step(page, "Sample data").waitFor();
    await accessible("sample data, none");
    await page.getByRole("button", { name: "Load sample data" }).click();
    await page.getByRole("button", { name: "Remove sample data" }).waitFor({ timeout: 240_000 });
    await page.getByText(/[\d,]+ sample records/).waitFor();
    await accessible("sample data, loaded");
    await press(page, "Go on");
    await step(page, "Finish").waitFor();
    await page.getByText("Everything is done.").waitFor();
    await press(page, "End the first run");
    await page.getByRole("search").waitFor();
    await page.getByText("Hanse & Söhne").waitFor();
    equal(await page.getByText("open steps for you").count(), 0, "nobody is led there any more");

    // Settings afterwards: the ribbon stands over every page, and the sample goes again.
    await page.goto("/app/admin/appliance");
    await page.getByRole("combobox", { name: "What this appliance is" }).selectOption({ label: "Training" });
    await page.getByLabel("Words beside it").fill("Course of May");
    await page.keyboard.press("Enter");
    await page.getByRole("note").getByText("Course of May").waitFor();
    for (const theme of ["light", "dark"]) await accessible(`settings of the appliance, ${theme}`, theme);
    await page.getByRole("button", { name: "Remove sample data" }).click();
    const dialog = page.getByRole("dialog", { name: "Remove all sample data?" });
    await accessible("the question before the sample goes");
    await dialog.getByRole("button", { name: "Remove sample data" }).click();
    await page.getByRole("button", { name: "Load sample data" }).waitFor({ timeout: 240_000 });
    const left = await page.evaluate(async () => (await fetch("/api/v1/sample")).json());
    equal(left.state, "none", "state of the sample data");
    equal(left.objects.length, 0, "objects with sample records");
  },
  { fresh: true },
);

journey("a list and a record say that they are sample data", async (page, { signIn }) => {
  await signIn("seller");
  await page.goto("/app/o/account");
  const head = page.getByRole("heading", { level: 1 }).locator("..");
  await page.getByRole("grid").getByRole("link").first().waitFor();
  await head.getByText("Sample", { exact: true }).waitFor();
  await page.getByRole("grid").getByRole("link").first().click();
  await page.getByRole("article").getByText("Sample", { exact: true }).waitFor();
});

journey("who may not change settings is told so, and sees no first run", async (page, { signIn }) => {
  await signIn("seller");
  for (const place of ["admin/appliance", "setup"]) {
    await page.goto(`/app/${place}`);
    await page.getByRole("heading", { name: "You may not see this" }).first().waitFor();
  }
});
