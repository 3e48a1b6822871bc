// What was typed and not yet saved, kept in this browser tab so that a reload loses nothing. Sealed and S3 fields are never
// kept: they are not to lie readable on a disk. A draft ends with its save, and with the sign-out.

import type { FieldDef, Json } from "~/api/types.gen";
import { isSealed, type Meta } from "./meta";

export type Draft = { [field: string]: Json };

const name = (place: string) => `kontor.draft.${place}`;

export function mayKeep(field: FieldDef | undefined): boolean {
  return field !== undefined && !isSealed(field) && field.sensitivity !== "S3";
}

export function keepDraft(place: string, meta: Meta, values: Draft): void {
  const kept = Object.entries(values).filter(([field, value]) => mayKeep(meta.fields.get(field)) && value !== null);
  try {
    if (kept.length === 0) sessionStorage.removeItem(name(place));
    else sessionStorage.setItem(name(place), JSON.stringify(Object.fromEntries(kept)));
  } catch {
    // A browser without storage keeps what is typed as long as the page lives.
  }
}

export function draftOf(place: string): Draft | null {
  try {
    return JSON.parse(sessionStorage.getItem(name(place)) ?? "null") as Draft | null;
  } catch {
    return null;
  }
}

export function dropDraft(place: string): void {
  sessionStorage.removeItem(name(place));
}
