// An import from the file to its undo, with a small file of its own; and a duplicate that is found while somebody types.

import { readFileSync } from "node:fs";
import { equal, journey } from "../house.mjs";

/** Names that no other journey and no second attempt of this one has. */
const mark = () => `Q${Date.now().toString(36)}`;

/** The figure under a word of the totals. */
const total = (page, word) => page.locator("dl > div").filter({ has: page.getByText(word, { exact: true }) }).locator("dd");

async function send(page, name, text) {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose a file" }).focus();
  await page.keyboard.press("Enter");
  await (await chooser).setFiles([{ name, mimeType: "text/csv", buffer: Buffer.isBuffer(text) ? text : Buffer.from(text) }]);
  await page.getByRole("heading", { level: 2, name: "What was found in the file" }).waitFor();
}

journey("a list is imported in five steps, survives a reload, hands out rejected rows, and is taken back", async (page, { signIn, accessible }) => {
  const own = mark();
  const file = `客户名称;电话;Founded;Branche;Notiz\n${own} Hanse;+49 451 1234567;1901;Retail;a\n${own} Böse;kein Telefon;1902;Retail;b\n${own} Elbe;+49 40 5678901;1903;Handel;c\n`;
  await signIn("sales_manager");
  await page.goto("/app/o/account");
  await page.getByRole("row").nth(1).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Command or record" }).fill("Import Accounts");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/app\/import\?object=account/);
  await page.getByRole("heading", { level: 1, name: "Import" }).waitFor();
  await accessible("where an import begins");
  await send(page, "kunden.csv", file);
  await page.getByRole("combobox", { name: "Between columns" }).waitFor();
  await page.getByRole("cell", { name: `${own} Böse` }).waitFor();
  equal(await page.getByRole("combobox", { name: "Between columns" }).evaluate((one) => one.selectedOptions[0].text), "Semicolon – found", "the delimiter");
  for (const theme of ["light", "dark"]) await accessible("the file of an import", theme);

  await page.getByRole("button", { name: "Go on: columns" }).click();
  await page.getByRole("heading", { level: 2, name: "Which column goes where" }).waitFor();
  const field = (column) => page.getByRole("combobox", { name: `Field for column ${column}` });
  await field("客户名称").waitFor();
  const chosen = (column) => field(column).evaluate((one) => one.selectedOptions[0].text);
  equal(await chosen("客户名称"), "Name", "the column that Chinese people call so");
  equal(await chosen("电话"), "Phone", "the telephone");
  await field("Branche").selectOption({ label: "Industry" });
  await page.getByRole("button", { name: "How column Branche is read" }).click();
  await page.getByRole("dialog").getByLabel("What Handel stands for").selectOption({ label: "Retail" });
  await accessible("how a column is read");
  await page.getByRole("dialog").getByRole("button", { name: "Apply" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await field("Founded").selectOption({ label: "Founded in" });
  await page.getByRole("button", { name: "Leave them out" }).click();
  await page.getByText("Left out").first().waitFor();
  for (const theme of ["light", "dark"]) await accessible("the columns of an import", theme);

  await page.getByRole("button", { name: "Go on: duplicates" }).click();
  await page.getByLabel("By what stands in fields").check();
  await page.getByRole("checkbox", { name: "Name" }).waitFor();
  await accessible("rules for duplicates");
  await page.getByRole("button", { name: "Go on: try" }).click();
  await page.getByRole("button", { name: "Try all rows" }).click();
  await page.getByText("1 of 3 rows would be rejected.").waitFor();
  equal(await total(page, "New").innerText(), "2", "rows that would be new");
  await page.getByRole("region", { name: "Rejected rows" }).getByRole("cell", { name: "3", exact: true }).waitFor();
  for (const theme of ["light", "dark"]) await accessible("an import that was tried", theme);

  await page.getByRole("button", { name: "Go on: import" }).click();
  await page.getByRole("button", { name: /^Import 2 rows/ }).click();
  await page.getByText(/2 rows are in, 1 were rejected/).waitFor();
  await page.reload();
  await page.getByText(/2 rows are in, 1 were rejected/).waitFor();
  await accessible("an import that has ended");
  const saving = page.waitForEvent("download");
  await page.getByRole("link", { name: /Download 1 rejected row/ }).click();
  const saved = await saving;
  equal(saved.suggestedFilename(), "kunden.rejected.csv", "the name of the file");
  equal(/kein Telefon/.test(readFileSync(await saved.path(), "utf8")), true, "the rejected row in the file");
  await page.getByRole("link", { name: "Show these Accounts" }).click();
  await page.getByRole("link", { name: `${own} Hanse` }).waitFor();
  await page.goBack();

  await page.getByRole("button", { name: "Take the import back" }).click();
  const asked = page.getByRole("dialog", { name: "Take the whole import back?" });
  await asked.getByText("2 new records go to the recycle bin.").waitFor();
  await accessible("what an undo would do");
  await asked.getByRole("button", { name: "Take the import back" }).click();
  await page.getByText("2 new records are in the recycle bin.").waitFor();
  await page.goto("/app/import");
  await page.getByRole("link", { name: "kunden.csv" }).first().waitFor();
  await page.getByText("Taken back").first().waitFor();
});

journey("a wrong encoding is seen and mended, in Chinese and on a phone", async (page, { signIn, accessible }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await signIn("sales_manager", { language: "zh" });
  await page.goto("/app/import?object=account");
  await page.getByRole("button", { name: "选择文件" }).waitFor();
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "选择文件" }).click();
  // 客户名称,电话 / 汉萨贸易,+49 451 1234567 in GBK.
  const gbk = Buffer.from("bfcdbba7c3fbb3c62cb5e7bbb00ababac8f8c3b3d2d72c2b34392034353120313233343536370a", "hex");
  await (await chooser).setFiles([{ name: "客户.csv", mimeType: "text/csv", buffer: gbk }]);
  await page.getByRole("combobox", { name: "编码" }).waitFor();
  await page.getByRole("combobox", { name: "编码" }).selectOption("windows-1252");
  await page.getByRole("columnheader", { name: "¿Í»§Ãû³Æ" }).waitFor();
  await page.getByRole("combobox", { name: "编码" }).selectOption("gb18030");
  await page.getByRole("columnheader", { name: "客户名称" }).waitFor();
  await page.getByRole("button", { name: "下一步：列对应" }).click();
  const field = page.getByRole("combobox", { name: "列“客户名称”对应的字段" });
  await field.waitFor();
  equal(await field.evaluate((one) => one.selectedOptions[0].text), "名称", "the field of the name");
  await accessible("the columns on a phone");
  equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0, "overflow");
});

journey("a seller is told why there is no import", async (page, { signIn }) => {
  await signIn("seller");
  await page.goto("/app/import");
  await page.getByRole("heading", { level: 2, name: "You may not see this" }).waitFor();
});

journey("a customer who is there already is found while somebody types, and made again only with a reason", async (page, { signIn, accessible }) => {
  const name = `Twice & Co ${mark()}`;
  await signIn("sales_manager");
  await page.goto("/app/o/account");
  await page.getByRole("row").nth(1).waitFor();
  const dialog = page.getByRole("dialog");
  const make = dialog.getByRole("button", { name: "Create", exact: true });
  await page.keyboard.press("c");
  await dialog.getByLabel(/^Name/).fill(name);
  await make.click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
  await page.goBack();
  await page.getByRole("row").nth(1).waitFor();
  await page.keyboard.press("c");
  await dialog.getByLabel(/^Name/).fill(name);
  await dialog.getByText("Perhaps it is there already").waitFor();
  await dialog.getByRole("link", { name: `Open beside: ${name}` }).waitFor();
  await make.click();
  await dialog.getByText("Say why, or open the one that is there.").waitFor();
  for (const theme of ["light", "dark"]) await accessible("a form with a duplicate", theme);
  await dialog.getByLabel(/Why create it anyway/).fill("第二家 branch");
  await make.click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
});
