// Brings what people set for themselves along to every browser they use. The browser's own copy is what is shown at once;
// the server's is taken when it is another, and written a moment after a change. A server that does not answer changes nothing.

import { call } from "~/api/client";
import type { Json } from "~/api/types.gen";
import { getPrefs, known, RECENTS_MAX, setPrefs, watchPrefs, type Prefs } from "./prefs";

const KEY = "ui";
/** What belongs to the person. Theme and language belong to them too; the state of one screen does not. */
const KEPT = ["theme", "language", "density", "railNarrow", "keysOff", "currency", "lists", "recents", "favourites", "home", "started", "startOver", "whose"] as const;

function kept(prefs: Prefs): { [name: string]: Json } {
  return JSON.parse(JSON.stringify(Object.fromEntries(KEPT.map((name) => [name, prefs[name]])))) as { [name: string]: Json };
}

/** The server's copy with what was set here and has not reached it. Recents and habits of lists of both sides stay. */
export function joined(found: Partial<Prefs>, here: Prefs, unsaved: readonly string[]): Partial<Prefs> {
  const own = Object.fromEntries(KEPT.filter((name) => unsaved.includes(name)).map((name) => [name, here[name]]));
  const recents = [...here.recents, ...(found.recents ?? [])].sort((one, other) => other.at - one.at);
  return { ...found, ...own, lists: { ...found.lists, ...(unsaved.includes("lists") ? here.lists : {}) }, recents: recents.filter((one, index) => recents.findIndex((other) => other.id === one.id) === index).slice(0, RECENTS_MAX) };
}

/** Starts for who is signed in; gives what ends it. */
export function syncPrefs(user: string): () => void {
  // Names of what was changed here and not written there: a page that is left too soon loses nothing.
  const place = `kontor.unsaved.${user}`;
  const unsaved = new Set((localStorage.getItem(place) ?? "").split(",").filter(Boolean));
  const note = () => {
    try {
      if (unsaved.size > 0) localStorage.setItem(place, [...unsaved].join());
      else localStorage.removeItem(place);
    } catch {
      // A browser that keeps nothing writes at its next chance only.
    }
  };
  let seen = kept(getPrefs());
  let written = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const write = () => {
    const value = kept(getPrefs());
    const text = JSON.stringify(value);
    if (text === written || ended) return;
    written = text;
    call("preference_set", { params: { key: KEY }, body: { value } })
      .then(() => {
        if (JSON.stringify(kept(getPrefs())) !== text) return;
        unsaved.clear();
        note();
      })
      .catch(() => {
        written = "";
      });
  };
  const stop = watchPrefs(() => {
    const now = kept(getPrefs());
    for (const name of KEPT) if (JSON.stringify(now[name]) !== JSON.stringify(seen[name])) unsaved.add(name);
    seen = now;
    note();
    clearTimeout(timer);
    timer = setTimeout(write, 1500);
  });
  call("preference_list")
    .then((answer) => {
      const found = answer.items[KEY];
      if (ended || !found || typeof found !== "object" || Array.isArray(found)) return;
      const waiting = [...unsaved];
      setPrefs(joined(known(found as Partial<Prefs>), getPrefs(), waiting));
      // What came from there is no news to it.
      seen = kept(getPrefs());
      unsaved.clear();
      for (const name of waiting) unsaved.add(name);
      if (waiting.length === 0) {
        written = JSON.stringify(seen);
        clearTimeout(timer);
      }
      note();
    })
    .catch(() => undefined);
  return () => {
    ended = true;
    clearTimeout(timer);
    stop();
  };
}
