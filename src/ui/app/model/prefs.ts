// What people set for themselves: theme, language, density, the rail, columns of lists, recents. Kept in this browser under
// the name of the user. No value of a record is ever kept here: recents are object and id.

import { useSyncExternalStore } from "react";
import { enableKeys } from "~/lib/keys";

export type Theme = "light" | "dark" | "system" | "contrast";
export type Density = "compact" | "standard" | "comfortable";
export type Recent = { object: string; id: string; at: number };
/** Of a board: folded columns, days until a card is marked as stale, most cards of a column. */
export type ListPrefs = { columns?: string[]; widths?: { [column: string]: number }; folded?: string[]; stale?: number; limits?: { [stage: string]: number } };

/** Something kept at hand: a record or a saved view. Only what it is; its name is read again, with the rights of that moment. */
export type Favourite = { kind: "record" | "view"; object: string; id: string };
export const FAVOURITES_MAX = 20;
export const RECENTS_MAX = 20;

export type Prefs = {
  theme: Theme;
  language: "en" | "zh" | null;
  density: Density;
  railNarrow: boolean;
  keysOff: boolean;
  currency: string;
  lists: { [object: string]: ListPrefs };
  recents: Recent[];
  /** What stands in the rail and the palette, in the order in which it was kept. */
  favourites: Favourite[];
  /** Widgets of the home page in their order; null is the arrangement of the role. */
  home: { id: string; wide: boolean }[] | null;
  /** Items of the checklist of first days that were ticked, and whether the list was sent away. */
  started: string[];
  startOver: boolean;
  /** Whose work the home page shows; empty until somebody chose. */
  whose: "mine" | "my_team" | "my_unit_and_below" | "all" | "";
};

const FIRST: Prefs = { theme: "system", language: null, density: "standard", railNarrow: false, keysOff: false, currency: "", lists: {}, recents: [], favourites: [], home: null, started: [], startOver: false, whose: "" };

let owner = "";
let prefs: Prefs = read("");
const listeners = new Set<() => void>();

/** What was kept, without a theme or language that this version does not know: it would have no words to show. */
export function known(kept: Partial<Prefs>): Partial<Prefs> {
  const sound = { ...kept };
  if (sound.language && !["en", "zh"].includes(sound.language)) delete sound.language;
  if (sound.theme && !["light", "dark", "system", "contrast"].includes(sound.theme)) delete sound.theme;
  return sound;
}

function read(user: string): Prefs {
  try {
    const text = localStorage.getItem(`kontor.prefs.${user}`) ?? localStorage.getItem("kontor.prefs.");
    return text ? { ...FIRST, ...known(JSON.parse(text) as Partial<Prefs>) } : FIRST;
  } catch {
    return FIRST;
  }
}

export function getPrefs(): Prefs {
  return prefs;
}

/** Takes over what this user has set; without a user, what the last one saw on the sign-in page. */
export function ownPrefs(user: string): void {
  owner = user;
  prefs = read(user);
  applyTheme();
  enableKeys(!prefs.keysOff);
  for (const listener of listeners) listener();
}

export function setPrefs(change: Partial<Prefs>): void {
  prefs = { ...prefs, ...change };
  try {
    localStorage.setItem(`kontor.prefs.${owner}`, JSON.stringify(prefs));
    // The sign-in page of this browser looks as the last user had it; it learns nothing else.
    localStorage.setItem("kontor.prefs.", JSON.stringify({ theme: prefs.theme, language: prefs.language }));
  } catch {
    // A browser that keeps nothing still works; the choice lasts as long as the page.
  }
  applyTheme();
  enableKeys(!prefs.keysOff);
  for (const listener of listeners) listener();
}

export function setListPrefs(object: string, change: ListPrefs): void {
  setPrefs({ lists: { ...prefs.lists, [object]: { ...prefs.lists[object], ...change } } });
}

/** Keeps it at hand, or lets it go; says which, or that there is no room. */
export function keepFavourite({ kind, object, id }: Favourite): "kept" | "gone" | "full" {
  const rest = prefs.favourites.filter((other) => other.id !== id);
  if (rest.length === prefs.favourites.length && rest.length >= FAVOURITES_MAX) return "full";
  const gone = rest.length < prefs.favourites.length;
  setPrefs({ favourites: gone ? rest : [...rest, { kind, object, id }] });
  return gone ? "gone" : "kept";
}

export function visited(object: string, id: string): void {
  const rest = prefs.recents.filter((one) => one.id !== id);
  setPrefs({ recents: [{ object, id, at: Date.now() }, ...rest].slice(0, RECENTS_MAX) });
}

const dark = typeof matchMedia === "function" ? matchMedia("(prefers-color-scheme: dark)") : null;
const more = typeof matchMedia === "function" ? matchMedia("(prefers-contrast: more)") : null;

/** The theme that is shown. */
export function shownTheme(): "light" | "dark" | "contrast" {
  if (prefs.theme !== "system") return prefs.theme;
  if (more?.matches) return "contrast";
  return dark?.matches ? "dark" : "light";
}

export function applyTheme(): void {
  const root = document.documentElement;
  root.dataset["theme"] = shownTheme();
  root.dataset["density"] = prefs.density;
  root.dataset["mantineColorScheme"] = shownTheme() === "dark" ? "dark" : "light";
}

dark?.addEventListener("change", applyTheme);
more?.addEventListener("change", applyTheme);

export function watchPrefs(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function usePrefs(): Prefs {
  return useSyncExternalStore(watchPrefs, getPrefs);
}
