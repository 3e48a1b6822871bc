// Writes a note, a call, a meeting or a task about the record that is open. Text stays when the save fails.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { actKey, call } from "~/api/client";
import { errorText, fieldErrorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { Json } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { AreaField, SelectField, TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { useKeys } from "~/lib/keys";
import { toast } from "~/lib/toasts";
import { draftOf, dropDraft, keepDraft } from "~/model/drafts";
import { said, type Meta } from "~/model/meta";
import css from "./record.module.css";

const KINDS = ["note", "call", "meeting", "task"] as const;
type Kind = (typeof KINDS)[number];

/** A note is named after its first line. */
function firstLine(text: string): string {
  const line = text.trim().split("\n")[0] ?? "";
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}

export function Composer({ meta, about }: { meta: Meta; about: { object: string; id: string } }) {
  const t = useT();
  const client = useQueryClient();
  const place = `compose.${about.id}`;
  const [draft] = useState(() => draftOf(place));
  const [kind, setKind] = useState<Kind | null>(() => KINDS.find((one) => one === draft?.["kind"]) ?? null);
  const [subject, setSubject] = useState(String(draft?.["subject"] ?? ""));
  const [body, setBody] = useState(String(draft?.["body"] ?? ""));
  const [at, setAt] = useState("");
  const [outcome, setOutcome] = useState("");
  const key = useRef(actKey());
  const form = useRef<HTMLFormElement>(null);
  const open = (wanted: Kind) => {
    setKind(wanted);
    requestAnimationFrame(() => form.current?.querySelector<HTMLElement>("input, textarea")?.focus());
  };
  useKeys({ n: () => open("note"), t: () => open("task"), m: () => open("meeting") });
  useEffect(() => {
    const typed = subject || body;
    const timer = setTimeout(() => keepDraft(place, meta, { kind: typed ? kind : null, subject: subject || null, body: body || null }), 600);
    return () => clearTimeout(timer);
  }, [place, meta, kind, subject, body]);

  const send = useMutation({
    mutationFn: (fields: { [name: string]: Json }) => call("record_create", { params: { object: "activity" }, body: fields, once: key.current }),
    onSuccess: () => {
      key.current = actKey();
      dropDraft(place);
      setSubject("");
      setBody("");
      setAt("");
      setOutcome("");
      setKind(null);
      toast(t("compose.saved"), { tone: "good" });
      void client.invalidateQueries({ queryKey: ["timeline", about.id] });
      void client.invalidateQueries({ queryKey: ["list", "activity"] });
    },
    onError: (error) => {
      if (!refusalOf(error).unreachable) key.current = actKey();
    },
  });

  function submit(event: FormEvent) {
    event.preventDefault();
    if (!kind) return;
    const time = at ? new Date(at).toISOString() : null;
    const now = new Date().toISOString();
    const fields: { [name: string]: Json } = { kind, subject: subject.trim() || firstLine(body) || null, body: body.trim() || null, regarding: about };
    if (kind === "task") Object.assign(fields, { status: "planned", due: time });
    if (kind === "meeting") Object.assign(fields, { status: time && time > now ? "planned" : "completed", start: time ?? now });
    if (kind === "call") Object.assign(fields, { status: "completed", start: time ?? now, completed_at: now, outcome: outcome || null });
    if (kind === "note") Object.assign(fields, { status: "completed", completed_at: now });
    send.mutate(Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)));
  }

  function keys(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.current?.requestSubmit();
    } else if (event.key === "Escape" && !subject && !body) {
      setKind(null);
    }
  }

  const wrong = send.error ? refusalOf(send.error) : null;
  const of = (field: string) => {
    const error = wrong?.of(field);
    return error ? fieldErrorText(error) : undefined;
  };
  const outcomes = meta.fields.get("outcome")?.options ?? [];
  return (
    <form ref={form} className={css.composer} onSubmit={submit} onKeyDown={keys} aria-label={t("compose.label")} noValidate>
      <div className={css.composerTabs} role="group" aria-label={t("compose.kind")}>
        {KINDS.map((one) => (
          <button key={one} type="button" aria-pressed={kind === one} onClick={() => (kind === one ? setKind(null) : open(one))}>
            <Icon name={one} size={14} />
            {t(`timeline.kind.${one}`)}
          </button>
        ))}
      </div>
      {kind ? (
        <>
          {kind === "note" ? null : <TextField label={t("compose.subject")} value={subject} maxLength={200} error={of("subject")} onChange={(event) => setSubject(event.target.value)} />}
          <AreaField label={kind === "note" ? t("timeline.kind.note") : t("compose.body")} rows={kind === "note" ? 4 : 2} value={body} maxLength={100_000} error={of("body") ?? (kind === "note" ? of("subject") : undefined)} onChange={(event) => setBody(event.target.value)} />
          <div className={css.composerRow}>
            {kind === "note" ? null : <TextField label={t(kind === "task" ? "compose.due" : "compose.when")} type="datetime-local" value={at} onChange={(event) => setAt(event.target.value)} />}
            {kind === "call" && outcomes.length > 0 ? <SelectField label={said(meta.fields.get("outcome")?.label)} empty="–" value={outcome} choices={outcomes.map((option) => ({ value: option.code, label: said(option.label) }))} onChange={(event) => setOutcome(event.target.value)} /> : null}
            <Button tone="primary" type="submit" busy={send.isPending}>
              {t("act.save")}
            </Button>
          </div>
          {wrong && !of("subject") && !of("body") ? (
            <p role="alert" style={{ color: "var(--brick)" }}>
              {errorText(wrong)}. {t("form.kept")}
            </p>
          ) : null}
        </>
      ) : null}
    </form>
  );
}
