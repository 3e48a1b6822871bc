// Pictures of the main screens for docs/screens, from a fresh demonstration: `node tests/browser/screens.mjs FOLDER [PART]`, with the
// binary in KONTOR_BIN. They are WebP, so that all of them together stay small. It proves nothing; people look at them.

import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { apart, start, stop } from "./house.mjs";

const [folder = "docs/screens", part = ""] = process.argv.slice(2);
const DESK = { width: 1366, height: 768 };
export const PHONE = { width: 390, height: 844 };
/** Who looks: people of the sample data, so that an English screen has an English name in its corner and a Chinese one a Chinese. */
const PEOPLE = { seller: { en: "emily.hartwick", zh: "lin.yue" }, sales_manager: { en: "karla.lindenhoop", zh: "gu.mingche" } };
const BYTES_MAX = 3_000_000;

const rows = (page) => page.locator("[role=row] a").first().waitFor();
const record = async (page) => {
  await page.locator("[data-field]").nth(5).waitFor();
  await page.locator("ol li, section li").first().waitFor();
};

/** The deal with the largest amount in negotiation: it has facts, people and a story. */
async function openDeal(page) {
  const id = await page.evaluate(async () => {
    const query = new URLSearchParams({ fields: "name", sort: "-amount", limit: "1", filter: JSON.stringify({ field: "stage", op: "eq", value: "negotiation" }) });
    return (await (await fetch(`/api/v1/records/opportunity?${query}`)).json()).items[0].id;
  });
  await page.goto(`/app/o/opportunity/${id}`);
  await record(page);
}

const SCREENS = [
  {
    name: "sign-in",
    ready: async (page) => {
      await page.goto("/app/sign-in");
      await page.locator("input[name=login]").waitFor();
    },
  },
  { name: "home", who: "seller", all: true, ready: (page) => page.locator("[data-widget=deals] a").first().waitFor() },
  {
    name: "list",
    who: "seller",
    all: true,
    ready: async (page) => {
      await page.goto("/app/o/account");
      await rows(page);
    },
  },
  { name: "record", who: "seller", all: true, ready: openDeal },
  {
    name: "board",
    who: "seller",
    all: true,
    ready: async (page) => {
      await page.goto("/app/o/opportunity?as=board");
      await page.locator("[data-column=negotiation] [data-card]").first().waitFor();
    },
  },
  {
    name: "calendar",
    who: "seller",
    ready: async (page) => {
      await page.goto("/app/o/activity?as=calendar&span=month");
      await page.locator("[data-entry]").first().waitFor();
    },
  },
  {
    name: "palette",
    who: "seller",
    ready: async (page) => {
      await openDeal(page);
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").getByRole("option").first().waitFor();
    },
  },
  {
    name: "import",
    who: "sales_manager",
    ready: async (page) => {
      await page.goto("/app/import?object=contact");
      const chooser = page.waitForEvent("filechooser");
      await page.getByRole("button", { name: "Choose a file" }).click();
      const text = "姓名;Title;手机;E-mail;Kunde;Booth\nInga Hansen;Buyer;+49 171 1234567;inga.hansen@example.org;Hanse Reederei;B 12\nNils Petersen;Head of logistics;0171 998877;nils@example.org;Elbe Kontor;\n陈晓雨;采购经理;138 1234 5678;chen@example.org;宁波海运;A 3\n";
      await (await chooser).setFiles([{ name: "trade-fair.csv", mimeType: "text/csv", buffer: Buffer.from(text) }]);
      await page.getByRole("heading", { level: 2, name: "What was found in the file" }).waitFor();
      await page.getByRole("button", { name: "Go on: columns" }).click();
      await page.getByRole("combobox", { name: "Field for column 手机" }).waitFor();
    },
  },
  {
    name: "roles",
    who: "security_admin",
    ready: async (page) => {
      await page.goto("/app/admin/roles?role=sales_manager");
      await page.getByRole("table").first().waitFor();
    },
  },
  {
    name: "audit",
    who: "audit_admin",
    ready: async (page) => {
      await page.goto("/app/audit");
      await page.locator("tbody tr").nth(5).waitFor();
    },
  },
];

/** Each screen on the desk; the most telling ones also by phone, in the dark and in Chinese. */
const shots = SCREENS.flatMap((screen) => [
  { ...screen, file: screen.name },
  ...(screen.all ? [{ ...screen, file: `${screen.name}-phone`, size: PHONE }, { ...screen, file: `${screen.name}-dark`, theme: "dark" }, { ...screen, file: `${screen.name}-zh`, language: "zh" }] : []),
]).filter((one) => one.file.includes(part));

/** Waits until nothing was asked for half a second; the stream of changes stays open and does not count. */
function quietness(page) {
  const open = new Set();
  let last = Date.now();
  const step = (act) => (request) => {
    if (request.url().includes("/api/v1/events")) return;
    // What the page before still waited for is not told of when another takes its place.
    if (request.isNavigationRequest()) open.clear();
    act(request);
    last = Date.now();
  };
  page.on("request", step((request) => open.add(request)));
  page.on("requestfinished", step((request) => open.delete(request)));
  page.on("requestfailed", step((request) => open.delete(request)));
  return async () => {
    while (open.size > 0 || Date.now() - last < 500) await new Promise((resolve) => setTimeout(resolve, 100));
  };
}

export async function shoot(house, { who, ready, file, size = DESK, theme = "light", language = "en" }, to) {
  const { demo, browser } = house;
  const phone = size === PHONE;
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: size, hasTouch: phone, isMobile: phone, reducedMotion: "reduce", locale: language === "zh" ? "zh-CN" : "en-GB", timezoneId: language === "zh" ? "Asia/Shanghai" : "Europe/Berlin", baseURL: demo.url });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const quiet = quietness(page);
  try {
    // What the server keeps of this person's habits must not win over what the picture is to show.
    await apart(page);
    await page.addInitScript((set) => localStorage.setItem("kontor.prefs.", JSON.stringify(set)), { theme, language });
    if (who) {
      const login = PEOPLE[who]?.[language] ?? demo.users.find((user) => user.roles.includes(who)).login;
      const { password } = demo.users.find((user) => user.login === login);
      await page.goto("/");
      await page.fill("input[name=login]", login);
      await page.fill("input[name=password]", password);
      await page.click("button[type=submit]");
      await page.getByRole("search").waitFor();
    }
    await ready(page);
    await page.mouse.move(0, 0);
    await quiet();
    await page.waitForFunction(() => document.querySelector("[data-bone]") === null);
    await page.evaluate(() => document.activeElement?.matches("input[role=combobox]") || document.activeElement?.blur());
    const wire = await context.newCDPSession(page);
    const { data } = await wire.send("Page.captureScreenshot", { format: "webp", quality: 88 });
    writeFileSync(join(to, `${file}.webp`), Buffer.from(data, "base64"));
    if (process.env.KONTOR_SHOTS) await page.screenshot({ path: join(process.env.KONTOR_SHOTS, `${file}.png`) });
  } finally {
    await context.close();
  }
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  mkdirSync(folder, { recursive: true });
  const house = await start();
  try {
    for (const shot of shots) {
      await shoot(house, shot, folder);
      console.log(`${shot.file}.webp`);
    }
  } finally {
    await stop(house);
  }
  const all = readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
  console.log(`${(all / 1000).toFixed(0)} kB of ${BYTES_MAX / 1000} in ${folder}`);
  if (all > BYTES_MAX) process.exitCode = 1;
}
