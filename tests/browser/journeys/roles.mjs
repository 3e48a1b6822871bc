// Roles of one's own: made, previewed, changed, retired; questions about rights; the interface as somebody else would find it.

import { equal, journey } from "../house.mjs";

/** The API with the session of the page. */
async function api(page, method, path, data, headers = {}) {
  const { csrf } = await (await page.request.get("/api/v1/session")).json();
  const answer = await page.request.fetch(path, { method, data, headers: { "X-CSRF-Token": csrf, ...headers } });
  if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
  return answer.json();
}

/** Something that no other run has. */
const mark = () => Math.random().toString(36).replace(/[^a-z]/g, "").slice(0, 7);

journey("a role is copied, given, made wider with a preview of whom it touches, looked back on and retired", async (page, { signIn, accessible }) => {
  await signIn("security_admin");
  const name = `x_probe_${mark()}`;
  await page.goto("/app/admin/roles?role=seller");
  await page.getByRole("heading", { level: 2, name: "Seller" }).waitFor();
  await page.getByRole("button", { name: "Copy", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: "New role" }).waitFor();
  await page.getByLabel("Label (English)").fill("Probe role");
  await page.getByLabel("Label (Chinese)").fill("探针角色");
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Accounts: See", { exact: true }).selectOption("team");
  await page.getByRole("button", { name: "Accounts: Fields" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Find a field").fill("phone");
  await dialog.getByLabel(/^Phone/).selectOption("masked");
  await accessible("the fields of an object in a role");
  await dialog.getByRole("button", { name: "Done" }).click();
  await dialog.waitFor({ state: "detached" });
  await accessible("the editor of a role", "light");
  await accessible("the editor of a role, dark", "dark");
  await page.getByRole("button", { name: "Preview" }).click();
  await dialog.getByText("See: – → the team’s").first().waitFor();
  await accessible("the preview of a new role, dark");
  await accessible("the preview of a new role", "light");
  await dialog.getByRole("button", { name: "Carry it out" }).click();
  await page.waitForURL(new RegExp(`role=${name}`));
  await page.getByRole("heading", { level: 2, name: "Probe role" }).waitFor();
  const person = await api(page, "POST", "/api/v1/records/user", { username: `probe.${mark()}`, display_name: "Paula Probe", status: "active" });
  await api(page, "POST", `/api/v1/users/${person.id}/roles`, { role: name });
  await page.getByRole("button", { name: "Change", exact: true }).click();
  await page.getByLabel("Accounts: See", { exact: true }).selectOption("all");
  await page.getByRole("button", { name: "Preview" }).click();
  await dialog.getByText("1 person holds it.").waitFor();
  await dialog.getByText("Reaches every record of: Accounts.").waitFor();
  await dialog.getByText("See: the team’s → all records").first().waitFor();
  await dialog.getByRole("button", { name: "Carry it out" }).click();
  await page.waitForURL(new RegExp(`roles\\?role=${name}`));
  const more = page.getByRole("button", { name: "More about Probe role" });
  await more.click();
  await page.getByRole("menuitem", { name: "History" }).click();
  await dialog.getByText("Version 2").waitFor();
  await accessible("the history of a role");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
  await more.click();
  await page.getByRole("menuitem", { name: "Retire" }).click();
  await dialog.getByText(/taken from everybody/).waitFor();
  await dialog.getByRole("button", { name: "Retire" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("This role is retired", { exact: false }).waitFor();
  const held = await api(page, "GET", `/api/v1/users/${person.id}/roles`);
  equal(held.roles.length, 0, "roles held after the role was retired");
});

/** Goes on with Tab until the focus is on something called so. */
async function tabTo(page, name) {
  for (let steps = 0; steps < 160; steps += 1) {
    await page.keyboard.press("Tab");
    const now = await page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "");
    if (now === name) return;
  }
  throw new Error(`the keyboard does not reach ${name}`);
}

journey("a role is changed by keyboard alone; the preview gives the focus back", async (page, { signIn }) => {
  await signIn("security_admin");
  await page.goto("/app/admin/roles/edit?copy=service_agent");
  await page.getByLabel("Label (English)").focus();
  await page.keyboard.type("Keys only");
  await tabTo(page, "Leads: Set");
  await page.keyboard.press("Enter");
  await tabTo(page, "Leads: See");
  await page.keyboard.type("all");
  await page.waitForFunction(() => document.activeElement?.value === "all");
  await tabTo(page, "Preview");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Carry it out" }).waitFor();
  await page.getByRole("dialog").getByRole("heading", { name: "Leads" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.waitForFunction(() => document.activeElement?.textContent === "Preview");
});

journey("a role that may not be is refused with every error in its place, and nothing typed is lost", async (page, { signIn, accessible }) => {
  await signIn("security_admin");
  await page.goto("/app/admin/roles/edit");
  await page.getByLabel("Label (English)").fill("Boss");
  await page.getByLabel("Name", { exact: true }).fill("seller");
  await page.getByLabel("What it is for (English)").fill("Everything");
  await page.getByRole("button", { name: "Preview" }).click();
  const alert = page.getByRole("dialog").getByRole("alert");
  await alert.getByText("begin with x_", { exact: false }).waitFor();
  await alert.getByText("already a role of this name", { exact: false }).waitFor();
  await accessible("a refused role");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  equal(await page.getByLabel("What it is for (English)").inputValue(), "Everything", "what was typed");
  await page.goto("/app/admin/roles/edit?role=seller");
  await page.getByText("Roles that ship with the product do not change", { exact: false }).first().waitFor();
});

journey("an auditor asks why somebody may do something, and learns nothing of a record", async (page, { signIn, user, accessible }) => {
  await signIn("audit_admin");
  const seller = user("seller");
  const found = await api(page, "POST", "/api/v1/records/user/query", { filter: { field: "username", op: "eq", value: seller.login }, fields: ["username"], limit: 1 });
  const id = found.items[0].id;
  await page.goto(`/app/admin/rights?user=${id}&object=account&field=kyc_notes`);
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText("The field shows only:", { exact: false }).waitFor();
  await page.getByRole("rowheader", { name: "Seller" }).first().waitFor();
  await accessible("an answer about rights", "light");
  await accessible("an answer about rights, dark", "dark");
  await page.getByLabel("Field", { exact: true }).selectOption("");
  await page.getByLabel("Record (optional)").fill("https://crm.example/app/o/account/01890a5d-ac96-774b-bcce-b302099a8057");
  await page.waitForURL(/record=01890a5d/);
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText("A record that does not exist answers the same", { exact: false }).waitFor();
  await page.getByLabel("Object", { exact: true }).selectOption({ label: "Acts beside records" });
  await page.getByLabel("Act", { exact: true }).selectOption("users");
  await page.getByRole("button", { name: "Ask" }).click();
  await page.getByText("None of the person’s roles gives it.").waitFor();
});

journey("the interface is seen as somebody else would find it, without a record", async (page, { signIn, accessible }) => {
  await signIn("security_admin");
  const asked = [];
  page.on("request", (request) => {
    const path = new URL(request.url()).pathname;
    if (path.startsWith("/api/v1/records/") && !path.startsWith("/api/v1/records/user")) asked.push(path);
  });
  await page.goto("/app/admin/view-as?roles=service_agent");
  const rail = page.getByRole("region", { name: "The rail" });
  await rail.getByText("Cases", { exact: true }).waitFor();
  await page.getByRole("button", { name: /^Accounts/ }).click();
  await page.getByRole("heading", { level: 2, name: "Accounts" }).waitFor();
  await page.getByRole("heading", { level: 3, name: "Columns of the list" }).waitFor();
  await accessible("view as", "light");
  await accessible("view as, dark", "dark");
  await page.getByLabel("Or somebody with roles").selectOption("audit_admin");
  await page.getByText("The roles exclude each other", { exact: false }).waitFor();
  await page.getByRole("button", { name: "Without Service agent" }).click();
  await rail.getByText("Audit", { exact: false }).first().waitFor();
  equal(asked.join(), "", "requests for records");
});

journey("roles, questions and views are for those who give or check rights", async (page, { signIn }) => {
  await signIn("seller");
  for (const place of ["admin/roles/edit", "admin/rights", "admin/view-as"]) {
    await page.goto(`/app/${place}`);
    await page.getByRole("heading", { name: "You may not see this" }).first().waitFor();
  }
});
