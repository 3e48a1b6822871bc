// Files of a record: added by keyboard and by drop, shown, saved, taken away; what is too large is said at the file.

import { readFileSync } from "node:fs";
import { equal, journey } from "../house.mjs";

/** A record of its own, so that no other journey meets the files. */
async function account(page, name) {
  const id = await page.evaluate(async (title) => {
    const session = await (await fetch("/api/v1/session")).json();
    const answer = await fetch("/api/v1/records/account", { method: "POST", headers: { "Content-Type": "application/json", "X-CSRF-Token": session.csrf }, body: JSON.stringify({ name: title }) });
    return (await answer.json()).id;
  }, name);
  await page.goto(`/app/o/account/${id}`);
  await page.getByRole("tab", { name: "Files" }).waitFor();
}

/** Lets go of files over the panel, as a mouse would. */
async function drop(page, files) {
  const data = await page.evaluateHandle((list) => {
    const transfer = new DataTransfer();
    for (const { name, type, size, bytes } of list) transfer.items.add(new File([bytes ? Uint8Array.from(bytes) : new Uint8Array(size)], name, { type }));
    return transfer;
  }, files);
  const place = page.getByRole("tabpanel").locator("[data-over]");
  await place.dispatchEvent("dragover", { dataTransfer: data });
  await place.dispatchEvent("drop", { dataTransfer: data });
}

const DOT = [...Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64")];

journey("files are put on a record by keyboard and by drop, shown, saved and taken away", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  await account(page, `Files & Sons ${Date.now()}`);
  await page.getByRole("tab", { name: "Files" }).click();
  await page.getByText("No files", { exact: true }).waitFor();
  await accessible("a record without files");
  await page.getByText("at most 25 MB each").waitFor();

  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Add files" }).focus();
  await page.keyboard.press("Enter");
  await (await chooser).setFiles([{ name: "信函 2026.txt", mimeType: "text/plain", buffer: Buffer.from("Dear Sir") }]);
  await page.getByRole("link", { name: "Download: 信函 2026.txt" }).waitFor();

  await drop(page, [{ name: "seal.png", type: "image/png", bytes: DOT }, { name: "film.bin", type: "", size: 25 * 1024 * 1024 + 1 }, { name: "empty.txt", type: "text/plain", size: 0 }]);
  await page.getByRole("button", { name: "Show: seal.png" }).waitFor();
  await page.getByRole("alert").filter({ hasText: "is too much; at most 25 MB" }).waitFor();
  await page.getByRole("alert").filter({ hasText: "The file is empty." }).waitFor();
  for (const theme of ["light", "dark"]) await accessible("files of a record", theme);

  await page.getByRole("button", { name: "Show: seal.png" }).click();
  const shown = page.getByRole("dialog", { name: "seal.png" });
  await shown.getByRole("img", { name: "seal.png" }).waitFor();
  await page.waitForFunction(() => document.querySelector("[role=dialog] img")?.naturalWidth === 1);
  await accessible("a picture that is shown");
  await page.keyboard.press("Escape");
  await shown.waitFor({ state: "detached" });

  const saving = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download: 信函 2026.txt" }).click();
  const saved = await saving;
  equal(saved.suggestedFilename(), "信函 2026.txt", "the name of the saved file");
  equal(readFileSync(await saved.path(), "utf8"), "Dear Sir", "what was saved");

  await page.getByRole("button", { name: "Take away: seal.png" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take away" }).click();
  await page.getByRole("button", { name: "Show: seal.png" }).waitFor({ state: "detached" });
  await page.reload();
  await page.getByRole("link", { name: "Download: 信函 2026.txt" }).waitFor();
  equal(await page.getByRole("button", { name: "Show: seal.png" }).count(), 0, "files that were taken away");
});
