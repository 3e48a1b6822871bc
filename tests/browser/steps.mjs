// Steps that journeys share: what somebody does by the API to have something of their own, and what is counted, seen and focused.

import { equal } from "./house.mjs";

/** Does something by the API as whoever is signed in: what a journey needs of its own, and takes away again. */
export async function api(page, method, path, body, version) {
  return page.evaluate(
    async ([verb, address, content, expected]) => {
      const session = await (await fetch("/api/v1/session")).json();
      const headers = { "Content-Type": "application/json", "X-CSRF-Token": session.csrf, ...(expected ? { "If-Match": `"${expected}"` } : {}) };
      const answer = await fetch(`/api/v1/${address}`, { method: verb, headers, ...(content ? { body: JSON.stringify(content) } : {}) });
      if (!answer.ok) throw new Error(`${verb} ${address}: ${answer.status} ${await answer.text()}`);
      return answer.status === 204 ? null : answer.json();
    },
    [method, path, body ?? null, version ?? 0],
  );
}

export async function away(page, object, id) {
  const now = await api(page, "GET", `records/${object}/${id}`);
  await api(page, "DELETE", `records/${object}/${id}`, undefined, now.version);
}

/** Counts what people press, by listening: Enter on a button counts as well, typing does not. */
export async function clicks(page) {
  await page.addInitScript(() => {
    const KEY = "proof.clicks";
    window.addEventListener("click", (event) => (event.isTrusted ? sessionStorage.setItem(KEY, String(Number(sessionStorage.getItem(KEY) ?? 0) + 1)) : undefined), true);
  });
  return {
    reset: () => page.evaluate(() => sessionStorage.removeItem("proof.clicks")),
    count: () => page.evaluate(() => Number(sessionStorage.getItem("proof.clicks") ?? 0)),
  };
}

export const atMost = (count, most, what) => equal(count > 0 && count <= most, true, `${what}: ${count} clicks, at most ${most}`);

/** Whether something can be seen and pressed without scrolling. */
export async function inSight(locator, what) {
  await locator.waitFor();
  const seen = await locator.evaluate((node) => {
    const box = node.getBoundingClientRect();
    const hit = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth && hit !== null && (node.contains(hit) || hit.contains(node));
  });
  equal(seen, true, `in sight at 1366×768: ${what}`);
}

export async function focusIn(page, selector) {
  await page.waitForFunction((wanted) => document.activeElement?.matches(wanted), selector);
}

/** Presses Tab until something has the focus. */
export async function tabTo(page, selector, keys = "Tab") {
  for (let step = 0; step < 90; step += 1) {
    await page.keyboard.press(keys);
    if (await page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)) return;
  }
  throw new Error(`${keys} does not reach ${selector}`);
}
