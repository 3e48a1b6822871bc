// How far a record has come, as a path that can be clicked. Stages that end something ask for the reason first.

import { useEffect, useRef, useState } from "react";
import { errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { FieldDef, RecordView } from "~/api/types.gen";
import { daysSince, STAGE_SINCE } from "~/board/cards";
import { useT } from "~/i18n";
import { Tip } from "~/lib/basics";
import { toast } from "~/lib/toasts";
import { canSet, said, type Meta } from "~/model/meta";
import type { Change } from "./data";
import { asks, ENDS, StageDialog } from "./stages";
import css from "./record.module.css";

export function StagePath({ meta, record, field, save }: { meta: Meta; record: RecordView; field: FieldDef; save: (change: Change) => Promise<void> }) {
  const t = useT();
  const [asking, setAsking] = useState<{ code: string; fields: FieldDef[] } | null>(null);
  const [busy, setBusy] = useState(false);
  const options = field.options ?? [];
  const now = options.findIndex((option) => option.code === record.fields[field.name]);
  const since = record.fields[STAGE_SINCE];
  const days = typeof since === "string" ? daysSince(since, Date.now()) : null;
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
    const fields = asks(meta, record, code);
    if (fields.length === 0) void go({ [field.name]: code });
    else setAsking({ code, fields });
  }

  const path = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Where not all fit, the stage that counts is in sight. Only the path is moved, never the page.
    const place = path.current;
    const step = place?.querySelector<HTMLElement>("[aria-current]");
    if (place && step) place.scrollLeft = step.offsetLeft - (place.clientWidth - step.offsetWidth) / 2;
  }, [now]);

  return (
    <>
      <div ref={path} className={css.stages} role="group" aria-label={said(field.label)}>
        {options.map((option, index) => (
          <Tip key={option.code} text={blocked}>
            <button type="button" className={css.stage} data-stage={option.code} data-state={index === now ? "now" : index < now && !ENDS[option.code] ? "past" : "next"} data-end={index === now ? ENDS[option.code] : undefined} aria-current={index === now ? "step" : undefined} aria-disabled={blocked ? true : undefined} onClick={() => choose(option.code)}>
              {said(option.label)}
              {index === now && days !== null && days > 0 && !ENDS[option.code] ? (
                <span className={css.stageDays} title={t("board.inStage", { count: days })}>
                  {t("record.inStage", { count: days })}
                </span>
              ) : null}
            </button>
          </Tip>
        ))}
      </div>
      {asking ? <StageDialog field={field} code={asking.code} fields={asking.fields} busy={busy} onGo={(change) => void go(change)} onClose={() => setAsking(null)} /> : null}
    </>
  );
}
