// Whether help stands beside the page, and about what: the page that is open, or one thing of it.

import { useSyncExternalStore } from "react";
import type { TopicName } from "./topics";

type Help = { open: boolean; topic: TopicName | null };

let help: Help = { open: false, topic: null };
/** Where the focus goes back to. */
let from: HTMLElement | null = null;
const listeners = new Set<() => void>();

function set(next: Help): void {
  help = next;
  for (const listener of listeners) listener();
}

/** About the open page when no topic is given. */
export function showHelp(topic: TopicName | null = null): void {
  if (!help.open) from = document.activeElement instanceof HTMLElement ? document.activeElement : null;
  set({ open: true, topic });
}

export function hideHelp(): void {
  set({ open: false, topic: null });
  if (from?.isConnected) from.focus();
  from = null;
}

export function useHelp(): Help {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => help,
  );
}
