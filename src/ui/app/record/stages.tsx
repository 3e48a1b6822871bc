// What a stage asks for when a record goes there, and the dialog that asks; for the path of a record page and for the board.

import { useState } from "react";
import type { FieldDef, Json, RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { Framed } from "~/lib/fields";
import { Dialog } from "~/lib/overlays";
import { canSet, optionLabel, said, type Meta } from "~/model/meta";
import { FieldInput } from "~/value/FieldInput";
import type { Change } from "./data";

/** Stages that end something, well or badly. They are no steps on the way to each other. */
export const ENDS: { [stage: string]: "good" | "bad" } = { won: "good", lost: "bad", converted: "good", unqualified: "bad", resolved: "good", closed: "good", completed: "good", cancelled: "bad" };

/** Fields that a stage asks for, when the object has them and they may be set. */
const ASKED: { [stage: string]: string[] } = {
  won: ["won_lost_reason", "closed_at", "amount"],
  lost: ["won_lost_reason", "closed_at"],
  unqualified: ["unqualified_reason"],
  resolved: ["resolution", "root_cause"],
};

/** All that any stage of the object may ask for: to be read with a record that may be moved. */
export function askedFields(meta: Meta): string[] {
  return [...new Set(Object.values(ASKED).flat())].filter((name) => meta.fields.has(name));
}

/** What the stage asks for that the record does not say yet. */
export function asks(meta: Meta, record: RecordView, code: string): FieldDef[] {
  return (ASKED[code] ?? []).flatMap((name) => meta.fields.get(name) ?? []).filter((one) => canSet(meta, one) && !record.fields[one.name]);
}

/** Asks for the fields of a stage; mounted anew for each question. */
export function StageDialog({ field, code, fields, busy, onGo, onClose }: { field: FieldDef; code: string; fields: FieldDef[]; busy: boolean; onGo: (change: Change) => void; onClose: () => void }) {
  const t = useT();
  const [values, setValues] = useState<Change>(() => Object.fromEntries(fields.filter((one) => one.name === "closed_at").map((one) => [one.name, new Date().toISOString().slice(0, 10) as Json])));
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("stage.to", { stage: optionLabel(field, code) })}
      closeLabel={t("act.close")}
      size="narrow"
      easy={false}
      foot={
        <>
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button tone="primary" busy={busy} onClick={() => onGo({ [field.name]: code, ...values })}>
            {t("stage.move")}
          </Button>
        </>
      }
    >
      {fields.map((one, index) => (
        <Framed key={one.name} label={said(one.label)}>
          {({ id, describedBy }) => <FieldInput field={one} id={id} describedBy={describedBy} autoFocus={index === 0} value={values[one.name]} onChange={(value) => setValues({ ...values, [one.name]: value })} />}
        </Framed>
      ))}
    </Dialog>
  );
}
