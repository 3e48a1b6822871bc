// Pages of the manual as the appliance serves them, cut to the part that is asked for. What is read is treated as text: only
// known elements are taken over.

import { createElement, Fragment, type ReactNode } from "react";
import { pageText } from "~/api/client";
import { Refusal } from "~/api/problem";

const HEADINGS = ["H1", "H2", "H3", "H4"];
const KNOWN = ["P", "UL", "OL", "LI", "TABLE", "THEAD", "TBODY", "TR", "TH", "TD", "CODE", "PRE", "STRONG", "EM", "BLOCKQUOTE"];
/** What may be wider than the panel: it scrolls by itself, also by keyboard. */
const WIDE = ["TABLE", "PRE"];

/** How a paragraph begins that speaks of one thing: a few bold words and a full stop. */
const leadOf = (element: Element | undefined): string | null => {
  const first = element?.tagName === "P" ? element.firstChild : null;
  return first instanceof Element && first.tagName === "STRONG" ? (first.textContent ?? "").replace(/[.。]$/, "") : null;
};

/** The elements of a part: from its heading, or from the paragraph that begins with it, to the next of its kind; without a part,
 * or when the page has none of that name, the whole page. */
export function partOf(page: Element, wanted: string): Element[] {
  const all = [...page.children].filter((element) => element.tagName !== "H1");
  if (!wanted) return all;
  const level = (element: Element) => HEADINGS.indexOf(element.tagName);
  const at = all.findIndex((element) => level(element) > 0 && element.textContent?.trim() === wanted);
  if (at >= 0) {
    const own = level(all[at] as Element);
    const end = all.findIndex((element, index) => index > at && level(element) > 0 && level(element) <= own);
    return all.slice(at, end < 0 ? undefined : end);
  }
  const lead = all.findIndex((element) => leadOf(element) === wanted);
  if (lead < 0) return all;
  const end = all.findIndex((element, index) => index > lead && (level(element) > 0 || leadOf(element) !== null));
  return all.slice(lead, end < 0 ? undefined : end);
}

/** Whether the manual has an anchor for the part. */
export function isHeading(page: Element, part: string): boolean {
  return [...page.children].some((element) => HEADINGS.includes(element.tagName) && element.textContent?.trim() === part);
}

/** Elements of a page drawn anew; headings one step lower, links in a tab of their own and only to the manual. */
export function drawn(node: Node, key: number): ReactNode {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent;
  if (!(node instanceof Element)) return null;
  const inside = [...node.childNodes].map(drawn);
  const tag = node.tagName;
  if (tag === "A") {
    const to = node.getAttribute("href") ?? "";
    return to.startsWith("/docs/") ? createElement("a", { key, href: to, target: "_blank", rel: "noreferrer" }, ...inside) : createElement(Fragment, { key }, ...inside);
  }
  const level = HEADINGS.indexOf(tag);
  if (level > 0) return createElement(`h${level + 2}`, { key }, ...inside);
  if (!KNOWN.includes(tag)) return createElement(Fragment, { key }, ...inside);
  const element = createElement(tag.toLowerCase(), { key }, ...inside);
  return WIDE.includes(tag) ? createElement("div", { key, "data-wide": true, tabIndex: 0 }, element) : element;
}

/** A page of the manual: its title and what it says. */
export async function readManual(address: string, signal: AbortSignal): Promise<{ title: string; page: Element }> {
  const page = new DOMParser().parseFromString(await pageText(address, signal), "text/html").querySelector("main");
  if (!page) throw new Refusal({ code: "internal" });
  return { title: page.querySelector("h1")?.textContent ?? "", page };
}
