// Editing in the cells of a list: shown at once, sent with the version that was read, taken back with the reason beside the cell
// when the server says no. What may not be changed here says why. What was typed is kept until it is saved or dropped.

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useRef, useState, type ReactNode, type RefObject } from "react";
import { call } from "~/api/client";
import { errorText, fieldErrorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { FieldDef, Json, RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { canSet, stageField, useMetas, type Meta, type Metas } from "~/model/meta";
import { Conflict } from "~/record/Conflict";
import { showChanged, type Change } from "~/record/data";
import { same, useSaving } from "~/record/saving";
import { askedFields, asks, StageDialog } from "~/record/stages";
import { patchRow, rereadRow, rowOf } from "./rows";

export type Draft = { value: Json | undefined; title?: string | undefined };
export type Editing = { record: RecordView; path: string; field: FieldDef };
/** What stands beside a cell: that it is on its way, why it was not saved, or why it cannot be changed. */
export type Mark = { state: "saving" } | { state: "failed"; text: string; draft: Draft } | { state: "note"; text: string };

export type Cells = {
  editing: Editing | null;
  draft: RefObject<Draft>;
  marks: ReadonlyMap<string, Mark>;
  block: (record: RecordView, path: string) => string | undefined;
  begin: (record: RecordView, path: string) => void;
  keep: (then: "stay" | "next" | "back" | "away") => void;
  leave: () => void;
  /** Takes a word beside a cell away, and what was typed there. */
  forget: (id: string, path: string) => void;
};

export function markKey(id: string, path: string): string {
  return `${id} ${path}`;
}

/** The own field that a column changes: that of the path, or the reference whose title it shows. */
function fieldOf(meta: Meta, metas: Metas, path: string): FieldDef | null {
  const [head = "", rest] = path.split(".", 2);
  const field = meta.fields.get(head);
  if (!field || !rest) return field ?? null;
  return rest === metas.get(field.targets?.[0] ?? "")?.titleField ? field : null;
}

function cellAt(id: string, path: string): HTMLElement | null {
  return document.querySelector<HTMLElement>(`[data-id="${id}"] [data-path="${CSS.escape(path)}"]`);
}

export function focusCell(id: string, path: string): void {
  requestAnimationFrame(() => cellAt(id, path)?.focus());
}

/** The next cell in reading order that can be changed. */
function beside(id: string, path: string, back: boolean): { id: string; path: string } | null {
  const all = [...document.querySelectorAll<HTMLElement>("[role=gridcell][data-path]:not([aria-readonly])")];
  const from = cellAt(id, path);
  const to = from ? all[all.indexOf(from) + (back ? -1 : 1)] : undefined;
  const row = to?.closest<HTMLElement>("[data-id]")?.dataset["id"];
  return row && to?.dataset["path"] ? { id: row, path: to.dataset["path"] } : null;
}

function useBlock(meta: Meta): Cells["block"] {
  const t = useT();
  const metas = useMetas();
  return useCallback(
    (record, path) => {
      const field = fieldOf(meta, metas, path);
      if (!field) return t("cell.related");
      if (record.deleted) return t("cell.inBin");
      if (field.read_only) return t("cell.byHouse");
      if (record.reduced?.[field.name] !== undefined) return meta.may.reveal ? t("cell.masked") : t("cell.hidden");
      if (["file", "json"].includes(field.type)) return t("cell.onRecord");
      return meta.may.update && canSet(meta, field) ? undefined : t("record.readOnly");
    },
    [meta, metas, t],
  );
}

type Asking = { edit: Editing; base: RecordView; code: string; fields: FieldDef[] };

/** Sends what a cell holds; the row shows it before the answer comes. */
function useSending(meta: Meta, mark: (id: string, path: string, mark: Mark | null) => void) {
  const client = useQueryClient();
  const metas = useMetas();
  const object = meta.name;
  /** What is shown but not yet saved, by record: an answer to another change must not hide it. */
  const pending = useRef(new Map<string, Change>());
  const saving = useSaving(async (base, fields, version) => {
    const answer = await call("record_change", { params: { object, id: base.id }, body: fields, version });
    showChanged(client, object, answer);
    const open = Object.fromEntries(Object.entries(pending.current.get(base.id) ?? {}).filter(([name]) => !(name in fields)));
    patchRow(client, object, base.id, (row) => (answer.version < row.version ? row : { ...row, version: answer.version, fields: { ...row.fields, ...answer.fields, ...open }, ...(answer.reduced ? { reduced: { ...row.reduced, ...answer.reduced } } : {}) }));
    void client.invalidateQueries({ queryKey: ["list", object], type: "inactive", refetchType: "none" });
    void client.invalidateQueries({ queryKey: ["list", object, "summary"] });
  });
  const { save } = saving;
  const send = useCallback(
    async ({ path, field }: Editing, base: RecordView, fields: Change, draft: Draft) => {
      const target = field.type === "reference" && field.targets?.length === 1 ? metas.get(field.targets[0] ?? "") : undefined;
      const shown: Change = { ...fields, ...(target ? { [`${field.name}.${target.titleField}`]: draft.title ?? null } : {}) };
      const before = Object.fromEntries(Object.keys(shown).map((name) => [name, base.fields[name] ?? null]));
      const show = (values: Change) => patchRow(client, object, base.id, (row) => ({ ...row, fields: { ...row.fields, ...values } }));
      const settle = () => {
        const left = Object.fromEntries(Object.entries(pending.current.get(base.id) ?? {}).filter(([name]) => !(name in shown)));
        pending.current.set(base.id, left);
      };
      await client.cancelQueries({ queryKey: ["list", object] });
      pending.current.set(base.id, { ...pending.current.get(base.id), ...shown });
      mark(base.id, path, { state: "saving" });
      show(shown);
      try {
        const saved = await save(fields, base);
        settle();
        mark(base.id, path, null);
        if (!saved || field.type === "reference") await rereadRow(client, object, base.id).catch(() => client.invalidateQueries({ queryKey: ["list", object] }));
      } catch (error) {
        settle();
        show(before);
        const wrong = refusalOf(error);
        const own = wrong.of(field.name) ?? wrong.errors[0];
        mark(base.id, path, { state: "failed", text: own ? fieldErrorText(own) : errorText(wrong), draft });
      }
    },
    [client, object, metas, mark, save],
  );
  return { send, saving };
}

export function useCells(meta: Meta): { cells: Cells; dialogs: ReactNode } {
  const client = useQueryClient();
  const metas = useMetas();
  const block = useBlock(meta);
  const [editing, setEditing] = useState<Editing | null>(null);
  const [marks, setMarks] = useState<ReadonlyMap<string, Mark>>(new Map());
  const [asking, setAsking] = useState<Asking | null>(null);
  const draft = useRef<Draft>({ value: undefined });
  /** What is edited now, known before the page is drawn again: one key may say twice that it is done. */
  const open = useRef<Editing | null>(null);
  const mark = useCallback((id: string, path: string, now: Mark | null) => {
    setMarks((before) => {
      // A word that something cannot be changed lasts until the next act.
      const next = new Map([...before].filter(([, one]) => one.state !== "note"));
      if (now) next.set(markKey(id, path), now);
      else next.delete(markKey(id, path));
      return next;
    });
  }, []);
  const { send, saving } = useSending(meta, mark);

  const begin = useCallback(
    (record: RecordView, path: string) => {
      const field = fieldOf(meta, metas, path);
      const why = block(record, path);
      if (why !== undefined || !field) return mark(record.id, path, { state: "note", text: why ?? "" });
      const kept = marks.get(markKey(record.id, path));
      const title = record.fields[path];
      draft.current = kept?.state === "failed" ? kept.draft : { value: record.fields[field.name], title: path.includes(".") && typeof title === "string" ? title : undefined };
      mark(record.id, path, null);
      open.current = { record, path, field };
      setEditing(open.current);
    },
    [meta, metas, block, mark, marks],
  );

  const keep = useCallback(
    (then: "stay" | "next" | "back" | "away") => {
      const edit = open.current;
      if (!edit) return;
      const { record, path, field } = edit;
      const { value, title } = draft.current;
      const after = value ?? null;
      open.current = null;
      setEditing(null);
      const next = then === "next" || then === "back" ? beside(record.id, path, then === "back") : null;
      const row = next ? rowOf(client, meta.name, next.id) : undefined;
      if (next && row) begin(row, next.path);
      else if (then !== "away") focusCell(record.id, path);
      if (same(record.fields[field.name], after)) return;
      const sendNow = (base: RecordView) => void send(edit, base, { [field.name]: after }, { value: after, title });
      if (field.name !== stageField(meta)?.name || typeof after !== "string") return sendNow(record);
      // What the stage asks for is not in the list; it is read before anything is asked.
      void call("record_open", { params: { object: meta.name, id: record.id }, query: { fields: askedFields(meta).join(",") } })
        .then((more) => ({ ...record, fields: { ...more.fields, ...record.fields } }), () => record)
        .then((base) => {
          const fields = asks(meta, base, after);
          if (fields.length > 0) setAsking({ edit, base, code: after, fields });
          else sendNow(base);
        });
    },
    [client, meta, begin, send],
  );
  const leave = useCallback(() => {
    if (open.current) focusCell(open.current.record.id, open.current.path);
    open.current = null;
    setEditing(null);
  }, []);
  const forget = useCallback((id: string, path: string) => mark(id, path, null), [mark]);

  const dialogs = (
    <>
      {asking ? (
        <StageDialog
          field={asking.edit.field}
          code={asking.code}
          fields={asking.fields}
          busy={false}
          onClose={() => setAsking(null)}
          onGo={(change) => {
            setAsking(null);
            void send(asking.edit, asking.base, change, { value: asking.code });
          }}
        />
      ) : null}
      {saving.clash ? <Conflict meta={meta} clash={saving.clash} onSend={(fields, version) => void saving.settle(fields, version)} onClose={saving.drop} /> : null}
    </>
  );
  const cells = useMemo(() => ({ editing, draft, marks, block, begin, keep, leave, forget }), [editing, marks, block, begin, keep, leave, forget]);
  return { cells, dialogs };
}
