// What the command palette and the `.` menu offer for the page that is open. Pages put their acts here while they are shown.

import { useEffect, useSyncExternalStore } from "react";
import type { IconName } from "~/lib/icons";

export type Command = { id: string; label: string; icon?: IconName; keys?: string; blocked?: string | undefined; act: () => void };

let groups: { owner: object; commands: Command[] }[] = [];
const listeners = new Set<() => void>();
const tell = () => listeners.forEach((listener) => listener());

/** Offers these as long as the component is shown. The list should be kept between drawings. */
export function useCommands(commands: Command[]): void {
  useEffect(() => {
    const owner = {};
    groups = [...groups, { owner, commands }];
    tell();
    return () => {
      groups = groups.filter((group) => group.owner !== owner);
      tell();
    };
  }, [commands]);
}

let flat: Command[] = [];
let from: unknown = null;

function all(): Command[] {
  if (from !== groups) {
    from = groups;
    flat = groups.flatMap((group) => group.commands);
  }
  return flat;
}

export function useOffered(): Command[] {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, all);
}
