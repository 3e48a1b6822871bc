// Sends a change that carries the version it was made from. What somebody else changed meanwhile is never overwritten: what
// both touched is asked about, field by field; what only one of them touched needs no question.

import { useCallback, useEffect, useRef, useState } from "react";
import { errorNote, errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { Json, RecordView } from "~/api/types.gen";
import { toast } from "~/lib/toasts";
import type { Clash } from "./Conflict";
import type { Change } from "./data";

export function same(one: Json | undefined, other: Json | undefined): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

type Send = (base: RecordView, fields: Change, version: number) => Promise<unknown>;

/** `save` tells whether anything was sent in the end: with a conflict one may leave it as the other wanted. */
export function useSaving(send: Send) {
  const [clash, setClash] = useState<Clash | null>(null);
  const latest = useRef(send);
  useEffect(() => {
    latest.current = send;
  });
  const save = useCallback(async (fields: Change, base: RecordView): Promise<boolean> => {
    try {
      await latest.current(base, fields, base.version);
      return true;
    } catch (error) {
      const wrong = refusalOf(error);
      const version = wrong.currentVersion;
      if (wrong.code !== "version_conflict" || version === undefined) throw error;
      const differences = wrong.differences.filter((one) => !(one.field in base.fields) || !same(one.theirs, base.fields[one.field]));
      if (differences.length > 0) return new Promise<boolean>((done) => setClash({ change: fields, version, differences, base, done }));
      await latest.current(base, fields, version);
      return true;
    }
  }, []);
  const close = (saved: boolean) => {
    clash?.done(saved);
    setClash(null);
  };
  const settle = async (fields: Change, version: number) => {
    if (!clash) return;
    const any = Object.keys(fields).length > 0;
    try {
      if (any) await latest.current(clash.base, fields, version);
      close(any);
    } catch (error) {
      toast(errorText(error), { tone: "bad", note: errorNote(error) });
    }
  };
  return { save, clash, settle, drop: () => close(false) };
}
