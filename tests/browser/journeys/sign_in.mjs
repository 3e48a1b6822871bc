// Getting in and out.

import { equal, journey } from "../house.mjs";

journey("a wrong password says so, keeps the name, and the right one opens the home page", async (page, { user, accessible }) => {
  await page.goto("/");
  await page.waitForURL(/sign-in/);
  await accessible("the sign-in page");
  const { login, password } = user("seller");
  await page.fill("input[name=login]", login);
  await page.fill("input[name=password]", "not this one, really");
  await page.click("button[type=submit]");
  await page.getByRole("alert").waitFor();
  equal(await page.inputValue("input[name=login]"), login, "the typed name");
  await page.fill("input[name=password]", password);
  await page.click("button[type=submit]");
  await page.getByRole("navigation").first().waitFor();
  equal(await page.locator("h1").count(), 1, "number of h1");
});

journey("home is accessible in each theme and in both languages", async (page, { signIn, accessible }) => {
  // Apart from what the server keeps: a theme that arrives from there would change the colours while they are looked at.
  await signIn("seller", { language: "en" });
  await page.getByRole("heading", { name: "Pipeline" }).waitFor();
  for (const theme of ["light", "dark", "contrast"]) {
    await accessible(`home, ${theme}`, theme);
  }
  await page.getByRole("button", { name: /^You/ }).click();
  await page.getByRole("menuitem", { name: "中文" }).click();
  await page.getByRole("heading", { name: "商机管道" }).waitFor();
  equal(await page.evaluate(() => document.documentElement.lang), "zh-CN", "language of the page");
});

journey("a deep link survives the sign-in", async (page, { user }) => {
  await page.goto("/app/settings");
  await page.waitForURL(/sign-in/);
  const { login, password } = user("audit_admin");
  await page.fill("input[name=login]", login);
  await page.fill("input[name=password]", password);
  await page.click("button[type=submit]");
  await page.waitForURL(/\/app\/settings$/);
});
