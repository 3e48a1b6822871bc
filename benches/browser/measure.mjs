// Figures of the web interface in Chromium, against the built binary: Lighthouse on four screens of a fresh demonstration, then a
// list of a million records on the appliance that `kontor-bench` has filled: how soon it can be used after the click, and whether
// a blank frame is seen while ten thousand rows are scrolled. Writes its tables into a document, between marks of its own.
//   measure.mjs --kontor BINARY --filled FOLDER --date DAY [--document FILE] [--only lighthouse|million] [--runs 5]

import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import lighthouse, { desktopConfig } from "lighthouse";
import { chromium } from "playwright-core";

const { values: told } = parseArgs({ options: { kontor: { type: "string" }, filled: { type: "string" }, date: { type: "string" }, document: { type: "string" }, only: { type: "string" }, runs: { type: "string" } } });
const root = fileURLToPath(new URL("../../", import.meta.url));

const PERFORMANCE_MIN = 95;
const ACCESSIBILITY_MIN = 100;
const SCRIPT_BYTES_MAX = 300_000;
const USABLE_MILLISECONDS_MAX = 1000;
const BLANK_MILLISECONDS_MAX = 100;
/** Runs of each figure; the middle one counts, so that one hiccup of a shared machine decides nothing. */
const RUNS = Number(told.runs ?? 5);
const ROWS = 10_000;
/** Five rows a frame: three hundred rows a second at sixty frames, faster than anybody reads. */
const PIXELS_A_FRAME = 160;
/** Who the filled appliance has made to look at everything. */
const READER = "bench.reader";

function browserPath() {
  const found = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
  if (!found) throw new Error("Chromium is missing: apt-get install chromium, or name it in CHROMIUM.");
  return found;
}

const median = (list) => [...list].sort((one, other) => one - other)[Math.floor(list.length / 2)];
const browserArgs = ["--no-sandbox", "--ignore-certificate-errors"];

/** Starts a program of the appliance, and hands back what `ready` makes of its output once that is there. */
function started(args, stream, ready) {
  const server = spawn(told.kontor, args, { stdio: ["ignore", "pipe", "pipe"] });
  return new Promise((resolve, reject) => {
    let text = "";
    server[stream].on("data", (part) => {
      text += part;
      const found = ready(text);
      if (found) resolve({ server, found });
    });
    server[stream === "stdout" ? "stderr" : "stdout"].resume();
    server.once("exit", (code) => reject(new Error(`the appliance ended with ${code}: ${text}`)));
  });
}

async function ended(server) {
  if (server.exitCode !== null) return;
  server.kill("SIGTERM");
  await new Promise((resolve) => server.once("exit", resolve));
}

async function signIn(page, url, login, password) {
  await page.addInitScript(() => localStorage.setItem("kontor.prefs.", JSON.stringify({ language: "en", theme: "light" })));
  await page.goto(`${url}/app/sign-in`);
  await page.fill("input[name=login]", login);
  await page.fill("input[name=password]", password);
  await page.click("button[type=submit]");
  await page.getByRole("search").waitFor();
}

/** One audit of one address in a browser that is signed in; what the cache holds is forgotten before, the session is not. */
async function audit(url, port, again = true) {
  const { lhr } = await lighthouse(url, { port, output: "json", logLevel: "error", onlyCategories: ["performance", "accessibility"], disableStorageReset: true }, desktopConfig);
  // The recording of a load fails now and then, which says nothing about the page.
  if (lhr.runtimeError && again) return audit(url, port, false);
  if (lhr.runtimeError) throw new Error(`${url}: ${lhr.runtimeError.message}`);
  const of = (name) => lhr.audits[name].numericValue;
  return { performance: Math.round(lhr.categories.performance.score * 100), accessibility: Math.round(lhr.categories.accessibility.score * 100), paint: of("first-contentful-paint"), largest: of("largest-contentful-paint"), blocked: of("total-blocking-time"), shift: of("cumulative-layout-shift") };
}

async function lighthouses() {
  const dir = mkdtempSync(join(tmpdir(), "kontor-lighthouse-"));
  const port = 20_000 + (process.pid % 20_000);
  const { server, found: demo } = await started(["demo", "--dir", join(dir, "demo"), "--listen", "127.0.0.1:0", "--json"], "stdout", (text) => (text.includes("\n") ? JSON.parse(text.slice(0, text.indexOf("\n"))) : null));
  const browser = await chromium.launchPersistentContext(join(dir, "browser"), { executablePath: browserPath(), headless: true, ignoreHTTPSErrors: true, args: [...browserArgs, `--remote-debugging-port=${port}`] });
  try {
    const results = [["sign-in", await audits(`${demo.url}/app/sign-in`, port)]];
    const user = demo.users.find((one) => one.roles.includes("seller"));
    const page = await browser.newPage();
    await signIn(page, demo.url, user.login, user.password);
    await page.goto(`${demo.url}/app/o/account`);
    await page.locator("[role=row] a").first().waitFor();
    const record = await page.locator("[role=row] a").first().getAttribute("href");
    await page.close();
    for (const [name, path] of [["home", "/app/"], ["list", "/app/o/account"], ["record", record]]) results.push([name, await audits(`${demo.url}${path}`, port)]);
    return results;
  } finally {
    await browser.close();
    await ended(server);
    rmSync(dir, { recursive: true, force: true });
  }
}

async function audits(url, port) {
  const runs = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await audit(url, port));
  const middle = (name) => median(runs.map((one) => one[name]));
  return { performance: middle("performance"), accessibility: Math.min(...runs.map((one) => one.accessibility)), paint: middle("paint"), largest: middle("largest"), blocked: middle("blocked"), shift: middle("shift") };
}

/** From the click on the rail until a row of the list is painted and can be pressed. */
async function usable(page, url) {
  await page.goto(`${url}/app/`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.locator("[data-bone]").first().waitFor({ state: "detached" });
  await page.evaluate(() => {
    window.usable = new Promise((resolve) => {
      addEventListener("click", (event) => {
        const began = event.timeStamp;
        const look = () => {
          const link = document.querySelector("[role=row] a");
          const box = link?.getBoundingClientRect();
          const there = box && link.textContent && document.elementFromPoint(box.x + 4, box.y + box.height / 2)?.closest("[role=row] a") === link;
          // The frame after the one in which it is there has it painted.
          if (there) requestAnimationFrame(() => resolve(performance.now() - began));
          else requestAnimationFrame(look);
        };
        look();
      }, { capture: true, once: true });
    });
  });
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Contacts" }).click();
  return page.evaluate(() => window.usable);
}

/** Scrolls until ten thousand rows have passed; looks in every frame at three places whether a row with words stands there. */
function scrolled(page) {
  return page.evaluate(
    ([rows, pixels]) =>
      new Promise((resolve) => {
        const place = document.querySelector("[data-scroll]");
        const box = place.getBoundingClientRect();
        const x = box.x + 120;
        const spots = [0.1, 0.5, 0.9].map((part) => box.y + 40 + (box.height - 60) * part);
        const began = performance.now();
        let [last, blankSince, blank, slowest, frames] = [began, null, 0, 0, 0];
        const step = (now) => {
          slowest = Math.max(slowest, now - last);
          last = now;
          frames += 1;
          const full = spots.every((y) => document.elementFromPoint(x, y)?.closest("[role=row]")?.textContent);
          if (full) blankSince = null;
          else blankSince ??= now;
          if (blankSince !== null) blank = Math.max(blank, now - blankSince + 1000 / 60);
          const seen = Number([...document.querySelectorAll("[role=row][data-index]")].at(-1)?.dataset.index ?? 0);
          if (seen >= rows || now - began > 180_000) return resolve({ seen, seconds: (now - began) / 1000, frames, blank, slowest });
          place.scrollTop += pixels;
          requestAnimationFrame(step);
        };
        requestAnimationFrame(step);
      }),
    [ROWS, PIXELS_A_FRAME],
  );
}

async function million() {
  const address = readFileSync(join(told.filled, "address"), "utf8").trim();
  const password = readFileSync(join(told.filled, "password"), "utf8").trim();
  const url = `https://${address}`;
  const { server } = await started(["serve", "--dir", join(told.filled, "appliance")], "stderr", (text) => /serving/.test(text));
  const browser = await chromium.launch({ executablePath: browserPath(), args: browserArgs });
  try {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1366, height: 768 }, locale: "en-GB" });
    const page = await context.newPage();
    await signIn(page, url, READER, password);
    const rows = await page.evaluate(async () => (await (await fetch("/api/v1/records/contact?count=exact&limit=1")).json()).count);
    const opened = [];
    for (let run = 0; run < RUNS * 2; run += 1) opened.push(await usable(page, url));
    const scrolls = [];
    for (let run = 0; run < 3; run += 1) {
      await usable(page, url);
      scrolls.push(await scrolled(page));
    }
    return { rows, opened, scrolls };
  } finally {
    await browser.close();
    await ended(server);
  }
}

/** What a first visit loads before anything can be done, compressed: said and held by the interface's own script. */
function scriptBytes() {
  const text = execFileSync("node", [join(root, "src/ui/scripts/size.mjs")], { encoding: "utf8" });
  return Number(/: ([\d.]+) kB gzip/.exec(text.split("\n").find((line) => line.startsWith("first page")))[1]) * 1000;
}

const yes = (met) => (met ? "yes" : "**no**");
const ms = (value) => `${Math.round(value).toLocaleString("en")} ms`;

function written(screens, list) {
  const script = scriptBytes();
  const lines = [`Measured ${told.date} with ${execFileSync(told.kontor, ["version"], { encoding: "utf8" }).trim().split("\n")[0]} in Chromium on ${cpus().length} × ${cpus()[0].model.trim()}, ${(totalmem() / 2 ** 30).toFixed(1)} GiB memory; server and browser share the cores.`, "", "| aim | measured | met |", "|---|---|---|"];
  for (const [name, one] of screens ?? []) {
    lines.push(`| Lighthouse, ${name}: performance ≥ ${PERFORMANCE_MIN} | ${one.performance} | ${yes(one.performance >= PERFORMANCE_MIN)} |`);
    lines.push(`| Lighthouse, ${name}: accessibility ${ACCESSIBILITY_MIN} | ${one.accessibility} | ${yes(one.accessibility >= ACCESSIBILITY_MIN)} |`);
  }
  lines.push(`| first visit: scripts and words ≤ ${SCRIPT_BYTES_MAX / 1000} kB gzip | ${(script / 1000).toFixed(1)} kB | ${yes(script <= SCRIPT_BYTES_MAX)} |`);
  if (list) {
    const [middle, worst] = [median(list.opened), Math.max(...list.opened)];
    lines.push(`| list of ${list.rows.toLocaleString("en")} contacts usable ≤ ${ms(USABLE_MILLISECONDS_MAX)} after the click | ${ms(middle)}, at worst ${ms(worst)} of ${list.opened.length} | ${yes(worst <= USABLE_MILLISECONDS_MAX)} |`);
    const blank = Math.max(...list.scrolls.map((one) => one.blank));
    lines.push(`| scrolling ${ROWS.toLocaleString("en")} rows: longest time with a blank row in sight ≤ ${ms(BLANK_MILLISECONDS_MAX)} | ${ms(blank)} | ${yes(blank <= BLANK_MILLISECONDS_MAX)} |`);
  }
  if (screens) {
    lines.push("", "| screen | first paint | largest paint | blocked | layout shift |", "|---|---|---|---|---|");
    for (const [name, one] of screens) lines.push(`| ${name} | ${ms(one.paint)} | ${ms(one.largest)} | ${ms(one.blocked)} | ${one.shift.toFixed(3)} |`);
  }
  if (list) {
    lines.push("", "| scroll | rows | seconds | rows a second | frames a second | slowest frame | longest blank |", "|---|---|---|---|---|---|---|");
    list.scrolls.forEach((one, at) => lines.push(`| ${at + 1} | ${one.seen.toLocaleString("en")} | ${one.seconds.toFixed(1)} | ${Math.round(one.seen / one.seconds)} | ${Math.round(one.frames / one.seconds)} | ${ms(one.slowest)} | ${ms(one.blank)} |`));
  }
  return lines.join("\n");
}

const screens = told.only === "million" ? null : await lighthouses();
const list = told.only === "lighthouse" ? null : await million();
const text = written(screens, list);
console.log(text);
if (told.document) {
  const [begin, end] = ["<!-- figures: web interface -->", "<!-- end of figures: web interface -->"];
  const document = readFileSync(told.document, "utf8");
  if (!document.includes(begin) || !document.includes(end)) throw new Error(`${told.document} has no marks for the web interface`);
  writeFileSync(told.document, `${document.slice(0, document.indexOf(begin) + begin.length)}\n${text}\n\n${document.slice(document.indexOf(end))}`);
}
