// Words of the interface in English and Chinese. The language is changed without loading anything of the page again; the
// other language's words come as a file of their own. Keys are flat and typed: a wrong one does not compile.

import i18next from "i18next";
import { useCallback, useSyncExternalStore } from "react";
import type en from "./en.json";

export type Key = keyof typeof en extends infer K ? (K extends `${infer Base}_${"one" | "other"}` ? Base | K : K) : never;
export type Language = "en" | "zh";
export type Words = { [name: string]: string | number };
export type T = (key: Key, words?: Words) => string;

const FILES: { [language in Language]: () => Promise<{ default: { [key: string]: string } }> } = {
  en: () => import("./en.json"),
  zh: () => import("./zh.json"),
};

/** The words of the language that is spoken. Most are plain, and a page asks for hundreds: those are looked up and nothing more. */
let spoken: { [key: string]: string } = {};

function told(key: Key, words?: Words): string {
  return (words ? undefined : spoken[key]) ?? i18next.t(key, words ?? {});
}

const listeners = new Set<() => void>();
let version = 0;

export function language(): Language {
  return i18next.language === "zh" ? "zh" : "en";
}

/** The tag for `lang` and for Intl. */
export function locale(): string {
  return language() === "zh" ? "zh-CN" : "en-GB";
}

export async function startWords(first: Language): Promise<void> {
  const words = await FILES[first]();
  spoken = words.default;
  await i18next.init({
    lng: first,
    fallbackLng: false,
    showSupportNotice: false,
    keySeparator: false,
    nsSeparator: false,
    interpolation: { escapeValue: false },
    resources: { [first]: { translation: words.default } },
  });
  document.documentElement.lang = locale();
}

export async function speak(wanted: Language): Promise<void> {
  const words = (await FILES[wanted]()).default;
  if (!i18next.hasResourceBundle(wanted, "translation")) i18next.addResourceBundle(wanted, "translation", words);
  await i18next.changeLanguage(wanted);
  spoken = words;
  document.documentElement.lang = locale();
  version += 1;
  for (const listener of listeners) listener();
}

/** Outside of components; does not follow a change of language. */
export const t: T = told;

function watch(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The words, and a new function when the language changes. */
export function useT(): T {
  const now = useSyncExternalStore(watch, () => version);
  // eslint-disable-next-line react-hooks/exhaustive-deps -- the version stands for the language that i18next holds
  return useCallback<T>((key, words) => told(key, words), [now]);
}

export function useLanguage(): Language {
  return useSyncExternalStore(watch, language);
}
