// Boards, saved views, groups, the calendar and the home page.

import { equal, journey } from "../house.mjs";

const column = (page, id) => page.locator(`[data-card="${id}"]`).evaluate((card) => card.closest("[data-column]")?.dataset.column);

journey("a card is moved by keyboard, undone, and stays when Escape is pressed", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/opportunity?as=board");
  const card = page.locator('[data-column="prospecting"] [data-card]').first();
  await card.waitFor();
  await accessible("the board");
  const id = await card.getAttribute("data-card");
  await card.focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowRight");
  await page.locator("[aria-live=assertive]", { hasText: "Engaging, column 2 of 7" }).waitFor({ state: "attached" });
  equal(await page.evaluate(() => document.activeElement?.dataset.card), id, "the focus on the lifted card");
  await page.keyboard.press("Escape");
  equal(await column(page, id), "prospecting", "after Escape");
  await page.keyboard.press("Space");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("is back in Prospecting").first().waitFor();
  equal(await column(page, id), "prospecting", "after the undo");
});

journey("a card that is dropped on Lost asks why; a refused drop goes back and says so", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/opportunity?as=board");
  const card = page.locator('[data-column="engaging"] [data-card]').first();
  await card.waitFor();
  const id = await card.getAttribute("data-card");
  const from = await card.boundingBox();
  const to = await page.locator('[data-column="lost"]').boundingBox();
  await page.mouse.move(from.x + 40, from.y + 40);
  await page.mouse.down();
  await page.mouse.move(from.x + 60, from.y + 60, { steps: 4 });
  await page.mouse.move(to.x + 15, to.y + 150, { steps: 8 });
  await page.mouse.up();
  const dialog = page.getByRole("dialog", { name: "Move to Lost" });
  await dialog.getByLabel("Reason won or lost").waitFor();
  await accessible("the dialog of a stage");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  equal(await column(page, id), "engaging", "after the dialog was left");
  await page.route("**/api/v1/records/opportunity/*", (route) => (route.request().method() === "PATCH" ? route.abort() : route.continue()));
  await card.focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "went back" }).waitFor();
  equal(await column(page, id), "engaging", "after the refusal");
});

journey("a view is saved, marked when it changes, opens the list, and its delete is undone", async (page, { signIn }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/lead?as=board");
  await page.getByRole("button", { name: "All Leads" }).click();
  await page.getByRole("menuitem", { name: "Save as a new view" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill("Leads by state");
  await dialog.getByLabel("Open the list with this view").check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.waitForURL(/view=/);
  await page.getByRole("button", { name: "Table", exact: true }).click();
  await page.getByText("Changed", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Discard" }).click();
  await page.waitForURL(/as=board/);
  await page.goto("/app/o/lead");
  await page.waitForURL(/as=board/);
  await page.getByRole("button", { name: "Leads by state" }).click();
  await page.getByRole("menuitem", { name: "Delete view" }).click();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name: "Leads by state" }).waitFor();
  await page.getByRole("button", { name: "Leads by state" }).click();
  await page.getByRole("menuitem", { name: "Delete view" }).click();
  await page.waitForURL(/view=all/);
});

journey("a list is grouped with counts and sums, and a group opens by keyboard", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/opportunity?by=stage&sums=amount");
  await page.locator("[data-group]").first().waitFor();
  await page.getByRole("group", { name: "Total" }).waitFor();
  await accessible("a grouped list");
  const second = page.locator("[data-group]").nth(1);
  await second.focus();
  await page.keyboard.press("ArrowRight");
  equal(await second.getAttribute("aria-expanded"), "true", "the second group");
});

journey("an entry of the calendar is moved by keyboard and back", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/activity?as=calendar&span=month");
  const entry = page.locator("[data-entry]:not([data-state=done])").first();
  await entry.waitFor();
  await accessible("the calendar");
  const id = await entry.getAttribute("data-entry");
  const before = await entry.getAttribute("title");
  await entry.focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("where it was").first().waitFor();
  await page.waitForFunction(([one, title]) => document.querySelector(`[data-entry="${one}"]`)?.getAttribute("title") === title, [id, before]);
});

const orderOf = (page) => page.evaluate(() => [...document.querySelectorAll("[data-widget]")].map((widget) => widget.dataset.widget).join());
const otherOrder = (page, was) => page.waitForFunction((before) => [...document.querySelectorAll("[data-widget]")].map((widget) => widget.dataset.widget).join() !== before, was);

/** The home page with its own arrangement and the bar to change it. */
async function arrange(page) {
  await page.locator("[data-widget=deals]").waitFor();
  await page.getByRole("button", { name: "Arrange", exact: true }).click();
  await page.getByRole("button", { name: "Standard arrangement" }).click();
  await page.waitForFunction(() => document.querySelector("[data-widget]")?.getAttribute("data-widget") === "tasks");
}

journey("the home page is arranged by keyboard and keeps it; a deal's board is one click away", async (page, { signIn, accessible }) => {
  await signIn("seller");
  await arrange(page);
  const grip = page.getByRole("button", { name: "Move Pipeline", exact: true });
  const before = await orderOf(page);
  await grip.focus();
  await page.keyboard.press("ArrowLeft");
  await otherOrder(page, before);
  await page.waitForFunction(() => document.activeElement?.closest("[data-widget]")?.getAttribute("data-widget") === "deals");
  await page.getByText(/^Pipeline: place \d+ of/).waitFor({ state: "attached" });
  await accessible("home while it is arranged");
  const after = await orderOf(page);
  // At once: what did not reach the server yet is kept by the browser.
  await page.reload();
  await page.waitForFunction((wanted) => [...document.querySelectorAll("[data-widget]")].map((widget) => widget.dataset.widget).join() === wanted, after);
  await arrange(page);
  await page.getByRole("button", { name: "Done", exact: true }).click();
  await page.locator("[data-widget=deals]").getByRole("link", { name: "Open board" }).click();
  await page.locator("[data-card]").first().waitFor();
});

journey("a widget of the home page is dragged, made wide, taken away and added", async (page, { signIn }) => {
  await signIn("seller");
  await arrange(page);
  const before = await orderOf(page);
  await page.locator("[data-widget=tasks] li").first().waitFor();
  const from = await page.getByRole("button", { name: "Move Pipeline", exact: true }).boundingBox();
  const to = await page.locator("[data-widget=tasks]").boundingBox();
  await page.mouse.move(from.x + 8, from.y + 8);
  await page.mouse.down();
  await page.mouse.move(from.x - 10, from.y + 14, { steps: 4 });
  await page.mouse.move(to.x + 80, to.y + 60, { steps: 8 });
  await page.mouse.up();
  await otherOrder(page, before);
  equal((await orderOf(page)).split(",")[0], "deals", "the first widget after the drag");
  await page.getByRole("button", { name: "Make Pipeline wide" }).click();
  await page.getByRole("button", { name: "Make Pipeline narrow" }).waitFor();
  const [wide, narrow] = [await page.locator("[data-widget=deals]").boundingBox(), await page.locator("[data-widget=tasks]").boundingBox()];
  if (wide.width < narrow.width * 1.3) throw new Error(`the wide widget has ${wide.width} px, a narrow one ${narrow.width}`);
  await page.getByRole("button", { name: "Take Pipeline away" }).click();
  await page.locator("[data-widget=deals]").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Add a widget" }).click();
  await page.getByRole("menuitem", { name: "Pipeline", exact: true }).click();
  await page.locator("[data-widget=deals]").waitFor();
  await page.getByRole("button", { name: "Standard arrangement" }).click();
  await page.waitForFunction((wanted) => [...document.querySelectorAll("[data-widget]")].map((widget) => widget.dataset.widget).join() === wanted, before);
});

journey("a task is ticked off on the home page and taken back", async (page, { signIn }) => {
  await signIn("seller");
  const tick = page.locator("[data-widget=tasks]").getByRole("button", { name: /^Complete:/ }).first();
  await tick.waitFor();
  const name = await tick.getAttribute("aria-label");
  await tick.click();
  await page.getByRole("button", { name, exact: true }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("button", { name, exact: true }).waitFor();
});

journey("an auditor's home reads nothing of the log until it is asked", async (page, { signIn, accessible }) => {
  const read = [];
  page.on("request", (request) => (/audit\/entries/.test(request.url()) ? read.push(request.url()) : undefined));
  await signIn("audit_admin");
  const desk = page.locator("[data-widget=desk]");
  await desk.getByRole("link", { name: /Acts that were refused/ }).waitFor();
  await accessible("an auditor's home");
  equal(read.length, 0, "reads of the log");
  await desk.getByRole("button", { name: "Show the last entries" }).click();
  await desk.getByRole("link", { name: /·/ }).first().waitFor();
  await desk.getByRole("link", { name: /Acts that were refused/ }).click();
  await page.waitForURL(/verb=denied/);
});

journey("a record and a view are kept as favourites, found in rail and palette, and let go", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/contact");
  await page.locator("[role=row] a").first().click();
  await page.waitForURL(/\/o\/contact\/[0-9a-f-]{36}/);
  const address = new URL(page.url()).pathname;
  const empty = page.getByRole("button", { name: "Add to favourites" });
  await page.getByRole("button", { name: /favourites$/ }).waitFor();
  if (!(await empty.isVisible())) await page.keyboard.press("s");
  await empty.waitFor();
  await page.keyboard.press("s");
  await page.getByRole("button", { name: "Remove from favourites", exact: true }).waitFor();
  const rail = page.getByRole("navigation", { name: "Main" });
  await rail.locator(`a[href="${address}"]`).waitFor();
  await accessible("a record that is a favourite");
  const name = (await rail.locator(`a[href="${address}"]`).innerText()).trim();
  // Kept with the person: another browser has it as well, once the server was told.
  await page.waitForFunction(() => !Object.keys(localStorage).some((key) => key.startsWith("kontor.unsaved.")));
  await page.goto("/app/");
  await rail.locator(`a[href="${address}"]`).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Command or record" }).fill(`Favourites ${name}`);
  await page.getByRole("option", { name }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname === address);
  await page.getByRole("button", { name: "Remove from favourites", exact: true }).waitFor();
  await page.locator("main").click({ position: { x: 4, y: 4 } });
  await page.keyboard.press("s");
  await rail.locator(`a[href="${address}"]`).waitFor({ state: "detached" });
});

journey("a saved view is a favourite: the rail opens the list with it", async (page, { signIn }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/account?sort=-created_at&as=");
  await page.getByRole("button", { name: "All Accounts" }).click();
  await page.getByRole("menuitem", { name: "Save as a new view" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill("Newest accounts");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.waitForURL(/view=/);
  await page.getByRole("button", { name: "Newest accounts" }).click();
  await page.getByRole("menuitem", { name: "Add to favourites" }).click();
  const link = page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Newest accounts" });
  await link.waitFor();
  await page.goto("/app/");
  await link.click();
  await page.waitForURL(/view=.*sort=-created_at|sort=-created_at.*view=/);
  await page.getByRole("button", { name: "Newest accounts" }).click();
  await page.getByRole("menuitem", { name: "Delete view" }).click();
  await page.waitForURL(/view=all/);
  await link.waitFor({ state: "detached" });
});

journey("help stands beside the page, follows it, speaks both languages and gives the focus back", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  const open = page.getByRole("button", { name: "Help on this page" });
  await open.click();
  const help = page.getByRole("complementary", { name: "Help" });
  await help.getByRole("heading", { name: "Home", exact: true }).waitFor();
  await accessible("help beside the home page");
  await accessible("help in the dark theme", "dark");
  equal(await help.getByRole("link", { name: "Open in the manual" }).getAttribute("href"), "/docs/user/home#home", "the page of the manual");
  await page.goto("/app/o/opportunity?as=board");
  await page.locator("[data-card]").first().waitFor();
  await open.click();
  await help.getByRole("heading", { name: "Board", exact: true }).waitFor();
  await page.getByRole("button", { name: "Calendar", exact: true }).click();
  await help.getByRole("heading", { name: "Calendar", exact: true }).waitFor();
  await help.getByRole("heading", { level: 2 }).focus();
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "detached" });
  equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-label")), "Help on this page", "where the focus is after the help");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Command or record" }).fill("Help on this page");
  await page.keyboard.press("Enter");
  await help.getByRole("heading", { name: "Calendar", exact: true }).waitFor();
});

journey("the calendar shows another date of the object, and a saved view keeps it", async (page, { signIn }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/case?as=calendar&span=month");
  const chooser = page.getByRole("button", { name: /^Date shown:/ });
  await chooser.waitFor();
  const first = await chooser.innerText();
  await chooser.click();
  await page.getByRole("menuitem").nth(1).click();
  await page.waitForURL(/by=/);
  await page.waitForFunction((was) => !document.querySelector("[aria-label^='Date shown:']")?.getAttribute("aria-label")?.endsWith(was), first);
  const chosen = await chooser.getAttribute("aria-label");
  await page.getByRole("button", { name: "All Cases" }).click();
  await page.getByRole("menuitem", { name: "Save as a new view" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill("Cases by another date");
  await dialog.getByRole("button", { name: "Save" }).click();
  await page.waitForURL(/view=/);
  const view = new URL(page.url()).searchParams.get("view");
  await page.goto(`/app/o/case?view=${view}`);
  await page.getByRole("button", { name: chosen, exact: true }).waitFor();
  equal(await page.getByText("Changed", { exact: true }).count(), 0, "marks of a change");
  await page.getByRole("button", { name: "Cases by another date" }).click();
  await page.getByRole("menuitem", { name: "Delete view" }).click();
  await page.waitForURL(/view=all/);
});

journey("the bell and the calendar's address are accessible in both themes", async (page, { signIn, accessible }) => {
  await signIn("seller");
  for (const theme of ["light", "dark"]) {
    await page.getByRole("button", { name: /unread|^Notifications/ }).first().click();
    await page.getByRole("heading", { name: "Notifications" }).waitFor();
    await accessible(`the bell, ${theme}`, theme);
    await page.keyboard.press("Escape");
    await page.getByRole("heading", { name: "Notifications" }).waitFor({ state: "detached" });
  }
  await page.goto("/app/o/activity?as=calendar&span=week");
  for (const theme of ["light", "dark"]) {
    await page.getByRole("button", { name: "Calendar address" }).click();
    const dialog = page.getByRole("dialog", { name: "Calendar address" });
    await dialog.getByRole("button", { name: /^Make/ }).first().waitFor();
    await accessible(`the calendar's address, ${theme}`, theme);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  }
});
