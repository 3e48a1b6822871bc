// Axe on every address of the interface, in the light and in the dark. The addresses come from the router itself: one that is
// added there and not here fails, so that no page goes unlooked at.

import { readFileSync } from "node:fs";
import { equal, journey } from "../house.mjs";
import { api } from "../steps.mjs";

const heading = (page) => page.getByRole("heading", { level: 1 }).waitFor();
const first = async (page, address, of = "tbody a") => {
  await page.goto(address);
  await page.locator(of).first().click();
};

/** Who looks at a page, how they come there, and what must stand there before it is looked at. */
const PAGES = {
  "/sign-in": { who: null, ready: (page) => page.getByLabel("Password").waitFor() },
  "/password": { who: "seller", ready: (page) => page.getByRole("heading", { name: "Choose your own password" }).waitFor() },
  "/": { who: "seller", ready: (page) => page.getByRole("heading", { name: "Pipeline" }).waitFor() },
  "/setup": { who: "system_admin", ready: heading },
  "/o/$object": { who: "seller", go: (page) => page.goto("/app/o/account"), ready: (page) => page.locator("[role=row] a").first().waitFor() },
  "/o/$object/$id": {
    who: "seller",
    go: (page) => first(page, "/app/o/account", "[role=row] a"),
    ready: async (page) => {
      await page.locator("[data-field]").first().waitFor();
      await page.getByText(/What happened|Done|Nothing has happened/).first().waitFor();
    },
  },
  "/merge/$object": {
    who: "sales_manager",
    go: async (page) => {
      const { items } = await api(page, "GET", "records/account?limit=2");
      await page.goto(`/app/merge/account?ids=${items.map((item) => item.id).join(",")}`);
    },
    ready: (page) => page.getByText("Into the bin:").waitFor(),
  },
  "/settings": { who: "seller", ready: (page) => page.getByRole("heading", { name: "Where you are signed in" }).waitFor() },
  "/import": { who: "sales_manager", ready: heading },
  "/import/$id": {
    who: "sales_manager",
    go: async (page) => {
      await page.goto("/app/import?object=account");
      const chooser = page.waitForEvent("filechooser");
      await page.getByRole("button", { name: "Choose a file" }).click();
      await (await chooser).setFiles([{ name: "looked-at.csv", mimeType: "text/csv", buffer: Buffer.from("Name;Phone\nLooked At;+49 451 7654321\n") }]);
    },
    ready: (page) => page.getByRole("heading", { level: 2, name: "What was found in the file" }).waitFor(),
    after: (page) => api(page, "DELETE", `imports/${/import\/([0-9a-f-]+)/.exec(page.url())[1]}`).catch(() => undefined),
  },
  "/tokens": { who: "system_admin", ready: heading },
  "/audit": { who: "audit_admin", ready: heading },
  "/admin/users": { who: "security_admin", ready: (page) => page.locator("tbody a").first().waitFor() },
  "/admin/users/$id": { who: "security_admin", go: (page) => first(page, "/app/admin/users"), ready: heading },
  "/admin/units": { who: "security_admin", ready: (page) => page.getByRole("treeitem").first().waitFor() },
  "/admin/teams": { who: "security_admin", ready: heading },
  "/admin/roles": { who: "security_admin", ready: (page) => page.getByRole("table").first().waitFor() },
  "/admin/roles/edit": { who: "security_admin", go: (page) => page.goto("/app/admin/roles/edit?copy=seller"), ready: (page) => page.getByRole("table").first().waitFor() },
  "/admin/rights": { who: "audit_admin", ready: heading },
  "/admin/view-as": { who: "security_admin", go: (page) => page.goto("/app/admin/view-as?roles=seller"), ready: (page) => page.getByRole("heading", { name: "The rail" }).waitFor() },
  "/admin/objects": { who: "system_admin", ready: (page) => page.locator("main a[href*='/admin/objects/']").first().waitFor() },
  "/admin/objects/$object": { who: "system_admin", go: (page) => page.goto("/app/admin/objects/account"), ready: (page) => page.getByRole("table").first().waitFor() },
  "/admin/objects/$object/layout": { who: "system_admin", go: (page) => page.goto("/app/admin/objects/account/layout"), ready: (page) => page.locator("[data-part]").first().waitFor() },
  "/admin/appliance": { who: "system_admin", ready: heading },
  "/admin/backups": { who: "system_admin", ready: heading },
  "/admin/backups/pick": { who: "sales_manager", ready: heading },
  "/admin/health": { who: "system_admin", ready: (page) => page.getByText("About this appliance").waitFor() },
};

journey("every address of the router is looked at with axe", async () => {
  const router = readFileSync(new URL("../../../src/ui/app/router.tsx", import.meta.url), "utf8");
  const known = [...router.matchAll(/\bpath: "([^"]+)"/g)].map((found) => found[1]).sort();
  equal(JSON.stringify(Object.keys(PAGES).sort()), JSON.stringify(known), "addresses with a page in this file");
});

for (const who of new Set(Object.values(PAGES).map((one) => one.who))) {
  journey(`${who === null ? "before the sign-in" : `what a ${who} opens`}, each address is accessible in the light and in the dark`, async (page, { signIn, accessible }) => {
    if (who !== null) await signIn(who);
    for (const [path, { go, ready, after }] of Object.entries(PAGES).filter(([, one]) => one.who === who)) {
      await (go ? go(page) : page.goto(`/app${path}`));
      await ready(page);
      await page.waitForFunction(() => document.querySelector("[data-bone], [aria-busy=true]") === null);
      for (const theme of ["light", "dark"]) await accessible(`${path}, ${theme}`, theme);
      await after?.(page);
    }
  });
}
