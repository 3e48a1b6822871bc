// What the interface promises beside its features: few clicks, everything in sight, changes of others soon, the keyboard alone,
// a page four times as large, no motion for those who want none, the focus back where it was, and nothing lost without a server.

import { equal, journey } from "../house.mjs";

/** Does something by the API as whoever is signed in: what a journey needs of its own, and takes away again. */
async function api(page, method, path, body, version) {
  return page.evaluate(
    async ([verb, address, content, expected]) => {
      const session = await (await fetch("/api/v1/session")).json();
      const headers = { "Content-Type": "application/json", "X-CSRF-Token": session.csrf, ...(expected ? { "If-Match": `"${expected}"` } : {}) };
      const answer = await fetch(`/api/v1/${address}`, { method: verb, headers, ...(content ? { body: JSON.stringify(content) } : {}) });
      if (!answer.ok) throw new Error(`${verb} ${address}: ${answer.status} ${await answer.text()}`);
      return answer.status === 204 ? null : answer.json();
    },
    [method, path, body ?? null, version ?? 0],
  );
}

async function away(page, object, id) {
  const now = await api(page, "GET", `records/${object}/${id}`);
  await api(page, "DELETE", `records/${object}/${id}`, undefined, now.version);
}

/** Counts what people press, by listening: Enter on a button counts as well, typing does not. */
async function clicks(page) {
  await page.addInitScript(() => {
    const KEY = "proof.clicks";
    window.addEventListener("click", (event) => (event.isTrusted ? sessionStorage.setItem(KEY, String(Number(sessionStorage.getItem(KEY) ?? 0) + 1)) : undefined), true);
  });
  return {
    reset: () => page.evaluate(() => sessionStorage.removeItem("proof.clicks")),
    count: () => page.evaluate(() => Number(sessionStorage.getItem("proof.clicks") ?? 0)),
  };
}

const atMost = (count, most, what) => equal(count > 0 && count <= most, true, `${what}: ${count} clicks, at most ${most}`);

journey("in three clicks from home: a customer is created", async (page, { signIn }) => {
  const counted = await clicks(page);
  await signIn("seller");
  await counted.reset();
  await page.getByRole("button", { name: "New", exact: true }).click();
  await page.getByRole("menuitem", { name: "Account" }).click();
  await page.getByRole("dialog").getByLabel(/^Name/).fill("Three Clicks & Sons");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Three Clicks & Sons" }).waitFor();
  atMost(await counted.count(), 3, "creating a customer");
  await away(page, "account", /account\/([0-9a-f-]+)/.exec(page.url())[1]);
});

journey("in three clicks from home: a deal is moved on the funnel", async (page, { signIn }) => {
  const counted = await clicks(page);
  await signIn("seller");
  const deal = await api(page, "POST", "records/opportunity", { name: "Three clicks of lamp oil", stage: "proposal" });
  await counted.reset();
  await page.locator("[data-widget=deals]").getByRole("link", { name: "Open board" }).click();
  const card = page.locator(`[data-column=proposal] [data-card="${deal.id}"]`);
  const target = page.locator("[data-column=negotiation]");
  await card.waitFor();
  await target.locator("[data-card], p").first().waitFor();
  const [from, to] = [await card.boundingBox(), await target.boundingBox()];
  await page.mouse.move(from.x + 40, from.y + from.height - 12);
  await page.mouse.down();
  await page.mouse.move(from.x + 80, from.y + from.height - 4, { steps: 4 });
  await page.mouse.move(to.x + to.width / 2, to.y + 160, { steps: 8 });
  await page.locator("[data-column=negotiation][data-over]").waitFor();
  await page.mouse.up();
  await page.locator(`[data-column=negotiation] [data-card="${deal.id}"]:not([data-pending])`).waitFor();
  atMost(await counted.count(), 3, "moving a deal");
  equal((await api(page, "GET", `records/opportunity/${deal.id}`)).fields.stage, "negotiation", "the stage");
  await away(page, "opportunity", deal.id);
});

journey("in three clicks from home: a case is answered", async (page, { signIn }) => {
  const counted = await clicks(page);
  await signIn("service_agent");
  const cases = page.getByRole("region", { name: "Cases by time left" });
  await cases.getByRole("link").nth(1).waitFor();
  await counted.reset();
  await cases.locator("a[href*='/o/case/']").first().click();
  const write = page.getByRole("form", { name: "Write about this record" });
  await write.getByRole("button", { name: "Note" }).click();
  await write.getByRole("textbox", { name: "Note" }).fill("Answered: the new lamp is on its way.");
  await write.getByRole("button", { name: "Save" }).click();
  await page.locator("li", { hasText: "Answered: the new lamp is on its way." }).first().waitFor();
  atMost(await counted.count(), 3, "answering a case");
});

/** Whether something can be seen and pressed without scrolling. */
async function inSight(locator, what) {
  await locator.waitFor();
  const seen = await locator.evaluate((node) => {
    const box = node.getBoundingClientRect();
    const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth && hit !== null && (node.contains(hit) || hit.contains(node));
  });
  equal(seen, true, `in sight at 1366×768: ${what}`);
}

journey("what people do all day is in sight at 1366×768 without scrolling", async (page, { signIn }) => {
  await page.setViewportSize({ width: 1366, height: 768 });
  await signIn("seller");
  const button = (name) => page.getByRole("button", { name, exact: true });
  await inSight(button("New"), "home: something new");
  await inSight(page.getByRole("search"), "home: the search");
  await inSight(page.locator("[data-widget=deals]").getByRole("link", { name: "Open board" }), "home: the board");
  await inSight(page.getByRole("link", { name: "Opportunities" }).first(), "home: the deals");
  await page.goto("/app/o/opportunity");
  await page.getByRole("row").nth(14).waitFor();
  await inSight(button("Filter"), "list: filter");
  await inSight(button("Opportunity"), "list: a new one");
  await inSight(button("Board"), "list: the board");
  await inSight(page.getByRole("row").nth(14), "list: fourteen rows");
  await inSight(page.getByRole("row").nth(1).getByRole("checkbox"), "list: select");
  await page.getByRole("row").nth(1).getByRole("checkbox").click();
  await inSight(button("Assign"), "list: assign the selected");
  await page.goto("/app/o/opportunity?as=board");
  await page.locator("[data-card]").first().waitFor();
  await inSight(page.locator("[data-card]").first(), "board: a card");
  await inSight(page.getByRole("button", { name: "Add to Prospecting" }), "board: add one");
  await inSight(page.locator("[data-column=won]"), "board: the last stage");
  await page.locator("[data-card] a").first().click();
  await page.locator("[data-field]").first().waitFor();
  const write = page.getByRole("form", { name: "Write about this record" });
  for (const name of ["Note", "Call", "Meeting", "Task"]) await inSight(write.getByRole("button", { name }), `record: ${name}`);
  await inSight(page.locator("[data-stage=won]"), "record: the last stage");
  await inSight(button("Actions"), "record: actions");
  const facts = await page.locator("[data-field]").evaluateAll((nodes) => nodes.filter((node) => node.getBoundingClientRect().bottom <= innerHeight).length);
  equal(facts >= 10, true, `facts in sight: ${facts}`);
  await write.getByRole("button", { name: "Note" }).click();
  await inSight(write.getByRole("button", { name: "Save" }), "record: save the note");
  await page.goto("/app/o/account");
  await page.getByRole("row").nth(1).waitFor();
  await page.keyboard.press("c");
  await inSight(page.getByRole("dialog").getByLabel(/^Name/), "form: the name");
  await inSight(button("Create"), "form: create");
});

journey("a teammate's new record appears in an open list within ten seconds", async (page, { signIn, demo }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/account?sort=-updated_at");
  await page.getByRole("row").nth(3).waitFor();
  // Another person, on another machine.
  const mate = demo.users.filter((user) => user.roles.includes("seller"))[1];
  const other = await page.context().browser().newContext({ ignoreHTTPSErrors: true, baseURL: demo.url });
  try {
    const session = await (await other.request.post("/api/v1/session", { data: { login: mate.login, password: mate.password } })).json();
    const answer = await other.request.post("/api/v1/records/account", { data: { name: "Just Arrived Ltd" }, headers: { "X-CSRF-Token": session.csrf } });
    equal(answer.status(), 201, "the mate's account");
    const record = await answer.json();
    await page.getByRole("row").filter({ hasText: "Just Arrived Ltd" }).waitFor({ timeout: 10_000 });
    await other.request.delete(`/api/v1/records/account/${record.id}`, { headers: { "X-CSRF-Token": session.csrf, "If-Match": `"${record.version}"` } });
    await page.getByRole("row").filter({ hasText: "Just Arrived Ltd" }).waitFor({ state: "detached", timeout: 10_000 });
  } finally {
    await other.close();
  }
});

async function focusIn(page, selector) {
  await page.waitForFunction((wanted) => document.activeElement?.matches(wanted), selector);
}

/** Presses Tab until something has the focus. */
async function tabTo(page, selector, keys = "Tab") {
  for (let step = 0; step < 90; step += 1) {
    await page.keyboard.press(keys);
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
  }
  throw new Error(`${keys} does not reach ${selector}`);
}

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
  const deal = await api(page, "POST", "records/opportunity", { name: "Wicks for the lighthouse", stage: "proposal" });
  await page.keyboard.press("/");
  await page.keyboard.type("Wicks for the light");
  await page.getByRole("option", { name: /Wicks for the lighthouse/ }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Wicks for the lighthouse" }).waitFor();
  await page.locator("[data-field=name] [data-edit]").first().waitFor();
  await page.keyboard.press("e");
  await focusIn(page, "[data-field=name] input");
  await page.keyboard.press("End");
  await page.keyboard.type(" and oil");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Wicks for the lighthouse and oil" }).waitFor();
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
  await page.getByRole("row").filter({ hasText: "Wicks for the lighthouse and oil" }).waitFor();
  await page.keyboard.press("j");
  await focusIn(page, "[role=row]");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/o\/opportunity\/[0-9a-f-]{36}/);
  await away(page, "opportunity", deal.id);
  equal(await page.evaluate(() => sessionStorage.getItem("proof.pointer")), null, "a pointer");
  await page.keyboard.press("Control+k");
  await focusIn(page, "input[role=combobox]");
  await page.keyboard.type("sign out");
  await page.getByRole("option", { name: "Sign out" }).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(/sign-in/);
});

journey("four times as large, nothing is scrolled sideways", async (page, { signIn }) => {
  await page.setViewportSize({ width: 320, height: 256 });
  const fits = async (what) => {
    const wide = await page.evaluate(() => {
      const over = (node) => (node ? node.scrollWidth - node.clientWidth : 0);
      return { page: over(document.documentElement), main: over(document.getElementById("main")), dialog: over(document.querySelector("[role=dialog]")) };
    });
    equal(JSON.stringify(wide), JSON.stringify({ page: 0, main: 0, dialog: 0 }), what);
  };
  await page.goto("/");
  await page.getByLabel("Password").waitFor();
  await fits("sign-in");
  await signIn("seller");
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.getByRole("heading", { name: "Pipeline" }).waitFor();
  await fits("home");
  await page.goto("/app/o/contact");
  await page.locator("[role=row] a").first().waitFor();
  await fits("a list");
  // A table may be wider than the page; its rows must be reachable.
  equal(await page.locator("[data-scroll]").evaluate((node) => node.clientHeight >= 90), true, "room for rows");
  await page.locator("[role=row] a").first().click();
  await page.locator("[data-field]").first().waitFor();
  await fits("a record");
  await page.goto("/app/o/account");
  await page.locator("[role=row] a").first().waitFor();
  await page.keyboard.press("c");
  await page.getByRole("dialog").getByLabel(/^Name/).waitFor();
  await fits("a form");
  await page.getByRole("button", { name: "Create", exact: true }).scrollIntoViewIfNeeded();
  await page.getByRole("button", { name: "Create", exact: true }).click({ trial: true });
});

journey("who wants no motion gets none", async (page, { signIn }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  const still = async (what) => {
    const moving = await page.evaluate(() =>
      [...document.querySelectorAll("*")].filter((node) => {
        const style = getComputedStyle(node);
        return [...style.transitionDuration.split(","), ...(style.animationName === "none" ? [] : style.animationDuration.split(","))].some((time) => parseFloat(time) * (time.includes("ms") ? 0.001 : 1) > 0.01);
      }).map((node) => node.outerHTML.slice(0, 120)).slice(0, 3),
    );
    equal(JSON.stringify(moving), "[]", `moves: ${what}`);
  };
  await signIn("seller");
  await page.getByRole("heading", { name: "Pipeline" }).waitFor();
  await still("home");
  await page.goto("/app/o/opportunity?as=board");
  await page.locator("[data-card]").first().waitFor();
  await still("the board");
  await page.goto("/app/o/account");
  await page.locator("[role=row] a").first().waitFor();
  await page.keyboard.press("c");
  await page.getByRole("dialog").getByLabel(/^Name/).waitFor();
  await still("a form above a list");
});

journey("the focus goes back where it was when something above the page closes", async (page, { signIn }) => {
  await signIn("sales_manager");
  /** Opens by Enter on its button, closes by Escape. */
  const returns = async (what, opener, above) => {
    await opener.focus();
    await page.keyboard.press("Enter");
    await above.waitFor();
    await page.keyboard.press("Escape");
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
  await returns("assigning the selected", button("Assign"), dialog);
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

journey("without the server a banner says so, and what was typed stays until it is saved", async (page, { signIn }) => {
  await signIn("seller");
  await page.goto("/app/o/account");
  await page.locator("[role=row] a").first().waitFor();
  await page.keyboard.press("c");
  const name = page.getByRole("dialog").getByLabel(/^Name/);
  await name.fill("Typed before the storm");
  await page.context().setOffline(true);
  const banner = page.getByText("The server does not answer.", { exact: false }).first();
  await banner.waitFor();
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("dialog").getByRole("alert").waitFor();
  equal(await name.inputValue(), "Typed before the storm", "what was typed");
  await page.context().setOffline(false);
  await page.locator("[role=status]", { has: banner }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "Typed before the storm" }).waitFor();
  // A note too, and a cell.
  await page.keyboard.press("n");
  const note = page.getByRole("form", { name: "Write about this record" }).getByRole("textbox");
  await note.fill("Written in the dark");
  await page.context().setOffline(true);
  await note.press("Control+Enter");
  await page.getByRole("form", { name: "Write about this record" }).getByRole("alert").waitFor();
  equal(await note.inputValue(), "Written in the dark", "the note");
  await page.context().setOffline(false);
  await page.locator("[role=status]", { has: banner }).waitFor({ state: "detached" });
  await note.press("Control+Enter");
  await page.locator("li", { hasText: "Written in the dark" }).first().waitFor();
  await away(page, "account", /account\/([0-9a-f-]+)/.exec(page.url())[1]);
});
