// What is open above the page: palette, shortcut sheet, quick create. One thing at a time.

import { useSyncExternalStore } from "react";

export type Stage = { what: "none" } | { what: "palette" } | { what: "keys" } | { what: "create"; object: string; preset?: { [field: string]: unknown } };

let stage: Stage = { what: "none" };
const listeners = new Set<() => void>();

export function show(next: Stage): void {
  stage = next;
  for (const listener of listeners) listener();
}

export function useStage(): Stage {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => stage,
  );
}
