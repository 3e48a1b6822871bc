// One column: its stage with count, sum and weighted sum, the first cards and more on request, and a place to add one.

import { useDroppable } from "@dnd-kit/core";
import { useInfiniteQuery, useQuery, keepPreviousData } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, type ReactNode } from "react";
import { call } from "~/api/client";
import { errorText } from "~/api/errors";
import type { FieldDef, ListRequest, RecordPage, RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { number, type Amount } from "~/i18n/format";
import { Bone, Button, cx, IconButton, Tip } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { Menu } from "~/lib/overlays";
import { listKey } from "~/list/state";
import { optionLabel, useMetas, type Meta } from "~/model/meta";
import { shortAmounts } from "~/model/summary";
import { ENDS } from "~/record/stages";
import { isPast } from "./cards";
import type { Next } from "./Card";
import css from "./board.module.css";

export type ColumnFigures = { count: number; sum: Amount[]; weighted: Amount[] };

/** The cards of a column as the server has them. */
export function useColumn(meta: Meta, request: ListRequest, on: boolean) {
  return useInfiniteQuery({
    queryKey: listKey(meta.name, request),
    queryFn: ({ pageParam, signal }): Promise<RecordPage> => call("record_query", { params: { object: meta.name }, body: { ...request, ...(pageParam ? { cursor: pageParam } : {}) }, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    enabled: on,
  });
}

/** What is planned for these records: one question for all cards of a column, not asked where the record says it itself. */
export function useNext(meta: Meta, records: RecordView[], on: boolean): Map<string, Next> {
  const metas = useMetas();
  const activity = metas.get("activity");
  const able = on && activity?.may.read === true && activity.fields.get("regarding")?.targets?.includes(meta.name) === true && activity.view.access["regarding"]?.filterable === true;
  const ids = useMemo(() => records.map((record) => record.id).slice(0, 100).sort(), [records]);
  const { data } = useQuery({
    queryKey: ["list", "activity", "next", ids],
    queryFn: ({ signal }) =>
      call("record_query", {
        params: { object: "activity" },
        body: { filter: { and: [{ field: "regarding", op: "in", value: ids.map((id) => ({ object: meta.name, id })) }, { field: "status", op: "in", value: ["planned", "in_progress", "waiting"] }] }, fields: ["regarding", "due", "start"], limit: 200 },
        signal,
      }),
    enabled: able && ids.length > 0,
    staleTime: 60_000,
    retry: false,
  });
  return useMemo(() => {
    const found = new Map<string, Next>();
    if (!data) return found;
    for (const id of ids) found.set(id, "none");
    for (const one of data.items) {
      const about = one.fields["regarding"];
      const id = typeof about === "string" ? about : about && typeof about === "object" && !Array.isArray(about) ? String(about["id"]) : "";
      if (found.get(id) !== "late") found.set(id, isPast(one.fields["due"] ?? one.fields["start"]) ? "late" : "planned");
    }
    return found;
  }, [data, ids]);
}

type HeadProps = { stage: FieldDef; code: string; figures: ColumnFigures | undefined; limit: number | undefined; collapsed: boolean; onFold: () => void; onLimit: (limit: number) => void; onAdd: (() => void) | null };

export function ColumnHead({ stage, code, figures, limit, collapsed, onFold, onLimit, onAdd }: HeadProps) {
  const t = useT();
  const name = optionLabel(stage, code);
  const over = limit !== undefined && figures !== undefined && figures.count > limit;
  const end = ENDS[code];
  const sum = figures ? shortAmounts(figures.sum) : "";
  const weighted = figures ? shortAmounts(figures.weighted) : "";
  if (collapsed) {
    return (
      <button type="button" className={css.folded} aria-expanded={false} onClick={onFold}>
        <Icon name="right" size={12} />
        <span className={css.foldedText}>
          {end ? <Icon name={end === "good" ? "check" : "close"} size={12} /> : null}
          <span>{name}</span>
          <span className="num faint">{figures ? number(figures.count) : ""}</span>
          {sum ? <span className="num faint">{sum}</span> : null}
        </span>
      </button>
    );
  }
  return (
    <div className={css.head} data-end={end}>
      <div className={css.headLine}>
        <h2 title={name}>
          {end ? <Icon name={end === "good" ? "check" : "close"} size={13} /> : null}
          <span className="clip">{name}</span>
        </h2>
        <Tip text={over ? t("board.over", { limit: limit ?? 0 }) : undefined}>
          <span className={cx("num", css.count)} data-over={over || undefined} tabIndex={over ? 0 : undefined}>
            {over ? <Icon name="warn" size={12} title={t("board.over", { limit: limit ?? 0 })} /> : null}
            {figures ? number(figures.count) : "–"}
            {limit !== undefined ? ` / ${number(limit)}` : ""}
          </span>
        </Tip>
        {onAdd ? <IconButton small icon="plus" label={t("board.addTo", { stage: name })} onClick={onAdd} /> : null}
        <Menu
          label={t("board.column", { stage: name })}
          align="end"
          target={<IconButton small icon="more" label={t("board.column", { stage: name })} />}
          items={[
            { label: t("board.fold"), icon: "left", act: onFold },
            { kind: "rule" },
            { kind: "group", label: t("board.limit") },
            ...[0, 5, 10, 20, 50].map((size) => ({ label: size === 0 ? t("board.noLimit") : number(size), checked: (limit ?? 0) === size, act: () => onLimit(size) })),
          ]}
        />
      </div>
      <div className={cx("num", css.sums)} hidden={!sum}>
        {sum ? <span title={t("board.sum")}>{sum}</span> : null}
        {weighted && !end ? (
          <span className="faint" title={t("board.weighted")}>
            {t("board.weightedIs", { sum: weighted })}
          </span>
        ) : null}
      </div>
    </div>
  );
}

export function DropZone({ code, on, label, children, folded }: { code: string; on: boolean; label: string; children: ReactNode; folded: boolean }) {
  const { setNodeRef, isOver } = useDroppable({ id: code });
  return (
    <section ref={setNodeRef} className={cx(css.column, folded && css.columnFolded)} data-over={isOver || on || undefined} data-column={code} aria-label={label}>
      {children}
    </section>
  );
}

/** Below the cards: what is still to come, or why nothing comes. It loads by itself when it is scrolled to. */
export function ColumnFoot({ column, empty }: { column: ReturnType<typeof useColumn>; empty: boolean }) {
  const t = useT();
  const place = useRef<HTMLDivElement>(null);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = column;
  useEffect(() => {
    const node = place.current;
    if (!node || !hasNextPage) return;
    const watcher = new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting)) void fetchNextPage();
    });
    watcher.observe(node);
    return () => watcher.disconnect();
  }, [hasNextPage, fetchNextPage]);
  if (column.error) {
    return (
      <div className={css.note}>
        <p>{errorText(column.error)}</p>
        <Button small onClick={() => void column.refetch()}>
          {t("trouble.retry")}
        </Button>
      </div>
    );
  }
  if (column.isPending)
    return (
      <div className={css.bones} aria-hidden>
        {[0, 1, 2].map((one) => (
          <Bone key={one} height={76} />
        ))}
      </div>
    );
  if (empty) return <p className={css.note}>{t("board.empty")}</p>;
  return hasNextPage ? (
    <div ref={place} className={css.note}>
      <Button small tone="quiet" busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
        {isFetchingNextPage ? t("state.loading") : t("board.more")}
      </Button>
    </div>
  ) : null;
}
