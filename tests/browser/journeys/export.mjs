// A list as a file: what stands in the list, made in the background, saved, taken away; and not for everybody.

import { readFileSync } from "node:fs";
import { equal, journey } from "../house.mjs";

journey("a list becomes a file with its columns and filter, is saved, and is taken away", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  const filter = encodeURIComponent(JSON.stringify({ and: [{ field: "name", op: "contains", value: "a" }] }));
  await page.goto(`/app/o/account?q=&f=${filter}`);
  await page.getByRole("row").nth(1).waitFor();
  const first = await page.getByRole("row").nth(1).getByRole("gridcell").nth(1).innerText();
  await page.getByRole("button", { name: "View", exact: true }).click();
  await page.getByRole("menuitem", { name: "As a file…" }).click();
  const dialog = page.getByRole("dialog", { name: "Accounts as a file" });
  const links = dialog.getByRole("link", { name: /^Save / });
  const had = await links.count();
  await dialog.getByRole("button", { name: "Make the file" }).click();
  await links.nth(had).waitFor();
  const save = links.first();
  for (const theme of ["light", "dark"]) await accessible("the dialog of files", theme);
  const download = page.waitForEvent("download");
  await save.click();
  const text = readFileSync(await (await download).path(), "utf8");
  equal(text.startsWith("\ufeff"), true, "a byte order mark");
  equal(text.includes(first.trim()), true, `the first row, ${first}, in the file`);
  equal(text.trim().split(/\r?\n/).length > 10, true, "rows of the file");
  const href = await save.getAttribute("href");
  await dialog.getByRole("button", { name: /^Take away / }).first().click();
  await dialog.locator(`a[href="${href}"]`).waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "detached" });
});

journey("without the right there is no file of a list, and the server refuses it too", async (page, { signIn }) => {
  await signIn("seller");
  await page.goto("/app/o/account");
  await page.getByRole("row").nth(1).waitFor();
  await page.getByRole("button", { name: "View", exact: true }).click();
  await page.getByRole("menuitem").first().waitFor();
  equal(await page.getByRole("menuitem", { name: "As a file…" }).count(), 0, "entries for a file");
  const { csrf } = await (await page.request.get("/api/v1/session")).json();
  const answer = await page.request.post("/api/v1/records/account/export", { data: { columns: ["name"], format: "csv" }, headers: { "X-CSRF-Token": csrf } });
  equal(answer.status(), 403, "the answer of the server");
});
