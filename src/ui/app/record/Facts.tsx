// The facts of a record in sections: label at the left, value at the right. A value that may be changed is edited in its place:
// Enter or a double click opens it, Enter saves, Escape leaves, Tab saves and goes on. Masked ones can be revealed.

import { useRef, useState, type KeyboardEvent } from "react";
import { flushSync } from "react-dom";
import { errorText, fieldErrorText } from "~/api/errors";
import { refusalOf, type Refusal } from "~/api/problem";
import type { FieldDef, Json, RecordView } from "~/api/types.gen";
import { DuplicateNote } from "~/form/DuplicateNote";
import { tellsApart, useDuplicates } from "~/form/duplicates";
import { useT } from "~/i18n";
import { Button, IconButton } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import libCss from "~/lib/lib.module.css";
import { Later } from "~/lib/turns";
import { isHouse, layoutOf, type Section } from "~/model/layouts";
import { canSet, isSealed, levelOf, said, useMetas, type Meta } from "~/model/meta";
import { FieldInput } from "~/value/FieldInput";
import { SealMark, Value } from "~/value/Value";
import { HistoryButton } from "./History";
import { Revealed, useReveal } from "./Reveal";
import css from "./record.module.css";

/** Saves one field of the record as it was when the editing began. */
export type SaveField = (field: string, value: Json, base: RecordView) => Promise<void>;

type RowProps = { meta: Meta; record: RecordView; field: FieldDef; save: SaveField | null; history: boolean; onNext: (from: HTMLElement, back: boolean) => void };

function Row({ meta, record, field, save, history, onNext }: RowProps) {
  const t = useT();
  const metas = useMetas();
  const row = useRef<HTMLDivElement>(null);
  const [draft, setDraft] = useState<{ value: Json | undefined; base: RecordView } | null>(null);
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const [busy, setBusy] = useState(false);
  const reveal = useReveal(meta, record, field);
  const editable = save !== null && meta.may.update && canSet(meta, field) && record.reduced?.[field.name] === undefined;
  const label = said(field.label);
  const target = field.type === "reference" && field.targets?.length === 1 ? metas.get(field.targets[0] ?? "") : undefined;
  const title = target ? record.fields[`${field.name}.${target.titleField}`] : undefined;
  const begin = () => {
    if (!editable) return;
    setWrong(null);
    setDraft({ value: record.fields[field.name], base: record });
  };
  // Drawn at once: what shall have the focus next must be there.
  const close = () => flushSync(() => setDraft(null));
  const back = () => row.current?.querySelector<HTMLElement>("[data-edit]")?.focus();
  const leave = () => {
    setWrong(null);
    close();
    back();
  };

  async function keep(then: "stay" | "next" | "back") {
    if (!draft || !save || busy) return;
    const before = draft.base.fields[field.name] ?? null;
    const after = draft.value ?? null;
    if (JSON.stringify(before) !== JSON.stringify(after)) {
      setBusy(true);
      try {
        await save(field.name, after, draft.base);
      } catch (error) {
        setWrong(refusalOf(error));
        setBusy(false);
        return;
      }
      setBusy(false);
    }
    close();
    if (then === "stay" || !row.current) back();
    else onNext(row.current, then === "back");
  }

  function key(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return;
    const long = event.target instanceof HTMLTextAreaElement && !event.ctrlKey && !event.metaKey;
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      leave();
    } else if (event.key === "Enter" && !long && !(event.target instanceof HTMLButtonElement) && (event.target as HTMLElement).getAttribute("aria-expanded") !== "true") {
      event.preventDefault();
      void keep("stay");
    } else if (event.key === "Tab" && field.type !== "address" && field.type !== "money") {
      event.preventDefault();
      void keep(event.shiftKey ? "back" : "next");
    }
  }

  const fieldWrong = wrong?.of(field.name);
  const errorId = `${record.id}-${field.name}-error`;
  return (
    <div ref={row} className={css.fact} data-field={field.name} data-long={["long_text", "rich_text", "json", "address"].includes(field.type) || undefined}>
      <dt>
        <span className="clip" title={field.help ? said(field.help) : undefined}>
          {label}
        </span>
        <SealMark field={field} />
        {field.sensitivity === "S3" ? <span className={css.class}>S3</span> : null}
      </dt>
      <dd>
        {draft ? (
          <div className={css.editing} onKeyDown={key}>
            <FieldInput field={field} value={draft.value} label={label} autoFocus invalid={Boolean(wrong)} describedBy={wrong ? errorId : undefined} title={draft.value === draft.base.fields[field.name] && typeof title === "string" ? title : undefined} onChange={(value) => setDraft({ ...draft, value })} />
            <div className={css.editingActs}>
              <IconButton small icon="check" label={t("act.save")} busy={busy} onClick={() => void keep("stay")} />
              <IconButton small icon="close" label={t("act.cancel")} onClick={leave} />
            </div>
            {tellsApart(meta, field) && draft.value !== draft.base.fields[field.name] ? <Same meta={meta} field={field.name} value={draft.value} id={record.id} /> : null}
            {wrong ? (
              <div id={errorId} className={libCss.error} role="alert">
                <Icon name="warn" size={13} />
                {fieldWrong ? fieldErrorText(fieldWrong) : errorText(wrong)}
              </div>
            ) : null}
          </div>
        ) : (
          <>
            {editable ? (
              <div className={css.value} onDoubleClick={begin}>
                <Value meta={meta} path={field.name} record={record} link full />
                <span className={css.acts}>
                  <IconButton data-edit small icon="edit" label={t("record.editField", { field: label })} onClick={begin} />
                </span>
              </div>
            ) : (
              <div className={css.value}>{reveal.shown !== undefined ? <Revealed field={field} value={reveal.shown} left={reveal.left} onHide={reveal.hide} /> : <Value meta={meta} path={field.name} record={record} link full />}</div>
            )}
            <span className={css.acts}>
              {reveal.possible && reveal.shown === undefined ? reveal.button : null}
              {history ? (
                <span className={css.past}>
                  <HistoryButton meta={meta} record={record} field={field} />
                </span>
              ) : null}
            </span>
          </>
        )}
      </dd>
    </div>
  );
}

/** While a telling value is typed: other records that have it. */
function Same({ meta, field, value, id }: { meta: Meta; field: string; value: Json | undefined; id: string }) {
  const found = useDuplicates(meta, { [field]: value }, id);
  return (
    <div aria-live="polite">
      <DuplicateNote meta={meta} found={found} small mergeInto={id} />
    </div>
  );
}

/** Rows that can take the focus, in their order on the page. */
function goOn(from: HTMLElement, back: boolean): void {
  const all = [...document.querySelectorAll<HTMLElement>("[data-field]:has([data-edit]), [data-field] input")].map((one) => one.closest<HTMLElement>("[data-field]"));
  const rows = [...new Set(all.filter((one) => one !== null))];
  const next = rows[rows.indexOf(from) + (back ? -1 : 1)];
  (next ?? from).querySelector<HTMLElement>("[data-edit]")?.click();
}

export function Facts({ meta, record, save, history = true, sections, hideEmpty = false }: { meta: Meta; record: RecordView; save: SaveField | null; history?: boolean; sections?: Section[]; hideEmpty?: boolean }) {
  const t = useT();
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [all, setAll] = useState<ReadonlySet<string>>(new Set());
  const list = sections ?? layoutOf(meta).sections;
  const isEmpty = (name: string) => {
    const value = record.fields[name];
    return record.reduced?.[name] !== true && typeof record.reduced?.[name] !== "string" && (value === null || value === undefined || value === "");
  };
  const flip = (set: ReadonlySet<string>, name: string) => {
    const next = new Set(set);
    if (!next.delete(name)) next.add(name);
    return next;
  };
  return (
    <>
      {list.map((section, index) => {
        const key = `${index} ${section.label.en}`;
        const fields = section.fields.flatMap((name) => meta.fields.get(name) ?? []).filter((field) => levelOf(meta, field.name) !== "none");
        // What is empty and cannot be filled in only takes room; what can be filled in waits behind one word.
        const filled = fields.filter((field) => !isEmpty(field.name));
        const empty = fields.filter((field) => isEmpty(field.name) && save !== null && canSet(meta, field));
        const open = !closed.has(key);
        const showAll = all.has(key) || (filled.length === 0 && !hideEmpty && !isHouse(section));
        const shown = showAll && save !== null ? fields.filter((field) => filled.includes(field) || empty.includes(field)) : filled;
        if (shown.length === 0 && empty.length === 0) return null;
        const id = `section-${meta.name}-${index}`;
        const part = (
          <section key={key} className={css.section} aria-labelledby={id}>
            <h2 id={id}>
              <button type="button" aria-expanded={open} onClick={() => setClosed(flip(closed, key))}>
                <Icon name={open ? "down" : "right"} size={12} />
                {said(section.label)}
              </button>
            </h2>
            {open ? (
              <>
                <dl className={css.facts}>
                  {shown.map((field) => (
                    <Row key={field.name} meta={meta} record={record} field={field} save={save} history={history && !isSealedHouse(field)} onNext={goOn} />
                  ))}
                </dl>
                {empty.length > 0 && !(filled.length === 0 && showAll) ? (
                  <Button small tone="quiet" onClick={() => setAll(flip(all, key))}>
                    {showAll ? t("record.fewer") : t("record.more", { count: empty.length })}
                  </Button>
                ) : null}
              </>
            ) : null}
          </section>
        );
        return index === 0 ? part : <Later key={key}>{part}</Later>;
      })}
    </>
  );
}

/** Fields of the appliance have no story of their own. */
function isSealedHouse(field: FieldDef): boolean {
  return !isSealed(field) && ["created_at", "created_by", "updated_at", "updated_by", "number"].includes(field.name);
}
