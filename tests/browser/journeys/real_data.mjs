// The days of a seller and a manager over data that real people made: a sales team's accounts, products, people and 8,800 deals,
// taken in by the command line as an administrator would. Where the data does not lie beside the checkout, it says so.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { equal, journey } from "../house.mjs";

const root = new URL("../../../", import.meta.url);
const sales = `${process.env.KONTOR_SHARED ?? fileURLToPath(new URL("../shared", root))}/data/crm-sales/`;
const PASSWORD = "a-long-enough-password-7";

/** Four commands, then a seller and a manager get a role and a password. */
function fill(house) {
  for (const [object, mapping, file] of [
    ["account", "accounts", "accounts.csv"],
    ["product", "products", "products.csv"],
    ["user", "teams", "sales_teams.csv"],
    ["opportunity", "pipeline", "sales_pipeline.csv"],
  ]) {
    house.on(["import"], "--object", object, "--map", fileURLToPath(new URL(`tests/mappings/crm-sales-${mapping}.json`, root)), "--rejects", house.path("rejected.csv"), `${sales}${file}`);
  }
  return [["darcel.schlecht", "seller"], ["melvin.marxen", "sales_manager"]].map(([login, role]) => {
    house.on(["user", "password"], "--lasting", "--password-file", house.secret(PASSWORD), login);
    house.on(["user", "grant"], login, role);
    return { login, password: PASSWORD, roles: [role] };
  });
}

/** What the file itself says of one agent's deals, so that nothing is taken on trust. */
function dealsOf(agent) {
  const rows = readFileSync(`${sales}sales_pipeline.csv`, "utf8").split("\n").slice(1).map((line) => line.trim().split(","));
  return rows.filter((row) => row[1] === agent);
}

const english = (count) => count.toLocaleString("en");

async function walkDeals(page, signIn) {
  await signIn("seller");
  const own = dealsOf("Darcel Schlecht");
  const count = (stage) => english(own.filter((row) => row[4] === stage).length);
  // The best deal of the file stands on top of the list.
  await page.goto("/app/o/opportunity?sort=-amount");
  const best = Math.max(...own.map((row) => Number(row[7] || 0)));
  await page.getByRole("row").nth(1).filter({ hasText: english(best) }).waitFor();
  // The board counts what the file counts.
  await page.goto("/app/o/opportunity?as=board");
  const column = page.locator("[data-column=prospecting]");
  await column.locator("[data-card]").first().waitFor();
  await column.getByText(count("Prospecting"), { exact: true }).first().waitFor();
  // One of them: opened, told about, moved.
  await column.locator("[data-card] a").first().click();
  await page.locator("[data-stage=prospecting][aria-current=step]").waitFor();
  const write = page.getByRole("form", { name: "Write about this record" });
  await write.getByRole("button", { name: "Call" }).click();
  await write.getByLabel("Subject").fill("Asked for a second quotation");
  await write.getByRole("button", { name: "Save" }).click();
  await page.locator("li", { hasText: "Asked for a second quotation" }).first().waitFor();
  await page.locator("[data-stage=engaging]").click();
  await page.locator("[data-stage=engaging][aria-current=step]").waitFor();
  return page.url();
}

async function walkTeam(page, deal) {
  await page.goto("/app/o/opportunity?by=owner&sums=amount");
  for (const mate of ["Darcel Schlecht", "Gladys Colclough", "Niesha Huffines"]) await page.getByText(mate).first().waitFor();
  const group = page.getByRole("button", { name: /Gladys Colclough/ }).first();
  equal((await group.innerText()).replaceAll("\n", " ").includes(english(dealsOf("Gladys Colclough").length)), true, `deals of a seller in the file and in the group ${await group.innerText()}`);
  equal(await page.getByText("Hayden Neloms").count(), 0, "somebody of another office");
  await page.goto(deal);
  await page.locator("li", { hasText: "Asked for a second quotation" }).first().waitFor();
}

if (!existsSync(`${sales}sales_pipeline.csv`)) {
  console.log("SKIPPED: the third-party data is not beside this checkout, so no journey walks over it");
} else {
  journey(
    "on real data a seller finds, reads and moves their deals, and a manager those of the team",
    async (page, { signIn, as }) => {
      const deal = await walkDeals(page, signIn);
      await as("sales_manager", (manager) => walkTeam(manager, deal));
    },
    { fresh: fill },
  );
}
