// The frame: search, palette, shortcuts, themes, every page accessible, nothing against the content policy.

import { equal, journey } from "../house.mjs";
import { api, focusIn } from "../steps.mjs";

journey("the search finds by the beginning of a word and opens by keyboard", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/account");
  const name = await page.locator("[role=row] a").first().innerText();
  await page.keyboard.press("/");
  await page.keyboard.type(name.slice(0, 8));
  await page.getByRole("option", { name: new RegExp(name.slice(0, 8).replace(/[^\p{L}\p{N} ]/gu, "."), "u") }).first().waitFor();
  await accessible("the search with results");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/app\/o\/\w+\/[0-9a-f-]{36}/);
});

journey("the palette goes places and changes the theme; the sheet shows the keys", async (page, { signIn, accessible }) => {
  await signIn("seller");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Command or record" }).fill("contacts");
  await accessible("the palette");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/o\/contact/);
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Command or record" }).fill("dark");
  await page.keyboard.press("Enter");
  equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark", "theme");
  await page.getByRole("row").nth(1).waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await accessible("the sheet of shortcuts");
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("h");
  await page.waitForURL(/\/app\/?$/);
});

const SEEN = [
  ["sales_manager", ["account", "contact", "lead", "opportunity", "activity", "product", "user", "unit"]],
  ["service_agent", ["case"]],
];
for (const [theme, [role, objects]] of ["light", "dark", "contrast"].flatMap((theme) => SEEN.map((seen) => [theme, seen]))) {
  journey(`every page is accessible to a ${role}, ${theme}`, async (page, { signIn, accessible }) => {
    await signIn(role, { theme });
    for (const object of objects) {
      await page.goto(`/app/o/${object}`);
      await page.locator("[role=row] a").first().waitFor();
      await accessible(`the list of ${object}`, theme);
      await page.locator("[role=row] a").first().click();
      await page.locator("[data-field]").first().waitFor();
      await page.getByText(/What happened|Done|Nothing has happened/).first().waitFor();
      await accessible(`a record of ${object}`, theme);
    }
    await page.goto("/app/settings");
    await page.getByRole("heading", { name: "Where you are signed in" }).waitFor();
    await accessible("settings", theme);
    await page.goto("/app/nowhere");
    await page.getByRole("heading", { level: 2 }).waitFor();
    await accessible("the page that is not there", theme);
  });
}

journey("a session that ended is opened again over the page, and the form stays", async (page, { signIn }) => {
  const { password } = await signIn("seller");
  // Another name each time: one that is there already asks why.
  const name = `Kept while away ${Date.now()}`;
  await page.goto("/app/o/account");
  await page.getByRole("row").nth(1).waitFor();
  await page.keyboard.press("c");
  await page.getByRole("dialog").getByLabel(/^Name/).fill(name);
  await page.context().clearCookies();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  const again = page.getByRole("dialog", { name: "Sign in again" });
  await again.getByLabel("Password").fill(password);
  await again.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
});

journey("a phone shows lists and records without scrolling sideways", async (page, { signIn }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await signIn("seller");
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  equal(await overflow(), 0, "home");
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("link", { name: "Contacts" }).click();
  await page.locator("[role=row] a").first().waitFor();
  equal(await overflow(), 0, "list");
  await page.locator("[role=row] a").first().click();
  await page.locator("[data-field]").first().waitFor();
  equal(await overflow(), 0, "record");
  const wide = await page.evaluate(() => {
    const main = document.getElementById("main");
    return main ? main.scrollWidth - main.clientWidth : -1;
  });
  equal(wide, 0, "the record's own width");
});

journey("administrators without customer data find their way, and refusals say why", async (page, { signIn, accessible }) => {
  await signIn("system_admin");
  await page.getByRole("heading", { name: "Where you can go" }).waitFor();
  equal(await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Accounts" }).count(), 0, "customers in the rail");
  await accessible("home of an administrator");
  await page.goto("/app/o/account");
  await page.getByRole("heading", { name: "You may not see this" }).waitFor();
  await accessible("a refusal");
});

journey("a dialog with fields begins in the first of them", async (page, { signIn }) => {
  await signIn("seller");
  await page.goto("/app/o/contact");
  await page.locator("[role=row] a").first().waitFor();
  await page.keyboard.press("c");
  await focusIn(page, "[role=dialog] form input");
  // An empty form is refused at its fields; the summary says which.
  await page.keyboard.press("Control+Enter");
  await page.getByRole("dialog").getByRole("alert").first().waitFor();
});

journey("a language that was set in another browser is spoken here too", async (page, { signIn, as }) => {
  await signIn("seller");
  const before = await api(page, "GET", "me/preferences");
  await as("seller", (other) => api(other, "PUT", "me/preferences/ui", { value: { ...before.items.ui, language: "zh" } }));
  await page.reload();
  await page.getByRole("link", { name: "客户" }).first().waitFor();
  equal(await page.evaluate(() => document.documentElement.lang), "zh-CN", "language of the page");
  await api(page, "PUT", "me/preferences/ui", { value: { ...before.items.ui, language: "en" } });
});

journey("the first run that is over asks for nothing, and a page that is not offered claims no attempt", async (page, { signIn }) => {
  await signIn("system_admin");
  await page.goto("/app/setup?step=finish");
  await page.getByText("The first run is over.").waitFor();
  equal(await page.getByRole("button", { name: "End the first run" }).count(), 0, "an end of what has ended");
  await page.goto("/app/admin/users");
  await page.getByText("Your roles do not offer this page.").waitFor();
});
