// How far a record has come, as a path that can be clicked. Stages that end something ask for the reason first.

import { useState } from "react";
import { errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { FieldDef, Json, RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button, Tip } from "~/lib/basics";
import { Framed } from "~/lib/fields";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { canSet, optionLabel, said, type Meta } from "~/model/meta";
import { FieldInput } from "~/value/FieldInput";
import type { Change } from "./data";
import css from "./record.module.css";

/** Stages that end something, well or badly. They are no steps on the way to each other. */
const ENDS: { [stage: string]: "good" | "bad" } = { won: "good", lost: "bad", converted: "good", unqualified: "bad", resolved: "good", closed: "good", completed: "good", cancelled: "bad" };

/** Fields that a stage asks for, when the object has them and they may be set. */
const ASKED: { [stage: string]: string[] } = {
  won: ["won_lost_reason", "closed_at", "amount"],
  lost: ["won_lost_reason", "closed_at"],
  unqualified: ["unqualified_reason"],
  resolved: ["resolution", "root_cause"],
};

export function StagePath({ meta, record, field, save }: { meta: Meta; record: RecordView; field: FieldDef; save: (change: Change) => Promise<void> }) {
  const t = useT();
  const [asking, setAsking] = useState<{ code: string; fields: FieldDef[] } | null>(null);
  const [values, setValues] = useState<Change>({});
  const [busy, setBusy] = useState(false);
  const options = field.options ?? [];
  const now = options.findIndex((option) => option.code === record.fields[field.name]);
  const blocked = !meta.may.update || !canSet(meta, field) ? t("record.readOnly") : undefined;

  async function go(change: Change) {
    setBusy(true);
    try {
      await save(change);
      setAsking(null);
    } catch (error) {
      const wrong = refusalOf(error);
      toast(errorText(wrong), { tone: "bad", note: wrong.errors[0]?.detail ?? "" });
    } finally {
      setBusy(false);
    }
  }

  function choose(code: string) {
    if (blocked || code === record.fields[field.name]) return;
    const fields = (ASKED[code] ?? []).flatMap((name) => meta.fields.get(name) ?? []).filter((one) => canSet(meta, one) && !record.fields[one.name]);
    if (fields.length === 0) return void go({ [field.name]: code });
    setValues(Object.fromEntries(fields.filter((one) => one.name === "closed_at").map((one) => [one.name, new Date().toISOString().slice(0, 10) as Json])));
    setAsking({ code, fields });
  }

  return (
    <>
      <div className={css.stages} role="group" aria-label={said(field.label)}>
        {options.map((option, index) => (
          <Tip key={option.code} text={blocked}>
            <button type="button" className={css.stage} data-state={index === now ? "now" : index < now && !ENDS[option.code] ? "past" : "next"} data-end={index === now ? ENDS[option.code] : undefined} aria-current={index === now ? "step" : undefined} aria-disabled={blocked ? true : undefined} onClick={() => choose(option.code)}>
              {said(option.label)}
            </button>
          </Tip>
        ))}
      </div>
      <Dialog
        open={asking !== null}
        onClose={() => setAsking(null)}
        title={asking ? t("stage.to", { stage: optionLabel(field, asking.code) }) : ""}
        closeLabel={t("act.close")}
        size="narrow"
        easy={false}
        foot={
          <>
            <Button onClick={() => setAsking(null)}>{t("act.cancel")}</Button>
            <Button tone="primary" busy={busy} onClick={() => asking && void go({ [field.name]: asking.code, ...values })}>
              {t("stage.move")}
            </Button>
          </>
        }
      >
        {asking?.fields.map((one) => (
          <Framed key={one.name} label={said(one.label)}>
            {({ id, describedBy }) => <FieldInput field={one} id={id} describedBy={describedBy} value={values[one.name]} onChange={(value) => setValues({ ...values, [one.name]: value })} />}
          </Framed>
        ))}
      </Dialog>
    </>
  );
}
