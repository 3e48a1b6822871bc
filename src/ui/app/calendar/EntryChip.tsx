// One entry of the calendar: when and what, with a sign for late and done. A click or Enter opens it, Space lifts it.

import { useDraggable } from "@dnd-kit/core";
import type { CSSProperties } from "react";
import { useT } from "~/i18n";
import { time } from "~/i18n/format";
import { Icon } from "~/lib/icons";
import { iconOf } from "~/model/layouts";
import { titleOf, type Meta } from "~/model/meta";
import { whenText, type Entry } from "./data";
import type { Place } from "./Calendar";
import css from "./calendar.module.css";

const KINDS = ["call", "meeting", "note", "task"] as const;

export function EntryChip({ meta, entry, place, style, block = false, narrow = false }: { meta: Meta; entry: Entry; place: Place; style?: CSSProperties; block?: boolean; narrow?: boolean }) {
  const t = useT();
  const drag = useDraggable({ id: entry.record.id, data: { entry }, disabled: !entry.movable });
  const kind = KINDS.find((one) => one === entry.record.fields["kind"]);
  const state = entry.done ? "done" : entry.late ? "late" : "open";
  const by = drag.transform;
  return (
    <button
      ref={drag.setNodeRef}
      {...(entry.movable ? drag.listeners : {})}
      type="button"
      className={css.entry}
      data-entry={entry.record.id}
      data-state={state}
      data-block={block || undefined}
      data-lifted={place.lift?.entry.record.id === entry.record.id || undefined}
      data-dragged={drag.isDragging || undefined}
      aria-describedby={place.hintId}
      style={{ ...style, ...(by ? { transform: `translate(${by.x}px, ${by.y}px)` } : {}) }}
      title={`${whenText(entry, entry.value)} ${titleOf(meta, entry.record)}`}
      onKeyDown={(event) => place.onKey(event, entry)}
      onClick={(event) => {
        event.stopPropagation();
        place.onOpen(entry.record);
      }}
    >
      <Icon name={entry.done ? "check" : entry.late ? "warn" : (kind ?? iconOf(meta.name))} size={12} />
      {entry.whole || narrow ? null : <span className="num">{time(entry.value)}</span>}
      <span className="clip">{titleOf(meta, entry.record)}</span>
      <span className="sr">
        {whenText(entry, entry.value)}
        {state === "open" ? "" : t(`calendar.${state}`)}
      </span>
    </button>
  );
}
