// Brings what people set for themselves along to every browser they use. The browser's own copy is what is shown at once;
// the server's is taken when it is another, and written a moment after a change. A server that does not answer changes nothing.

import { call } from "~/api/client";
import type { Json } from "~/api/types.gen";
import { getPrefs, setPrefs, watchPrefs, type Prefs } from "./prefs";

const KEY = "ui";
/** What belongs to the person. Theme and language belong to them too; the state of one screen does not. */
const KEPT = ["theme", "language", "density", "railNarrow", "keysOff", "currency", "lists", "recents", "home", "whose"] as const;

function kept(prefs: Prefs): { [name: string]: Json } {
  return JSON.parse(JSON.stringify(Object.fromEntries(KEPT.map((name) => [name, prefs[name]])))) as { [name: string]: Json };
}

/** Starts for who is signed in; gives what ends it. */
export function syncPrefs(): () => void {
  let written = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const write = () => {
    const value = kept(getPrefs());
    const text = JSON.stringify(value);
    if (text === written || ended) return;
    written = text;
    call("preference_set", { params: { key: KEY }, body: { value } }).catch(() => {
      written = "";
    });
  };
  const stop = watchPrefs(() => {
    clearTimeout(timer);
    timer = setTimeout(write, 1500);
  });
  call("preference_list")
    .then((answer) => {
      const found = answer.items[KEY];
      if (ended || !found || typeof found !== "object" || Array.isArray(found)) return;
      written = JSON.stringify(found);
      setPrefs(found as Partial<Prefs>);
    })
    .catch(() => undefined);
  return () => {
    ended = true;
    clearTimeout(timer);
    stop();
  };
}
