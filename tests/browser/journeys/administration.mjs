// Running the house: users, units, roles, definitions, the log.

import { equal, journey } from "../house.mjs";

journey("a security administrator makes a user who then has to choose a password of their own", async (page, { signIn, accessible }) => {
  await signIn("security_admin");
  await page.goto("/app/admin/users");
  await page.locator("tbody a").first().waitFor();
  await accessible("the list of users");
  await page.keyboard.press("c");
  const dialog = page.getByRole("dialog", { name: "New user" });
  await dialog.getByLabel("Name", { exact: false }).first().fill("Nora Probe");
  await dialog.getByLabel("User name").fill("nora.probe");
  await dialog.getByRole("checkbox", { name: /Seller/ }).check();
  const password = await dialog.getByLabel("First password").inputValue();
  equal(/^([a-z2-9]{5}-){3}[a-z2-9]{5}$/.test(password), true, "form of the first password");
  await accessible("the form of a new user");
  await dialog.getByRole("button", { name: "Make the user" }).click();
  await page.waitForURL(/\/admin\/users\/[0-9a-f-]{36}/);
  await page.getByRole("link", { name: "Seller" }).waitFor();
  await accessible("the page of a user");
  await page.getByRole("button", { name: "Lock" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Lock" }).click();
  await page.getByText("Locked", { exact: true }).first().waitFor();
  await page.getByRole("button", { name: "Unlock" }).click();
  await page.getByRole("button", { name: "Lock" }).waitFor();
  const context = await page.context().browser().newContext({ ignoreHTTPSErrors: true, baseURL: new URL(page.url()).origin });
  const other = await context.newPage();
  await other.addInitScript(() => localStorage.setItem("kontor.prefs.", JSON.stringify({ language: "en" })));
  await other.goto("/app/sign-in");
  await other.fill("input[name=login]", "nora.probe");
  await other.fill("input[name=password]", password);
  await other.click("button[type=submit]");
  await other.getByRole("heading", { name: "Choose your own password" }).waitFor();
  await context.close();
});

journey("units are walked, renamed and moved by keyboard alone", async (page, { signIn, accessible }) => {
  await signIn("security_admin");
  await page.goto("/app/admin/units");
  const units = page.getByRole("treeitem");
  await units.first().waitFor();
  await units.first().focus();
  for (const key of ["ArrowDown", "ArrowDown"]) await page.keyboard.press(key);
  const now = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? "");
  const name = await now();
  await page.keyboard.press("F2");
  await page.getByLabel("Name", { exact: true }).fill(`${name} II`);
  await page.keyboard.press("Enter");
  await page.getByRole("treeitem", { name: `${name} II` }).first().waitFor();
  await page.getByRole("treeitem", { name: `${name} II` }).first().focus();
  await page.keyboard.press("m");
  await accessible("the dialog that moves a unit");
  await page.getByLabel("Under").selectOption({ label: "At the top" });
  await page.getByRole("dialog").getByRole("button", { name: "Move" }).click();
  await page.locator(`[role=treeitem][aria-level="1"]`, { hasText: `${name} II` }).waitFor();
  await accessible("the tree of units");
});

journey("roles are read as a matrix and compared, and who has one is found out", async (page, { signIn, accessible }) => {
  await signIn("audit_admin");
  await page.goto("/app/admin/roles?role=seller&with=sales_manager");
  const line = page.getByRole("row").filter({ has: page.getByRole("rowheader", { name: "Accounts" }) });
  await line.getByText("own records").first().waitFor();
  await page.getByRole("button", { name: "Find out" }).click();
  await page.getByText(/\d+ people have this role/).waitFor();
  for (const theme of ["light", "dark"]) {
    await page.evaluate((to) => (document.documentElement.dataset.theme = to), theme);
    await accessible(`the matrix of rights, ${theme}`);
  }
});

journey("a new field is planned with all its steps, a wrong one is refused with its errors, then it is there and is retired", async (page, { signIn, accessible }) => {
  await signIn("system_admin");
  await page.goto("/app/admin/objects/account");
  await page.getByRole("button", { name: "New field" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Label (English)").fill("Probe");
  await dialog.getByLabel("Label (Chinese)").fill("探针");
  await dialog.getByLabel("Type").selectOption("enum");
  await dialog.getByRole("button", { name: "Preview" }).click();
  await dialog.getByRole("alert").waitFor();
  await dialog.getByLabel("Type").selectOption("text");
  await dialog.getByRole("button", { name: "Preview" }).click();
  await dialog.getByRole("heading", { name: "What will happen" }).waitFor();
  await accessible("the plan of a change");
  await dialog.getByRole("button", { name: "Carry it out" }).click();
  await page.getByRole("cell", { name: "probe", exact: true }).waitFor();
  await page.getByRole("button", { name: "Actions: Probe" }).click();
  await page.getByRole("menuitem", { name: "Retire" }).click();
  await dialog.getByRole("button", { name: "Preview" }).click();
  await dialog.getByRole("button", { name: "Carry it out" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.goto("/app/admin/health");
  await page.getByText("About this appliance").waitFor();
  await accessible("the health of the appliance");
});

journey("an auditor searches the log, proves an entry and takes the entries along", async (page, { signIn, accessible }) => {
  await signIn("audit_admin");
  await page.goto("/app/audit");
  // The sign of life of each minute is there for who asks for it.
  await page.getByRole("button", { name: "Read the log" }).first().waitFor();
  await page.getByLabel("Also “Still running”").check();
  await page.waitForURL(/pulse=1/);
  await page.getByRole("link", { name: "Clear filters" }).click();
  await page.getByLabel("Act").selectOption("create");
  await page.waitForURL(/verb=create/);
  await page.getByRole("button", { name: "Created" }).first().click();
  await page.getByRole("button", { name: "Prove" }).click();
  await page.getByText("This entry is in the log").waitFor();
  await accessible("an entry of the log with its proof");
  const address = page.url();
  await page.goto(address);
  await page.getByRole("heading", { name: /^Entry / }).waitFor();
  await page.getByLabel("Only refused").check();
  await page.waitForURL(/denied=1/);
  await page.goto("/app/audit?verb=sign_in");
  await page.getByRole("button", { name: "Take along" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Make the file" }).click();
  equal(/^kontor-log-.*\.csv$/.test((await download).suggestedFilename()), true, "name of the file");
  await page.goto("/app/audit?tab=log");
  await page.getByText("Signed by").waitFor();
  await accessible("the checkpoint of the log");
});

journey("a token is made with a scope, shown once, and revoked", async (page, { signIn, accessible }) => {
  await signIn("seller");
  await page.goto("/app/tokens");
  await page.getByRole("button", { name: "New token" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("nightly report");
  await dialog.getByRole("button", { name: "Add" }).click();
  await accessible("the form of a new token");
  await dialog.getByRole("button", { name: "Make the token" }).click();
  await page.getByRole("dialog", { name: "Token made: nightly report" }).waitFor();
  await page.getByRole("button", { name: "I have kept it" }).click();
  await page.getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByText("Revoked").first().waitFor();
  await accessible("the list of tokens");
});

journey("what somebody may not use says so", async (page, { signIn }) => {
  await signIn("seller");
  for (const place of ["admin/users", "admin/roles", "admin/objects", "admin/health", "audit"]) {
    await page.goto(`/app/${place}`);
    await page.getByRole("heading", { name: "You may not see this" }).first().waitFor();
  }
});
