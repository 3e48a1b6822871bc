// Adds a record to a column by its name alone. What the object needs beyond that is asked in the full form, which takes over
// what was typed.

import { useQueryClient } from "@tanstack/react-query";
import { useId, useRef, useState, type FormEvent } from "react";
import { actKey, call } from "~/api/client";
import { errorText, fieldErrorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { FieldDef } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { TextField } from "~/lib/fields";
import { fieldLabel, objectLabel, optionLabel, type Meta } from "~/model/meta";
import { show } from "~/shell/stage";
import css from "./board.module.css";

export function Adder({ meta, stage, code, onClose, onSaid }: { meta: Meta; stage: FieldDef; code: string; onClose: () => void; onSaid: (text: string) => void }) {
  const t = useT();
  const id = useId();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | undefined>();
  const act = useRef(actKey());
  const preset = { [stage.name]: code, ...(name.trim() ? { [meta.titleField]: name.trim() } : {}) };
  const needs = [...meta.fields.values()].some((field) => field.required && field.default === undefined && field.name !== meta.titleField && field.name !== stage.name);
  const full = () => {
    onClose();
    show({ what: "create", object: meta.name, preset });
  };

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!name.trim() || busy) return;
    if (needs) return full();
    setBusy(true);
    try {
      await call("record_create", { params: { object: meta.name }, body: preset, once: act.current });
      setName("");
      setWrong(undefined);
      onSaid(t("form.created", { name: name.trim() }));
      void client.invalidateQueries({ queryKey: ["list", meta.name] });
    } catch (error) {
      const refused = refusalOf(error);
      setWrong(refused.errors[0] ? fieldErrorText(refused.errors[0]) : errorText(refused));
    } finally {
      act.current = actKey();
      setBusy(false);
    }
  }

  return (
    <form className={css.adder} onSubmit={(event) => void submit(event)} onKeyDown={(event) => (event.key === "Escape" && !event.nativeEvent.isComposing ? onClose() : undefined)} aria-label={t("board.addTo", { stage: optionLabel(stage, code) })}>
      <TextField id={id} label={`${objectLabel(meta)}: ${fieldLabel(meta, meta.titleField)}`} value={name} error={wrong} autoFocus maxLength={200} autoComplete="off" onChange={(event) => setName(event.target.value)} />
      <div className={css.adderFoot}>
        <Button small tone="quiet" onClick={full}>
          {t("board.full")}
        </Button>
        <Button small onClick={onClose}>
          {t("act.cancel")}
        </Button>
        <Button small tone="primary" type="submit" busy={busy}>
          {t("board.add")}
        </Button>
      </div>
    </form>
  );
}
