// The mapping of the open import while it is being changed: kept here at once, sent a moment later, and sent for sure before
// the next step. What the server refuses stays as it was typed, with the reasons.

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { call } from "~/api/client";
import { refusalOf, type Refusal } from "~/api/problem";
import type { Import } from "~/api/types.gen";
import { importKey } from "./data";
import { mappingOf, wireOf, type MappingFile } from "./mapping";

const WAIT_MS = 900;
/** A larger file takes a while to be looked at; its mapping is sent with the step only. */
const EAGER_BYTES_MAX = 20 * 1024 * 1024;

export type MappingDraft = {
  mapping: MappingFile | null;
  set: (mapping: MappingFile) => void;
  /** Sends what is not yet sent; says whether the mapping fits. */
  save: () => Promise<boolean>;
  /** Forgets what was changed and not taken: the file is read in another way. */
  drop: () => void;
  wrong: Refusal | null;
  saving: boolean;
};

export function useMappingDraft(one: Import): MappingDraft {
  const client = useQueryClient();
  const [own, setOwn] = useState<MappingFile | null>(null);
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const [saving, setSaving] = useState(false);
  const unsent = useRef<MappingFile | null>(null);
  const sending = useRef<Promise<boolean> | null>(null);
  const { id } = one;

  const send = useCallback(async (): Promise<boolean> => {
    // Several may wait for the same one; who comes later waits for what the first of them sends.
    while (sending.current) await sending.current;
    const mapping = unsent.current;
    if (!mapping) return true;
    // One that maps nothing asks the server for a proposal; that is not what is meant here.
    if (Object.keys(mapping.fields).length === 0) return false;
    unsent.current = null;
    setSaving(true);
    const work = call("import_change", { params: { import: id }, body: { mapping: wireOf(mapping) } })
      .then((now) => {
        client.setQueryData(importKey(id), now);
        setWrong(null);
        // The server's form of it, unless more was changed meanwhile. It is kept here too: the import as this page was given it
        // follows only a moment later, and a choice in between would go back to what was there before.
        if (!unsent.current) setOwn(now.mapping ? mappingOf(now.mapping) : null);
        return true;
      })
      .catch((error: unknown) => {
        setWrong(refusalOf(error));
        unsent.current ??= mapping;
        return false;
      })
      .finally(() => {
        sending.current = null;
        setSaving(false);
      });
    sending.current = work;
    return work;
  }, [client, id]);

  const eager = one.size <= EAGER_BYTES_MAX;
  useEffect(() => {
    if (!own || !eager) return;
    const timer = setTimeout(() => void send(), WAIT_MS);
    return () => clearTimeout(timer);
  }, [own, eager, send]);
  // A page that is left sends what it has.
  useEffect(() => () => void send(), [send]);

  const set = useCallback((mapping: MappingFile) => {
    unsent.current = mapping;
    setOwn(mapping);
  }, []);
  const drop = useCallback(() => {
    unsent.current = null;
    setOwn(null);
    setWrong(null);
  }, []);
  const mapping = own ?? (one.mapping ? mappingOf(one.mapping) : null);
  return { mapping, set, save: send, drop, wrong, saving };
}
