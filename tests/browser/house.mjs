// What every journey needs: a demonstration of its own, a browser, and a page that notes what must never happen (an error in
// the console, a breach of the content policy, a request to another host).

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { chromium } from "playwright-core";

export const journeys = [];

/** One journey: a name that says what people can do, and the steps. With `fresh` it gets an appliance of its own, as `init` makes
 * it, instead of the demonstration that all share; a `fresh` that is a function fills it by the command line before it is served,
 * and hands back its further users. */
export function journey(name, run, { fresh = false } = {}) {
  journeys.push({ name, run, fresh });
}

function browserPath() {
  const known = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
  const found = known.find((path) => path && existsSync(path));
  if (!found) throw new Error("Chromium is missing: apt-get install chromium, or name it in CHROMIUM.");
  return found;
}

export async function start() {
  const dir = mkdtempSync(join(tmpdir(), "kontor-browser-"));
  const server = spawn(process.env.KONTOR_BIN ?? "kontor", ["demo", "--dir", join(dir, "demo"), "--listen", "127.0.0.1:0", "--json"], { stdio: ["ignore", "pipe", "inherit"] });
  const demo = await new Promise((resolve, reject) => {
    let text = "";
    server.stdout.on("data", (part) => {
      text += part;
      const end = text.indexOf("\n");
      if (end >= 0) resolve(JSON.parse(text.slice(0, end)));
    });
    server.once("exit", (code) => reject(new Error(`the demonstration ended with ${code}`)));
  });
  const browser = await chromium.launch({ executablePath: browserPath(), args: ["--no-sandbox"] });
  return { dir, server, demo, browser, journey: (run, fresh) => (fresh ? inFresh(browser, dir, run, fresh) : walk(browser, demo, run)) };
}

/** A port that was free a moment ago. */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** The command line of an appliance: `on` runs a verb on it, which must end well; `secret` writes a file that holds a secret. */
function byHand(kontor, place) {
  return {
    on(verb, ...rest) {
      const ran = spawnSync(kontor, [...verb, "--dir", join(place, "house"), ...rest], { encoding: "utf8" });
      if (ran.status !== 0) throw new Error(`${verb.join(" ")} ended with ${ran.status}: ${ran.stdout}${ran.stderr}`);
      return ran.stdout;
    },
    secret(text) {
      const path = join(place, "secret");
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    },
    path: (name) => join(place, name),
  };
}

/** An appliance without any data: `init`, then `serve`; its one user is the security administrator with the first password. */
async function inFresh(browser, dir, run, fill) {
  const place = mkdtempSync(join(dir, "fresh-"));
  const kontor = process.env.KONTOR_BIN ?? "kontor";
  const listen = `127.0.0.1:${await freePort()}`;
  const made = spawnSync(kontor, ["init", "--dir", join(place, "house"), "--unseal", "key-file", "--listen", listen, "--admin", "anna"], { encoding: "utf8" });
  const password = /first password\s+(\S+)/.exec(made.stdout)?.[1];
  if (!password) throw new Error(`the appliance was not made: ${made.stdout}${made.stderr}`);
  const further = typeof fill === "function" ? fill(byHand(kontor, place)) : [];
  const server = spawn(kontor, ["serve", "--dir", join(place, "house")], { stdio: ["ignore", "ignore", "pipe"] });
  try {
    await new Promise((resolve, reject) => {
      let text = "";
      server.stderr.on("data", (part) => {
        text += part;
        if (/serving/.test(text)) resolve();
      });
      server.once("exit", (code) => reject(new Error(`the appliance ended with ${code}: ${text}`)));
    });
    await walk(browser, { url: `https://${listen}`, users: [{ login: "anna", password, roles: ["security_admin"] }, ...further] }, run);
  } finally {
    if (server.exitCode === null) {
      server.kill("SIGTERM");
      await new Promise((resolve) => server.once("exit", resolve));
    }
    rmSync(place, { recursive: true, force: true });
  }
}

export async function stop(house) {
  await house.browser.close();
  house.server.kill("SIGTERM");
  await new Promise((resolve) => house.server.once("exit", resolve));
  rmSync(house.dir, { recursive: true, force: true });
}

async function walk(browser, demo, run) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1366, height: 768 }, locale: "en-GB", baseURL: demo.url });
  const page = await context.newPage();
  // Long enough for a machine that builds beside it; a journey waits for conditions, never for time.
  page.setDefaultTimeout(45_000);
  const wrong = [];
  page.on("console", (message) => {
    // Refused requests are shown by the page; the browser's own line about them is no error of ours.
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) wrong.push(message.text());
  });
  page.on("pageerror", (error) => wrong.push(error.stack ?? error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(demo.url) && !/^(data|blob):/.test(request.url())) wrong.push(`request to ${request.url()}`);
  });
  try {
    await run(page, helpers(page, demo));
    if (wrong.length > 0) throw new Error(`the page was not clean:\n${wrong.join("\n")}`);
  } catch (error) {
    if (process.env.KONTOR_SHOTS) await page.screenshot({ path: join(process.env.KONTOR_SHOTS, `failed-${Date.now()}.png`) });
    throw error;
  } finally {
    await context.close();
  }
}

/** Keeps a page apart from what the server keeps of its user's habits. */
export function apart(page) {
  return page.route("**/api/v1/me/preferences**", (route) => route.fulfill({ status: 404, contentType: "application/problem+json", body: JSON.stringify({ status: 404, code: "not_found", title: "Not there" }) }));
}

function helpers(page, demo) {
  /** The first with this role, or whoever is called so. */
  const one = (who) => demo.users.find((user) => user.login === who || user.roles.includes(who));
  return {
    demo,
    user: one,
    /** What somebody else does meanwhile, in a browser of their own, signed in as somebody of this role. */
    async as(role, run) {
      const context = await page.context().browser().newContext({ ignoreHTTPSErrors: true, viewport: { width: 1366, height: 768 }, locale: "en-GB", baseURL: demo.url });
      try {
        const other = await context.newPage();
        other.setDefaultTimeout(45_000);
        await helpers(other, demo).signIn(role);
        return await run(other);
      } finally {
        await context.close();
      }
    },
    /** Signs in as somebody of this role; the language is English unless said otherwise. */
    async signIn(role, prefs = {}) {
      const user = one(role);
      // What another journey of this user left with the server would win over the browser's own, and the other way round.
      if (prefs.language) await apart(page);
      await page.addInitScript((set) => {
        if (!localStorage.getItem("kontor.prefs.")) localStorage.setItem("kontor.prefs.", JSON.stringify(set));
      }, { theme: "light", language: "en", ...prefs });
      await page.goto("/");
      await page.fill("input[name=login]", user.login);
      await page.fill("input[name=password]", user.password);
      await page.click("button[type=submit]");
      await page.waitForURL((url) => url.pathname === "/app/" || url.pathname === "/app");
      await page.getByRole("search").waitFor();
      return user;
    },
    /** Axe's findings must be none. What floats above the page lies
     * outside of its landmarks by nature, so that one rule is left out; one main and unique landmarks are asked for. */
    async accessible(what, theme) {
      // Set here: what the server keeps for this user may come later than the page.
      if (theme) await page.evaluate((name) => (document.documentElement.dataset.theme = name), theme);
      // Colours move for a moment after the theme; half-way ones are nobody's choice.
      await page.evaluate(() => Promise.allSettled(document.getAnimations().filter((one) => Number.isFinite(one.effect?.getComputedTiming().endTime)).map((one) => one.finished)));
      const { violations } = await new AxeBuilder({ page }).disableRules(["region"]).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]).analyze();
      if (violations.length > 0) {
        const lines = violations.map((one) => `${one.id}: ${one.help}\n  ${one.nodes.slice(0, 4).map((node) => node.html.slice(0, 200)).join("\n  ")}`);
        throw new Error(`${what} is not accessible:\n${lines.join("\n")}`);
      }
    },
  };
}

export function equal(is, wanted, what) {
  if (is !== wanted) throw new Error(`${what}: ${JSON.stringify(is)}, wanted ${JSON.stringify(wanted)}`);
}
