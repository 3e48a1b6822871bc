// A page four times as large, no motion for those who want none, and nothing lost without a server.

import { equal, journey } from "../house.mjs";
import { away } from "../steps.mjs";

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
