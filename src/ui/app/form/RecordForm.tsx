// The form of a new record. What is wrong stands at its field and in a summary at the top, which takes the focus; nothing that
// was typed is ever cleared. What is typed survives a reload.

import { useEffect, useMemo, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { actKey, call } from "~/api/client";
import { errorNote, errorText, fieldErrorText } from "~/api/errors";
import { refusalOf, type Refusal } from "~/api/problem";
import { limits, type FieldDef, type Json, type RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { Framed, TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { draftOf, dropDraft, keepDraft, type Draft } from "~/model/drafts";
import { layoutOf } from "~/model/layouts";
import { canSet, said, type Meta } from "~/model/meta";
import { FieldInput } from "~/value/FieldInput";
import { SealMark } from "~/value/Value";
import { DuplicateNote } from "./DuplicateNote";
import { isStrong, useDuplicates } from "./duplicates";
import css from "./form.module.css";

type Props = { meta: Meta; preset: Draft; id: string; onSaved: (record: RecordView, then: "open" | "stay" | "another") => void; onBusy: (busy: boolean) => void };

/** Names are long; notes longer; the rest stands two in a row. */
function isWide(field: FieldDef, meta: Meta): boolean {
  return field.name === meta.titleField || ["long_text", "rich_text", "address", "multi_enum"].includes(field.type);
}

function defaults(meta: Meta): Draft {
  const set: Draft = {};
  for (const field of meta.fields.values()) if (field.default !== undefined && canSet(meta, field)) set[field.name] = field.default as Json;
  return set;
}

export function RecordForm({ meta, preset, id, onSaved, onBusy }: Props) {
  const t = useT();
  const place = `create.${meta.name}`;
  const kept = useMemo(() => draftOf(place), [place]);
  const [values, setValues] = useState<Draft>(() => ({ ...defaults(meta), ...kept, ...preset }));
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const [all, setAll] = useState(false);
  const [reason, setReason] = useState("");
  const [unsaid, setUnsaid] = useState(false);
  const same = useDuplicates(meta, values);
  const strong = isStrong(meta, same, values);
  const summary = useRef<HTMLDivElement>(null);
  const act = useRef(actKey());
  const then = useRef<"open" | "stay" | "another">("open");
  const layout = useMemo(() => layoutOf(meta), [meta]);

  const names = all ? [...new Set([...layout.create, ...layout.sections.flatMap((section) => section.fields)])] : layout.create;
  const presetOnly = Object.keys(preset).filter((name) => !names.includes(name));
  const fields = [...names, ...presetOnly].flatMap((name) => meta.fields.get(name) ?? []).filter((field) => canSet(meta, field));
  const unplaced = wrong?.errors.filter((error) => !fields.some((field) => wrong.of(field.name) === error)) ?? [];

  useEffect(() => {
    const timer = setTimeout(() => keepDraft(place, meta, values), 600);
    return () => clearTimeout(timer);
  }, [place, meta, values]);
  useEffect(() => {
    if (wrong) summary.current?.focus();
  }, [wrong]);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    // What is there already is made once more only by somebody who says why; the log keeps it.
    if (strong && !reason.trim()) {
      setUnsaid(true);
      document.getElementById(`${id}-reason`)?.focus();
      return;
    }
    onBusy(true);
    try {
      const body = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null && value !== undefined));
      const record = await call("record_create", { params: { object: meta.name }, body, once: act.current, ...(strong ? { purpose: reason.trim() } : {}) });
      dropDraft(place);
      act.current = actKey();
      setWrong(null);
      setReason("");
      setUnsaid(false);
      if (then.current === "another") setValues({ ...defaults(meta), ...preset });
      onSaved(record, then.current);
    } catch (error) {
      // Another body needs another key; the same one would give the first answer again.
      act.current = refusalOf(error).unreachable ? act.current : actKey();
      setWrong(refusalOf(error));
    } finally {
      onBusy(false);
      then.current = "open";
    }
  }

  function key(event: KeyboardEvent<HTMLFormElement>) {
    if (event.nativeEvent.isComposing || !(event.ctrlKey || event.metaKey)) return;
    if (event.key === "Enter" || event.key === "s") {
      event.preventDefault();
      then.current = event.key === "s" ? "stay" : "open";
      event.currentTarget.requestSubmit();
    }
  }

  return (
    <form id={id} className={css.form} onSubmit={submit} onKeyDown={key} noValidate>
      {wrong ? (
        <div ref={summary} tabIndex={-1} role="alert" className={css.summary}>
          <strong>
            <Icon name="warn" /> {errorText(wrong)}
          </strong>
          <ul>
            {fields.map((field) => {
              const error = wrong.of(field.name);
              return error ? (
                <li key={field.name}>
                  <a
                    href={`#${id}-${field.name}`}
                    onClick={(event) => {
                      event.preventDefault();
                      document.getElementById(`${id}-${field.name}`)?.focus();
                    }}
                  >
                    {said(field.label)}: {fieldErrorText(error)}
                  </a>
                </li>
              ) : null;
            })}
            {unplaced.map((error) => (
              <li key={error.pointer}>
                {error.pointer.slice(1)}: {fieldErrorText(error)}
              </li>
            ))}
          </ul>
          {wrong.errors.length === 0 && !wrong.unreachable ? <p>{wrong.detail}</p> : null}
          <p className={css.kept}>
            {t("form.kept")} {errorNote(wrong)}
          </p>
        </div>
      ) : kept && Object.keys(kept).length > 0 ? (
        <p className={css.draft}>
          {t("form.draft")}{" "}
          <Button
            small
            tone="quiet"
            onClick={() => {
              dropDraft(place);
              setValues({ ...defaults(meta), ...preset });
            }}
          >
            {t("form.dropDraft")}
          </Button>
        </p>
      ) : null}
      <div className={css.fields}>
        {fields.map((field, index) => {
          const error = wrong?.of(field.name);
          return (
            <div key={field.name} className={isWide(field, meta) ? css.whole : undefined}>
              <Framed
                id={`${id}-${field.name}`}
                label={
                  <>
                    {said(field.label)}
                    <SealMark field={field} />
                  </>
                }
                required={field.required ? t("form.required") : undefined}
                hint={field.help ? said(field.help) : undefined}
                error={error ? fieldErrorText(error) : undefined}
              >
                {(ids) => <FieldInput field={field} value={values[field.name]} id={ids.id} describedBy={ids.describedBy} invalid={Boolean(error)} required={field.required ?? false} autoFocus={index === 0} onChange={(value) => setValues((before) => ({ ...before, [field.name]: value }))} />}
              </Framed>
            </div>
          );
        })}
      </div>
      <div className={css.sameField} aria-live="polite" data-shown={same.items.length > 0 || same.others}>
        <DuplicateNote meta={meta} found={same} />
        {strong ? <TextField id={`${id}-reason`} label={t("same.reason")} hint={t("same.reasonHint")} error={unsaid && !reason.trim() ? t("same.sayWhy") : undefined} required={t("form.required")} maxLength={limits.PURPOSE_CHARS_MAX} value={reason} onChange={(event) => setReason(event.target.value)} /> : null}
      </div>
      <div className={css.more}>
        <Button small tone="quiet" icon={all ? "up" : "down"} onClick={() => setAll(!all)}>
          {all ? t("form.fewer") : t("form.all")}
        </Button>
        <button type="submit" hidden data-then="another" onClick={() => (then.current = "another")} />
      </div>
    </form>
  );
}
