// The input that lies over a cell while it is edited, and the word beside a cell. Enter saves, Escape leaves, Tab saves and goes
// on, a click elsewhere saves too. An input method's Enter is its own.

import { useEffect, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import { useT } from "~/i18n";
import { Button, IconButton } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { said } from "~/model/meta";
import { FieldInput } from "~/value/FieldInput";
import type { Cells, Editing, Mark } from "./cells";
import css from "./list.module.css";

const CONTROLS = "input, select, textarea, button";
const LONG = ["long_text", "rich_text"];

export function CellEditor({ editing, cells }: { editing: Editing; cells: Cells }) {
  const t = useT();
  const { field } = editing;
  const { draft, keep, leave } = cells;
  const box = useRef<HTMLDivElement>(null);
  const [now, setNow] = useState(draft.current);
  const label = said(field.label);

  useLayoutEffect(() => {
    const place = box.current;
    const list = place?.closest<HTMLElement>("[data-scroll]")?.getBoundingClientRect();
    if (!place || !list) return;
    const own = place.getBoundingClientRect();
    if (own.right > list.right - 12) place.dataset["end"] = "true";
    if (own.bottom > list.bottom - 12) place.dataset["up"] = "true";
    const first = place.querySelector<HTMLElement>(CONTROLS);
    first?.focus();
    if (first instanceof HTMLInputElement && /^(text|email|tel|url)$/.test(first.type)) first.select();
  }, []);

  const finish = useRef(keep);
  useEffect(() => {
    finish.current = keep;
  });
  useEffect(() => {
    const outside = (event: PointerEvent) => {
      const target = event.target as HTMLElement;
      if (!box.current?.contains(target) && !target.closest("[role=listbox], [data-portal]")) finish.current("away");
    };
    document.addEventListener("pointerdown", outside, true);
    return () => document.removeEventListener("pointerdown", outside, true);
  }, []);

  // A record that was picked is the whole answer, and one that was not picked is none: looking for another empties nothing.
  const picking = field.type === "reference";
  function change(value: typeof now.value, title?: string) {
    draft.current = { value, title };
    setNow(draft.current);
    if (picking) keep("stay");
  }

  function key(event: KeyboardEvent) {
    event.stopPropagation();
    if (event.nativeEvent.isComposing) return;
    const target = event.target as HTMLElement;
    const long = LONG.includes(field.type) && !event.ctrlKey && !event.metaKey;
    if (event.key === "Escape") {
      event.preventDefault();
      leave();
    } else if (event.key === "Enter" && !long && target.tagName !== "BUTTON" && target.getAttribute("aria-expanded") !== "true") {
      event.preventDefault();
      keep("stay");
    } else if (event.key === "Tab") {
      const controls = [...(box.current?.querySelectorAll<HTMLElement>(CONTROLS) ?? [])];
      if (target !== controls.at(event.shiftKey ? 0 : -1)) return;
      event.preventDefault();
      keep(event.shiftKey ? "back" : "next");
    }
  }

  return (
    <div ref={box} className={css.cellEditor} data-kind={field.type} onKeyDown={key} onDoubleClick={(event) => event.stopPropagation()} onClick={(event) => event.stopPropagation()}>
      <FieldInput field={field} value={picking ? null : now.value} label={label} onChange={change} />
      {picking && now.value && !field.required ? <IconButton icon="close" label={now.title ? t("cell.take", { name: now.title }) : t("cell.empty")} onClick={() => change(null)} /> : null}
    </div>
  );
}

/** Beside a cell: why it was not saved, with what was typed still there; or why it cannot be changed. */
export function CellNote({ id, path, mark, cells, onAgain }: { id: string; path: string; mark: Exclude<Mark, { state: "saving" }>; cells: Cells; onAgain: () => void }) {
  const t = useT();
  const place = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const list = place.current?.closest<HTMLElement>("[data-scroll]")?.getBoundingClientRect();
    const own = place.current?.getBoundingClientRect();
    if (!place.current || !list || !own) return;
    if (own.right > list.right - 12) place.current.dataset["end"] = "true";
    if (own.bottom > list.bottom - 12) place.current.dataset["up"] = "true";
  }, []);
  const bad = mark.state === "failed";
  return (
    <div ref={place} className={css.cellNote} data-tone={bad ? "bad" : undefined} role={bad ? "alert" : "status"} onDoubleClick={(event) => event.stopPropagation()} onClick={(event) => event.stopPropagation()}>
      <Icon name={bad ? "warn" : "info"} size={13} />
      <span>{bad ? t("cell.failed", { reason: mark.text }) : mark.text}</span>
      {bad ? (
        <span className={css.cellNoteActs}>
          <Button small onClick={onAgain}>
            {t("cell.again")}
          </Button>
          <Button small tone="quiet" onClick={() => cells.forget(id, path)}>
            {t("cell.drop")}
          </Button>
        </span>
      ) : null}
    </div>
  );
}
