// What the interface promises beside its features: few clicks from home, counted, and changes of others soon.

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
