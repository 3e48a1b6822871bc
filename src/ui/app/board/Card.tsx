// One card: what it is called, whom it is about, how much, until when, whose. What is wrong with it is said by sign and word.

import { useDraggable } from "@dnd-kit/core";
import { Link } from "@tanstack/react-router";
import type { KeyboardEvent } from "react";
import type { RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { money, shortDate, type Amount } from "~/i18n/format";
import { Avatar, Badge, cx } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { titleOf, useMetas, type Meta } from "~/model/meta";
import { Value } from "~/value/Value";
import { daysInStage, isPast, STAGE_SINCE, type CardLayout } from "./cards";
import css from "./board.module.css";

/** What is planned next for a record. */
export type Next = "late" | "planned" | "none";

type FaceProps = { meta: Meta; record: RecordView; layout: CardLayout; stale: number; ended: boolean; next: Next | undefined; onOpen?: ((record: RecordView, beside: boolean) => void) | undefined };

export function CardFace({ meta, record, layout, stale, ended, next, onOpen }: FaceProps) {
  const t = useT();
  const metas = useMetas();
  const owner = record.fields["owner.display_name"];
  const who = typeof owner === "string" ? owner : "";
  const due = layout.due ? record.fields[layout.due] : null;
  const past = !ended && isPast(due);
  const amount = layout.amount ? (record.fields[layout.amount] as Amount | null | undefined) : null;
  const about = layout.about ? meta.fields.get(layout.about) : undefined;
  const other = about?.type === "reference" && about.targets?.length === 1 ? metas.get(about.targets[0] ?? "") : undefined;
  const days = daysInStage(record, Date.now());
  const timed = typeof record.fields[STAGE_SINCE] === "string";
  const nextDue = layout.next ? record.fields[layout.next] : undefined;
  const dot: Next | undefined = ended ? undefined : typeof nextDue === "string" ? (isPast(nextDue) ? "late" : "planned") : next;
  return (
    <>
      <div className={css.cardTop}>
        {onOpen ? (
          <Link
            to="/o/$object/$id"
            params={{ object: meta.name, id: record.id }}
            tabIndex={-1}
            draggable={false}
            className={css.cardTitle}
            onClick={(event) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return;
              event.preventDefault();
              onOpen(record, false);
            }}
          >
            {titleOf(meta, record)}
          </Link>
        ) : (
          <span className={css.cardTitle}>{titleOf(meta, record)}</span>
        )}
        {dot ? (
          <span className={css.dot} data-next={dot} title={t(`board.next.${dot}`)}>
            <span className="sr">{t(`board.next.${dot}`)}</span>
          </span>
        ) : null}
      </div>
      {(layout.about && record.fields[layout.about]) || who ? (
        <div className={css.cardAbout}>
          {layout.about && record.fields[layout.about] ? <Value meta={meta} path={other ? `${layout.about}.${other.titleField}` : layout.about} record={record} /> : null}
          {who ? (
            <span className={css.owner} title={who}>
              <Avatar name={who} />
              <span className="sr">{who}</span>
            </span>
          ) : null}
        </div>
      ) : null}
      <div className={css.cardFoot}>
        {amount ? <strong className="num">{money(amount)}</strong> : null}
        {layout.mark ? record.fields[layout.mark] ? <Value meta={meta} path={layout.mark} record={record} /> : null : null}
        {typeof due === "string" && due ? (
          <span className={cx("num", past ? css.past : css.day)}>
            {past ? <Icon name="warn" size={12} title={t("board.past")} /> : null}
            {shortDate(due)}
          </span>
        ) : null}
        {!ended && days >= stale ? (
          <span title={timed ? t("board.inStage", { count: days }) : undefined}>
            <Badge tone="warn" icon="history">
              {t(timed ? "board.staleStage" : "board.stale", { days })}
            </Badge>
          </span>
        ) : !ended && timed && days > 0 ? (
          <span className={cx("num", css.day)} title={t("board.inStage", { count: days })}>
            <Icon name="history" size={12} title={t("board.inStage", { count: days })} />
            {t("record.inStage", { count: days })}
          </span>
        ) : null}
      </div>
    </>
  );
}

type Props = FaceProps & { index: number; current: boolean; lifted: boolean; pending: boolean; movable: boolean; hintId: string; onKey: (event: KeyboardEvent, record: RecordView) => void; onFocus: () => void };

export function Card({ index, current, lifted, pending, movable, hintId, onKey, onFocus, ...face }: Props) {
  const { record, onOpen } = face;
  const drag = useDraggable({ id: record.id, data: { record }, disabled: !movable });
  return (
    <li
      ref={drag.setNodeRef}
      {...(movable ? drag.listeners : {})}
      className={css.card}
      data-card={record.id}
      data-place={index}
      data-lifted={lifted || undefined}
      data-dragged={drag.isDragging || undefined}
      data-pending={pending || undefined}
      tabIndex={current ? 0 : -1}
      aria-describedby={hintId}
      onKeyDown={(event) => onKey(event, record)}
      onFocus={onFocus}
      onDoubleClick={() => onOpen?.(record, false)}
    >
      <CardFace {...face} />
    </li>
  );
}
