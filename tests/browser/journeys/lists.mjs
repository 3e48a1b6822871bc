// Work in the rows of a list: cells edited in their place, and many records changed at once.

import { equal, journey } from "../house.mjs";

const filtered = (object, filter) => `/app/o/${object}?f=${encodeURIComponent(JSON.stringify(filter))}`;

/** Makes some accounts of its own: other journeys count on those that are there. */
async function accounts(page, names) {
  return page.evaluate(async (wanted) => {
    const session = await (await fetch("/api/v1/session")).json();
    const ids = [];
    for (const name of wanted) {
      const answer = await fetch("/api/v1/records/account", { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrf }, body: JSON.stringify({ name, short_name: "Before", level: "c" }) });
      if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
      ids.push((await answer.json()).id);
    }
    return ids;
  }, names);
}

/** Takes them away again. */
async function away(page, ids) {
  const status = await page.evaluate(async (wanted) => {
    const session = await (await fetch("/api/v1/session")).json();
    const answer = await fetch("/api/v1/records/account/bulk", { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrf }, body: JSON.stringify({ change: { action: "delete" }, ids: wanted }) });
    return answer.status;
  }, ids);
  equal(status, 200, "taking the accounts away");
}

async function change(page, id, fields) {
  return page.evaluate(async ([record, body]) => {
    const session = await (await fetch("/api/v1/session")).json();
    const now = await (await fetch(`/api/v1/records/account/${record}`)).json();
    const answer = await fetch(`/api/v1/records/account/${record}`, { method: "PATCH", headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrf, "If-Match": `"${now.version}"` }, body: JSON.stringify(body) });
    return answer.status;
  }, [id, fields]);
}

const at = (page) => page.evaluate(() => `${document.activeElement?.closest("[data-id]")?.querySelector("a")?.textContent} ${document.activeElement?.dataset.path ?? document.activeElement?.closest("[data-path]")?.dataset.path ?? ""}`);

/** Waits until the focus is there. */
async function focused(page, row, path) {
  await page.waitForFunction(
    ([wantedRow, wantedPath]) => {
      const now = document.activeElement;
      return now?.closest("[data-id]")?.querySelector("a")?.textContent === wantedRow && (now.dataset.path ?? now.closest("[data-path]")?.dataset.path ?? "") === wantedPath;
    },
    [row, path],
  ).catch(async () => equal(await at(page), `${row} ${path}`, "the focus"));
}

journey("cells of a list are edited by keyboard, and what is wrong stands beside the cell", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  const ids = await accounts(page, ["Cellar One", "Cellar Two"]);
  await page.goto(`${filtered("account", { field: "name", op: "starts_with", value: "Cellar " })}&cols=name,short_name,level,email,updated_at&sort=name`);
  const cell = (row, path) => page.getByRole("row").filter({ hasText: row }).locator(`[data-path="${path}"]`);
  await cell("Cellar Two", "level").waitFor();
  await page.keyboard.press("j");
  await focused(page, "Cellar One", "");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await focused(page, "Cellar One", "short_name");
  await page.keyboard.press("ArrowDown");
  await focused(page, "Cellar Two", "short_name");
  await page.keyboard.press("ArrowUp");
  await focused(page, "Cellar One", "short_name");
  // Escape leaves it as it was.
  await page.keyboard.press("F2");
  const input = page.locator("[data-state=editing] input");
  await input.waitFor();
  await page.keyboard.type("Never");
  await accessible("a cell that is edited");
  await page.keyboard.press("Escape");
  await focused(page, "Cellar One", "short_name");
  equal(await cell("Cellar One", "short_name").innerText(), "Before", "after Escape");
  // Tab saves and goes on.
  await page.keyboard.press("Enter");
  await input.waitFor();
  await page.keyboard.type("After");
  await page.keyboard.press("Tab");
  await page.locator("[data-path=level][data-state=editing] select").waitFor();
  await page.keyboard.press("a");
  await page.keyboard.press("Enter");
  await focused(page, "Cellar One", "level");
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
  // What the server does not take goes back and says why; what was typed is still there.
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("F2");
  await input.waitFor();
  await page.keyboard.type("no address");
  await page.keyboard.press("Enter");
  await cell("Cellar One", "email").getByRole("alert").waitFor();
  await accessible("a cell that was not saved");
  await page.keyboard.press("F2");
  equal(await input.inputValue(), "no address", "what was typed");
  await page.keyboard.press("Escape");
  // What cannot be changed says why.
  await focused(page, "Cellar One", "email");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await cell("Cellar One", "updated_at").getByText("Kontor fills this in itself.").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await focused(page, "Cellar One", "");
  await page.reload();
  await cell("Cellar One", "short_name").getByText("After").waitFor();
  equal(await cell("Cellar One", "level").innerText(), "A", "the level");
  equal(await cell("Cellar One", "email").innerText().then((text) => /address/.test(text)), false, "the address");
  await away(page, ids);
});

journey("two people edit the same cell: both versions are shown, and nothing is overwritten", async (page, { signIn }) => {
  await signIn("sales_manager");
  const [id] = await accounts(page, ["Clash in a cell"]);
  await page.goto(`${filtered("account", { field: "name", op: "eq", value: "Clash in a cell" })}&cols=name,short_name,level`);
  const cell = (path) => page.getByRole("row").filter({ hasText: "Clash in a cell" }).locator(`[data-path="${path}"]`);
  await cell("short_name").dblclick();
  await page.locator("[data-state=editing] input").fill("Mine");
  equal(await change(page, id, { short_name: "Theirs" }), 200, "the other's change");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "Changed by somebody else" });
  for (const text of ["Mine", "Theirs", "Before"]) await dialog.getByText(text, { exact: true }).first().waitFor();
  await dialog.getByText("Theirs", { exact: true }).last().click();
  await dialog.getByRole("button", { name: "Save as chosen" }).click();
  await dialog.waitFor({ state: "detached" });
  await cell("short_name").getByText("Theirs").waitFor();
  // What only the other touched needs no question.
  await cell("level").dblclick();
  await page.locator("[data-state=editing] select").selectOption("b");
  equal(await change(page, id, { short_name: "Theirs again" }), 200, "the other's second change");
  await page.keyboard.press("Enter");
  await cell("level").getByText("B", { exact: true }).waitFor();
  await cell("short_name").getByText("Theirs again").waitFor();
  await away(page, [id]);
});

journey("all that match are changed at once: tried before, told row by row, and taken back", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  const names = Array.from({ length: 120 }, (_, index) => `Bulk ${String(index).padStart(3, "0")}`);
  const ids = await accounts(page, names);
  await page.goto(`${filtered("account", { field: "name", op: "starts_with", value: "Bulk " })}&cols=name,short_name,level&sort=name`);
  await page.getByRole("row").filter({ hasText: "Bulk 000" }).waitFor();
  await page.getByRole("button", { name: "100+ Count all that match" }).waitFor();
  await page.getByRole("checkbox", { name: "Select all rows that are loaded" }).click();
  await page.getByText("100 selected").waitFor();
  await page.getByRole("button", { name: "Select all Accounts that match" }).click();
  await page.getByText("All 120 that match are selected").waitFor();
  await accessible("a list with all selected");
  const bar = page.getByRole("group", { name: "Selected rows" });
  await bar.getByRole("button", { name: "Edit" }).click();
  const dialog = page.getByRole("dialog", { name: "Edit" });
  await dialog.getByLabel("Field").selectOption("level");
  await dialog.getByLabel("Becomes").selectOption("a");
  await dialog.getByText("120 would change, 0 are so already, 0 would be refused.").waitFor();
  await accessible("the preview of a bulk change");
  await dialog.getByRole("button", { name: "Edit" }).click();
  const job = page.getByRole("group", { name: "Bulk change" });
  await job.getByText("120 changed").waitFor();
  await page.locator("[data-path=level]", { hasText: "A" }).nth(5).waitFor();
  // It survives a reload, and what somebody has changed since stays as it is.
  equal(await change(page, ids[0], { short_name: "Touched" }), 200, "a later change");
  await page.reload();
  await job.getByRole("button", { name: "Undo" }).click();
  await job.getByText("119 changed").waitFor();
  await job.getByRole("button", { name: "Show which" }).click();
  await page.getByRole("dialog").getByText("Bulk 000").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("row").filter({ hasText: "Bulk 001" }).locator("[data-path=level]", { hasText: "C" }).waitFor();
  await accessible("a list after a bulk change", "dark");
  await away(page, ids);
});
