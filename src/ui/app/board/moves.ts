// Moves of cards: shown at once, sent to the server, taken back with the reason when it says no, and undone on request.
// A move carries the version that was read; what somebody else changed meanwhile is never overwritten.

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { call } from "~/api/client";
import { errorNote, errorText, fieldErrorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { FieldDef, Json, RecordView } from "~/api/types.gen";
import { t } from "~/i18n";
import { toast } from "~/lib/toasts";
import { fieldLabel, optionLabel, titleOf, type Meta } from "~/model/meta";
import { recordKey, type Change } from "~/record/data";
import { asks } from "~/record/stages";

type Asking = { record: RecordView; code: string; fields: FieldDef[] };

export type Moves = {
  /** Cards that stand elsewhere than the server last said. */
  moved: ReadonlyMap<string, { record: RecordView; to: string }>;
  asking: Asking | null;
  busy: boolean;
  /** Moves a card, or asks first for what the stage needs. */
  move: (record: RecordView, to: string) => void;
  answer: (change: Change) => void;
  drop: () => void;
};

export function useMoves(meta: Meta, stage: FieldDef, announce: (text: string) => void): Moves {
  const client = useQueryClient();
  const [moved, setMoved] = useState<Moves["moved"]>(new Map());
  const [asking, setAsking] = useState<Asking | null>(null);
  const [busy, setBusy] = useState(false);

  const send = useCallback(
    async (record: RecordView, change: Change, undoing: boolean): Promise<boolean> => {
      const to = String(change[stage.name]);
      const name = titleOf(meta, record);
      setMoved((before) => new Map(before).set(record.id, { record, to }));
      const settle = () =>
        setMoved((before) => {
          const next = new Map(before);
          next.delete(record.id);
          return next;
        });
      try {
        const answer = await call("record_change", { params: { object: meta.name, id: record.id }, body: change, version: record.version });
        void client.invalidateQueries({ queryKey: recordKey(meta.name, record.id) });
        void client.invalidateQueries({ queryKey: ["timeline", record.id] });
        const text = t(undoing ? "board.undone" : "board.moved", { name, stage: optionLabel(stage, to) });
        announce(text);
        const back: Change = Object.fromEntries(Object.keys(change).map((field): [string, Json] => [field, record.fields[field] ?? null]));
        toast(text, undoing ? {} : { tone: "good", action: { label: t("act.undo"), act: () => void send({ ...record, ...answer, fields: { ...record.fields, ...change } }, back, true) } });
        await client.invalidateQueries({ queryKey: ["list", meta.name] });
        settle();
        return true;
      } catch (error) {
        settle();
        const wrong = refusalOf(error);
        const first = wrong.errors[0];
        const field = first ? fieldLabel(meta, first.pointer.slice(1).split("/")[0] ?? "") : "";
        const text = t("board.returned", { name, reason: wrong.code === "version_conflict" ? t("board.conflict") : errorText(wrong) });
        toast(text, { tone: "bad", note: [first ? `${field}: ${fieldErrorText(first)}` : "", errorNote(wrong)].filter(Boolean).join(" ") });
        announce(text);
        void client.invalidateQueries({ queryKey: ["list", meta.name] });
        return false;
      }
    },
    [client, meta, stage, announce],
  );

  const move = useCallback(
    (record: RecordView, to: string) => {
      if (record.fields[stage.name] === to) return;
      const fields = asks(meta, record, to);
      if (fields.length > 0) setAsking({ record, code: to, fields });
      else void send(record, { [stage.name]: to }, false);
    },
    [meta, stage, send],
  );

  const answer = useCallback(
    async (change: Change) => {
      if (!asking) return;
      setBusy(true);
      const good = await send(asking.record, Object.fromEntries(Object.entries(change).filter(([, value]) => value !== null && value !== undefined)), false);
      setBusy(false);
      // What was typed stays in the dialog when the server says no.
      if (good) setAsking(null);
    },
    [asking, send],
  );

  return { moved, asking, busy, move, answer: (change) => void answer(change), drop: () => setAsking(null) };
}
