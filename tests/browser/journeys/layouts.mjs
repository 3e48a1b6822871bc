// Arranging pages: fields and sections are moved by keyboard and by drag, planned, stored, and seen by those who work with them.

import { equal, journey } from "../house.mjs";

/** Somebody else, in a window of their own. */
async function another(page, user) {
  const context = await page.context().browser().newContext({ ignoreHTTPSErrors: true, viewport: { width: 1366, height: 768 }, baseURL: new URL(page.url()).origin });
  const other = await context.newPage();
  other.setDefaultTimeout(45_000);
  await other.addInitScript(() => localStorage.setItem("kontor.prefs.", JSON.stringify({ theme: "light", language: "en" })));
  await other.goto("/app/sign-in");
  await other.fill("input[name=login]", user.login);
  await other.fill("input[name=password]", user.password);
  await other.click("button[type=submit]");
  await other.getByRole("search").waitFor();
  return other;
}

async function carryOut(page) {
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Preview" }).click();
  await dialog.getByRole("heading", { name: "What will happen" }).waitFor();
  await dialog.getByRole("button", { name: "Carry it out" }).click();
  await dialog.waitFor({ state: "detached" });
}

journey("an administrator arranges the page of products by keyboard and by drag, and a seller finds it so", async (page, { signIn, accessible, user }) => {
  await signIn("system_admin");
  await page.goto("/app/admin/objects/product");
  await page.getByRole("link", { name: "Layout" }).click();
  const sections = page.locator("[data-part]");
  const facts = sections.filter({ has: page.getByRole("heading", { name: "Facts", exact: true }) });
  const labels = async (section) => (await section.getByRole("listitem").allInnerTexts()).map((text) => text.trim());
  await facts.getByText("Brand", { exact: true }).waitFor();
  const before = await labels(facts);
  const at = before.indexOf("Brand");
  const grip = facts.getByRole("button", { name: "Move Brand" });
  await grip.focus();
  await page.keyboard.press("ArrowUp");
  await page.getByText(`Brand: Facts, place ${at} of ${before.length}.`).waitFor();
  equal((await labels(facts)).indexOf("Brand"), at - 1, "place of the brand");
  equal(await grip.evaluate((one) => one === document.activeElement), true, "the focus stays on what was moved");
  await page.getByRole("button", { name: "New section" }).click();
  const part = sections.filter({ has: page.getByRole("heading", { name: "New section" }) });
  await part.getByLabel("Name in English").fill("Berth");
  const berth = sections.filter({ has: page.getByRole("heading", { name: "Berth", exact: true }) });
  await berth.getByLabel("Name in Chinese").fill("泊位");
  await page.keyboard.press("Enter");
  const mover = page.getByRole("button", { name: "Move the section Berth" });
  await mover.focus();
  for (const place of [3, 2]) {
    await page.keyboard.press("ArrowUp");
    await page.getByText(`Berth: section ${place} of 4.`).waitFor();
  }
  // By drag: the brand goes into the new section, which stands below its own now.
  await berth.scrollIntoViewIfNeeded();
  await facts.getByRole("button", { name: "Move Brand" }).hover();
  await page.mouse.down();
  const to = await berth.getByText("Drop fields here").boundingBox();
  for (const step of [10, 2, 0]) await page.mouse.move(to.x + 20 + step, to.y + to.height / 2, { steps: 5 });
  await page.mouse.up();
  await berth.getByText("Brand", { exact: true }).waitFor();
  await page.getByRole("region", { name: "Preview" }).getByRole("heading", { name: "Berth" }).waitFor();
  for (const theme of ["light", "dark"]) await accessible("the desk of layouts", theme);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await carryOut(page);
  await page.getByText("Arranged", { exact: true }).waitFor();
  const other = await another(page, user("seller"));
  await other.goto("/app/o/product");
  await other.getByRole("row").getByRole("link").first().click();
  await other.getByRole("heading", { name: "Berth" }).waitFor();
  await other.context().close();
  await page.getByRole("button", { name: "Back to the standard" }).click();
  await carryOut(page);
  await page.getByText("Standard", { exact: true }).waitFor();
  equal((await labels(facts)).indexOf("Brand"), at, "place of the brand in the standard");
});
