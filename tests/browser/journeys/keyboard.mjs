// The keyboard alone, and the focus that comes back when something above the page closes.

import { equal, journey } from "../house.mjs";
import { api, focusIn, tabTo } from "../steps.mjs";

journey("a seller's day by keyboard alone: sign in, search, edit, move the stage, write a note, sign out", async (page, { user }) => {
  await page.addInitScript(() => {
    if (!localStorage.getItem("kontor.prefs.")) localStorage.setItem("kontor.prefs.", JSON.stringify({ theme: "light", language: "en" }));
    for (const name of ["pointerdown", "mousedown", "touchstart"]) window.addEventListener(name, () => sessionStorage.setItem("proof.pointer", name), true);
  });
  const { login, password } = user("seller");
  await page.goto("/");
  await focusIn(page, "input[name=login]");
  await page.keyboard.type(login);
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await page.getByRole("search").waitFor();
  // Sellers take no deal away again, so each run has a name of its own.
  const name = `Wicks for the lighthouse ${Date.now() % 100_000}`;
  await api(page, "POST", "records/opportunity", { name, stage: "proposal" });
  await page.keyboard.press("/");
  await page.keyboard.type(name);
  await page.getByRole("option", { name: new RegExp(name) }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name }).waitFor();
  await page.locator("[data-field=name] [data-edit]").first().waitFor();
  await page.keyboard.press("e");
  await focusIn(page, "[data-field=name] input");
  await page.keyboard.press("End");
  await page.keyboard.type(" and oil");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: `${name} and oil` }).waitFor();
  await focusIn(page, "[data-field=name] [data-edit]");
  await tabTo(page, "[data-stage=negotiation]", "Shift+Tab");
  await page.keyboard.press("Enter");
  await page.locator("[data-stage=negotiation][aria-current=step]").waitFor();
  await page.keyboard.press("n");
  await focusIn(page, "form textarea");
  await page.keyboard.type("Called without touching the mouse.");
  await page.keyboard.press("Control+Enter");
  await page.locator("li", { hasText: "Called without touching the mouse." }).first().waitFor();
  // The list: rows by j, the record by Enter, back by the browser's own key.
  await page.keyboard.press("g");
  await page.keyboard.press("o");
  await page.waitForURL(/\/o\/opportunity$/);
  await page.getByRole("row").filter({ hasText: `${name} and oil` }).waitFor();
  await page.keyboard.press("j");
  await focusIn(page, "[role=row]");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/o\/opportunity\/[0-9a-f-]{36}/);
  equal(await page.evaluate(() => sessionStorage.getItem("proof.pointer")), null, "a pointer");
  await page.keyboard.press("Control+k");
  await focusIn(page, "input[role=combobox]");
  await page.keyboard.type("sign out");
  await page.getByRole("option", { name: "Sign out" }).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(/sign-in/);
});

journey("the focus goes back where it was when something above the page closes", async (page, { signIn }) => {
  await signIn("sales_manager");
  /** Opens by Enter on its button, closes by Escape; where a list of suggestions stands open inside, that goes first. */
  const returns = async (what, opener, above, escapes = 1) => {
    await opener.focus();
    await page.keyboard.press("Enter");
    await above.waitFor();
    if (escapes > 1) await page.getByRole("listbox").waitFor();
    for (let times = 0; times < escapes; times += 1) await page.keyboard.press("Escape");
    await above.waitFor({ state: "detached" });
    const node = await opener.elementHandle();
    await page.waitForFunction((wanted) => document.activeElement === wanted, node).catch(async () => equal(await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 160)), "its button", what));
  };
  const button = (name) => page.getByRole("button", { name, exact: true });
  const menu = page.getByRole("menu");
  const dialog = page.getByRole("dialog");
  await page.goto("/app/o/opportunity");
  await page.locator("[role=row] a").first().waitFor();
  await returns("the menu of new things", button("New"), menu);
  await returns("the palette", button("Commands"), dialog);
  await returns("the bell", page.getByRole("button", { name: /notification/i }), dialog);
  await returns("you", page.getByRole("button", { name: /^You/ }), menu);
  await returns("a filter", button("Filter"), dialog);
  await returns("columns", button("Columns"), dialog);
  await returns("groups", button("Group"), dialog);
  await returns("a new record", button("Opportunity"), dialog);
  // By a single key, from a row of the list.
  await page.keyboard.press("j");
  const row = page.locator("[role=row][data-index='0']");
  for (const [keys, what] of [["c", "the form"], ["?", "the sheet of keys"], ["Control+k", "the palette"]]) {
    await row.focus();
    await page.keyboard.press(keys);
    await dialog.waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await page.waitForFunction(() => document.activeElement?.matches("[role=row][data-index='0']")).catch(async () => equal(await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 160)), "the row", what));
  }
  await row.getByRole("checkbox").click();
  await returns("assigning the selected", button("Assign"), dialog, 2);
  await page.locator("[role=row] a").first().click();
  await page.locator("[data-stage]").first().waitFor();
  await returns("actions", button("Actions"), menu);
  await returns("the history of a field", page.getByRole("button", { name: /^History/ }).first(), dialog);
  await returns("a stage that asks", page.locator("[data-stage=lost]:not([aria-current]), [data-stage=won]:not([aria-current])").first(), dialog);
  await button("Actions").focus();
  await page.keyboard.press("Enter");
  await page.getByRole("menuitem", { name: "Delete" }).focus();
  await page.keyboard.press("Enter");
  await dialog.waitFor();
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement?.matches("[data-acts]")).catch(async () => equal(await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 160)), "the actions", "deleting"));
});
