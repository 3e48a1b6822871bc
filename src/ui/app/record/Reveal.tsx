// Revealing a masked value: states a purpose, shows it for thirty seconds, and forgets it. The value is never in the page before
// that, and copying it is nothing more than having revealed it; the reveal is in the log.

import { useMutation } from "@tanstack/react-query";
import { useEffect, useState, type FormEvent, type ReactNode } from "react";
import { call } from "~/api/client";
import { errorText } from "~/api/errors";
import { limits, type FieldDef, type Json, type RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button, IconButton } from "~/lib/basics";
import { TextField } from "~/lib/fields";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { said, type Meta } from "~/model/meta";
import { plain } from "~/value/Value";
import css from "./record.module.css";

const SHOWN_SECONDS = 30;
/** Purposes that this person gave in this tab; offered again, never stored. */
const given: string[] = [];

type Reveal = { possible: boolean; shown: Json | undefined; left: number; hide: () => void; button: ReactNode };

export function useReveal(meta: Meta, record: RecordView, field: FieldDef): Reveal {
  const t = useT();
  const [asking, setAsking] = useState(false);
  const [shown, setShown] = useState<{ value: Json; until: number } | null>(null);
  const [left, setLeft] = useState(0);
  const reduced = record.reduced?.[field.name];
  const possible = meta.may.reveal && reduced !== undefined && reduced !== false;
  const send = useMutation({
    mutationFn: (purpose: string) => call("record_reveal", { params: { object: meta.name, id: record.id }, body: { fields: [field.name], purpose } }),
    gcTime: 0,
    onSuccess: (answer, purpose) => {
      setAsking(false);
      if (!given.includes(purpose)) given.unshift(purpose);
      if (answer.reduced?.[field.name] !== undefined) return void toast(t("reveal.denied"), { tone: "bad" });
      setShown({ value: answer.fields[field.name] ?? null, until: Date.now() + SHOWN_SECONDS * 1000 });
      setLeft(SHOWN_SECONDS);
      send.reset();
    },
  });
  useEffect(() => {
    if (!shown) return;
    const timer = setInterval(() => {
      const seconds = Math.ceil((shown.until - Date.now()) / 1000);
      setLeft(seconds);
      if (seconds <= 0) setShown(null);
    }, 250);
    return () => clearInterval(timer);
  }, [shown]);

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const purpose = String(new FormData(event.currentTarget).get("purpose")).trim();
    if (purpose) send.mutate(purpose);
  }

  const label = said(field.label);
  const list = `purposes-${field.name}`;
  const button = (
    <>
      <IconButton small icon="eye" label={t("reveal.act", { field: label })} onClick={() => setAsking(true)} />
      <Dialog
        open={asking}
        onClose={() => setAsking(false)}
        title={t("reveal.act", { field: label })}
        closeLabel={t("act.close")}
        size="narrow"
        foot={
          <>
            <Button onClick={() => setAsking(false)}>{t("act.cancel")}</Button>
            <Button tone="primary" type="submit" form={`reveal-${field.name}`} busy={send.isPending}>
              {t("reveal.show")}
            </Button>
          </>
        }
      >
        <form id={`reveal-${field.name}`} onSubmit={submit}>
          <TextField name="purpose" label={t("reveal.purpose")} hint={t("reveal.hint", { seconds: SHOWN_SECONDS })} data-autofocus maxLength={limits.PURPOSE_CHARS_MAX} list={list} error={send.error ? errorText(send.error) : undefined} />
          <datalist id={list}>
            {given.map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
        </form>
      </Dialog>
    </>
  );
  return { possible, shown: shown?.value, left, hide: () => setShown(null), button };
}

export function Revealed({ field, value, left, onHide }: { field: FieldDef; value: Json; left: number; onHide: () => void }) {
  const t = useT();
  return (
    <span className={css.revealed} role="status">
      <span className="num">{plain(field, value, t) || t("value.nothing")}</span>
      <span className="faint num">{t("reveal.left", { seconds: left })}</span>
      <IconButton small icon="eyeoff" label={t("reveal.hide")} onClick={onHide} />
    </span>
  );
}
