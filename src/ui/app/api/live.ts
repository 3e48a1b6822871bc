// Changes by others, as they happen: the server tells ids and versions, never values; what is shown of them is then read again
// with the rights of this reader. Reading keeps a session alive, so nothing is read for somebody who is not there.

import type { QueryClient } from "@tanstack/react-query";
import type { RecordView } from "./types.gen";
import { address } from "./client";
import { operations } from "./types.gen";

const THERE_MILLISECONDS = 3 * 60_000;
let lastInput = Date.now();
let waiting: (() => void)[] = [];

function input(): void {
  lastInput = Date.now();
  const now = waiting;
  waiting = [];
  for (const act of now) act();
}
for (const name of ["pointermove", "pointerdown", "keydown", "wheel"]) window.addEventListener(name, input, { passive: true });

/** Whether somebody used the page in the last minutes. */
export function isThere(): boolean {
  return document.visibilityState === "visible" && Date.now() - lastInput < THERE_MILLISECONDS;
}

function whenThere(act: () => void): void {
  if (isThere()) act();
  else if (waiting.length < 50) waiting.push(act);
}

export type Change = { object: string; id: string; version: number; verb: string };
export type Presence = { object: string; id: string; users: string[] };

/** Who shows a list that must not jump under the reader's eyes: told of what changed, and reads again when it is time. */
const holders = new Map<string, Set<(changes: Change[]) => void>>();

export function holdList(object: string, holder: (changes: Change[]) => void): () => void {
  const own = holders.get(object) ?? new Set();
  holders.set(object, own.add(holder));
  return () => own.delete(holder);
}

const presences = new Set<(event: Presence) => void>();

export function watchPresence(listener: (event: Presence) => void): () => void {
  presences.add(listener);
  return () => presences.delete(listener);
}

function take(client: QueryClient, change: Change, lists: Map<string, Change[]>): void {
  const known = client.getQueryData<RecordView>(["record", change.object, change.id]);
  if (!known || known.version < change.version) void client.invalidateQueries({ queryKey: ["record", change.object, change.id] });
  void client.invalidateQueries({ queryKey: ["timeline", change.id] });
  if (change.object === "activity") void client.invalidateQueries({ queryKey: ["timeline"] });
  lists.set(change.object, lists.get(change.object) ?? []);
}

/** Listens as long as somebody is signed in; gives what ends it. */
export function listen(client: QueryClient): () => void {
  let source: EventSource | null = null;
  let again: ReturnType<typeof setTimeout> | undefined;
  let soon: ReturnType<typeof setTimeout> | undefined;
  const lists = new Map<string, Change[]>();
  const refresh = () => {
    soon = undefined;
    whenThere(() => {
      for (const [object, changes] of lists) {
        const held = holders.get(object);
        if (!held?.size) void client.invalidateQueries({ queryKey: ["list", object] });
        else for (const holder of held) holder(changes);
      }
      lists.clear();
    });
  };
  const open = () => {
    source = new EventSource(address(operations.event_stream[1]));
    source.addEventListener("change", (event) => {
      const change = JSON.parse(event.data as string) as Change;
      whenThere(() => take(client, change, lists));
      lists.set(change.object, [...(lists.get(change.object) ?? []), change]);
      soon ??= setTimeout(refresh, 1200);
    });
    source.addEventListener("reset", () => whenThere(() => void client.invalidateQueries()));
    source.addEventListener("notification", () => whenThere(() => void client.invalidateQueries({ queryKey: ["notifications"] })));
    source.addEventListener("presence", (event) => {
      const presence = JSON.parse(event.data as string) as Presence;
      for (const listener of presences) listener(presence);
    });
    source.onerror = () => {
      // The browser comes back by itself after a break, but not after a refusal.
      if (source?.readyState === EventSource.CLOSED) again = setTimeout(open, 15_000);
    };
  };
  open();
  return () => {
    clearTimeout(again);
    clearTimeout(soon);
    source?.close();
  };
}
