// Units by file for who looks after them, and what a delete would do, said before it is done.

import { equal, journey } from "../house.mjs";
import { api } from "../steps.mjs";

journey("a security administrator brings units by file, and only what belongs to the house is offered", async (page, { signIn, accessible }) => {
  const own = `q${Date.now().toString(36)}`;
  await signIn("security_admin");
  await page.goto("/app/admin/units");
  await page.getByRole("link", { name: "From a file" }).click();
  await page.waitForURL(/\/app\/import\?object=unit/);
  const kinds = page.getByLabel("A row of the file is one of");
  await kinds.waitFor();
  equal((await kinds.locator("option").allInnerTexts()).join(), "Units,Users,Teams", "what rows can become");
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose a file" }).click();
  await (await chooser).setFiles([{ name: "units.csv", mimeType: "text/csv", buffer: Buffer.from(`code,name\n${own}-1,Branch ${own}\n${own}-2,Desk ${own}\n`) }]);
  await page.getByRole("heading", { level: 2, name: "What was found in the file" }).waitFor();
  await page.getByRole("button", { name: "Go on: columns" }).click();
  await page.getByRole("combobox", { name: "Field for column name" }).waitFor();
  await page.getByRole("button", { name: "Go on: duplicates" }).click();
  await page.getByRole("button", { name: "Go on: try" }).click();
  await page.getByRole("button", { name: "Try all rows" }).click();
  await page.getByRole("button", { name: "Go on: import" }).click();
  await page.getByRole("button", { name: /^Import 2 rows/ }).click();
  await page.getByText(/2 rows are in/).waitFor();
  await accessible("an import of units");
  await page.goto("/app/admin/units");
  await page.getByRole("treeitem", { name: `Branch ${own}` }).waitFor();
});

journey("a delete says first how many records point to what goes", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  const name = `Gone ${Date.now().toString(36)}`;
  const account = await api(page, "POST", "records/account", { name });
  for (const person of ["Una", "Duo"]) await api(page, "POST", "records/contact", { full_name: `${person} ${name}`, account: account.id });
  await page.goto(`/app/o/account/${account.id}`);
  await page.getByRole("tab", { name: "Overview" }).waitFor();
  await page.keyboard.press(".");
  await page.getByRole("menuitem", { name: "Delete" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("listitem").filter({ hasText: "Contacts" }).filter({ hasText: "2" }).filter({ hasText: "will lose their Account" }).waitFor();
  await accessible("what a delete would do");
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.waitForURL(/\/app\/o\/account($|\?)/);
});
