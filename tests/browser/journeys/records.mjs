// A customer from nothing to the recycle bin and back, in the browser, by mouse and by keyboard.

import { equal, journey } from "../house.mjs";

async function field(page, name) {
  return page.locator(`[data-field="${name}"] dd`);
}

journey("a seller creates a customer in three clicks from home, and sees what is wrong before", async (page, { signIn, accessible }) => {
  await signIn("seller");
  // Another name each time: one that is there already asks why.
  const name = `Sand & Salt Trading ${Date.now()}`;
  let clicks = 0;
  const click = async (target) => {
    clicks += 1;
    await target.click();
  };
  await click(page.getByRole("button", { name: "New", exact: true }));
  await click(page.getByRole("menuitem", { name: "Account" }));
  await page.getByRole("dialog").waitFor();
  await accessible("the form");
  await page.getByRole("dialog").getByLabel("Website").fill("https://sand-and-salt.example");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("alert").waitFor();
  await accessible("the form with errors");
  equal(await page.getByRole("dialog").getByLabel("Website").inputValue(), "https://sand-and-salt.example", "what was typed");
  await page.getByRole("dialog").getByLabel(/^Name/).fill(name);
  await click(page.getByRole("button", { name: "Create", exact: true }));
  await page.getByRole("heading", { level: 1, name }).waitFor();
  equal(clicks, 3, "clicks");
});

journey("what was typed survives a reload, but no sealed value does", async (page, { signIn }) => {
  await signIn("seller");
  await page.goto("/app/o/account");
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.getByRole("row").nth(1).waitFor();
  await page.keyboard.press("c");
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill("Half a customer");
  await dialog.getByLabel(/^Phone/).fill("+4945112345678");
  await page.waitForFunction(() => sessionStorage.getItem("kontor.draft.create.account")?.includes("Half a customer"));
  equal((await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }))).includes("4945112345678"), false, "a sealed value in the storage");
  await page.reload();
  await page.getByRole("row").nth(1).waitFor();
  await page.keyboard.press("c");
  equal(await page.getByRole("dialog").getByLabel(/^Name/).inputValue(), "Half a customer", "the draft");
});

journey("a list is walked by keyboard, a row is peeked at, opened, and marked on return", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/contact");
  await page.getByRole("row").nth(3).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.getByText("1 selected").waitFor();
  await page.keyboard.press("x");
  const focused = await page.evaluate(() => document.activeElement?.getAttribute("data-index"));
  await page.keyboard.press("Space");
  await page.getByRole("complementary", { name: "Peek" }).getByRole("heading", { name: "Facts" }).waitFor();
  await accessible("a list with its peek panel");
  await page.keyboard.press("Space");
  await page.getByRole("complementary", { name: "Peek" }).waitFor({ state: "detached" });
  await page.keyboard.press("Enter");
  await page.getByRole("tab", { name: "Overview" }).waitFor();
  await page.goBack();
  await page.locator("[data-visited=true]").waitFor();
  equal(await page.locator("[data-visited=true]").getAttribute("data-index"), focused, "the marked row");
});

journey("a filter stands in the address, is understood on reload, and an encrypted column says why it cannot be sorted", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/opportunity");
  await page.getByRole("row").nth(2).waitFor();
  await page.keyboard.press("f");
  await page.getByRole("textbox", { name: "Find a field" }).fill("Stage");
  await page.keyboard.press("Enter");
  await page.getByLabel("Proposal", { exact: true }).check();
  await page.getByLabel("Negotiation", { exact: true }).check();
  await page.getByRole("button", { name: "Apply" }).click();
  await page.waitForURL(/f=/);
  await page.reload();
  await page.getByText("Proposal, Negotiation").waitFor();
  // The chip is there before the rows are.
  await page.locator("[role=gridcell]:nth-child(4)").first().waitFor();
  const stages = await page.locator("[role=gridcell]:nth-child(4)").allInnerTexts();
  equal(stages.length > 0 && stages.every((stage) => /Proposal|Negotiation/.test(stage)), true, "stages");
  await accessible("a filtered list");
  await page.goto("/app/o/contact");
  const mobile = page.getByRole("columnheader", { name: /Mobile/ }).getByRole("button");
  await mobile.focus();
  await page.getByRole("tooltip", { name: /sealed/ }).waitFor();
  equal(await mobile.getAttribute("aria-disabled"), "true", "the sealed column");
  await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
  await page.waitForURL(/sort=full_name/);
  equal(await page.getByRole("columnheader", { name: "Name" }).getAttribute("aria-sort"), "ascending", "order");
});

journey("a field is edited in its place; two people at once lose nothing", async (page, { signIn, demo, accessible }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/account");
  await page.locator("[role=row] a").first().click();
  await page.getByRole("tab", { name: "Overview" }).waitFor();
  const [, id] = /account\/([0-9a-f-]+)/.exec(page.url());
  const edit = async (name, value) => {
    const row = page.locator(`[data-field="${name}"]`).first();
    await row.hover();
    await row.locator("[data-edit]").click();
    await row.locator("input").fill(value);
  };
  const start = async () => {
    const more = page.getByRole("button", { name: /empty field/ }).first();
    if ((await page.locator('[data-field="short_name"]').count()) === 0) await more.click();
  };
  await start();
  await edit("short_name", "First name");
  await page.keyboard.press("Enter");
  await page.locator('[data-field="short_name"] dd', { hasText: "First name" }).waitFor();
  await edit("short_name", "Mine");
  // Somebody else, meanwhile.
  const other = await page.evaluate(async (record) => {
    const session = await (await fetch("/api/v1/session")).json();
    const now = await (await fetch(`/api/v1/records/account/${record}`)).json();
    const answer = await fetch(`/api/v1/records/account/${record}`, { method: "PATCH", headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrf, "If-Match": `"${now.version}"` }, body: JSON.stringify({ short_name: "Theirs" }) });
    return answer.status;
  }, id);
  equal(other, 200, "the other's change");
  await page.locator('[data-field="short_name"] input').press("Enter");
  const dialog = page.getByRole("dialog", { name: "Changed by somebody else" });
  await dialog.waitFor();
  for (const text of ["Mine", "Theirs", "First name"]) await dialog.getByText(text, { exact: true }).first().waitFor();
  await accessible("the dialog of a conflict");
  await dialog.getByRole("button", { name: "Save as chosen" }).click();
  await page.locator('[data-field="short_name"] dd', { hasText: "Mine" }).waitFor();
  await accessible("a record");
  void demo;
});

journey("a record is deleted and the delete is undone", async (page, { signIn }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/lead");
  await page.locator("[role=row] a").first().click();
  await page.getByRole("tab", { name: "Overview" }).waitFor();
  const title = await page.locator("h1").innerText();
  await page.keyboard.press(".");
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.waitForURL(/\/app\/o\/lead($|\?)/);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText(`Restored: ${title}`).waitFor();
});

journey("nobody is offered a reveal that their roles do not allow", async (page, { signIn }) => {
  await signIn("service_agent");
  await page.goto("/app/o/account");
  await page.locator("[role=row] a").first().click();
  await page.getByRole("tab", { name: "Overview" }).waitFor();
  await (await field(page, "name")).first().waitFor();
  equal(await page.getByRole("button", { name: /^Reveal/ }).count(), 0, "an agent reveals nothing of accounts");
});

journey("a stage is moved on the path of the record", async (page, { signIn }) => {
  await signIn("seller");
  await page.goto(`/app/o/opportunity?f=${encodeURIComponent(JSON.stringify({ field: "stage", op: "eq", value: "proposal" }))}`);
  await page.locator("[role=row] a").first().click();
  await page.getByRole("button", { name: "Negotiation", exact: true }).click();
  await page.locator("button[aria-current=step]", { hasText: "Negotiation" }).waitFor();
  await page.locator("li", { hasText: "Negotiation" }).first().waitFor();
});
