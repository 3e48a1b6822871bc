// A list gathered into groups: each with its count and sums from the server, its rows read when it is opened. Arrows walk over
// heads and rows alike; the rows of a group are those the same filter and the group's value give.

import { useInfiniteQuery, useQueryClient, keepPreviousData } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { call } from "~/api/client";
import type { Json, RecordPage, RecordView, Summary, SummaryRequest } from "~/api/types.gen";
import { useT, type T } from "~/i18n";
import { date, month, number } from "~/i18n/format";
import { Bone, Button, State } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { toFilter, type Leaf, type Node } from "~/model/filter";
import { optionLabel, said, useMetas, type Meta } from "~/model/meta";
import { usePrefs } from "~/model/prefs";
import { figureText, useSummary } from "~/model/summary";
import { Trouble } from "~/pages/Trouble";
import type { Cells } from "./cells";
import { cellKey, Header, GridRow, ROW_HEIGHTS, widthOf } from "./Grid";
import { rowOf } from "./rows";
import { listKey, requestOf, type ListState } from "./state";
import css from "./list.module.css";

const GROUP_ROWS = 50;

export function groupRequest(state: ListState): SummaryRequest {
  return { filter: toFilter(state.filter), ...(state.search.q ? { q: state.search.q } : {}), group_by: state.by ? [state.by] : [], sums: state.sums, limit: 200 };
}

/** The day after a length of time that begins with `first`. */
export function afterLength(first: string, length: string): string {
  const [year = 0, month = 1, day = 1] = first.slice(0, 10).split("-").map(Number);
  const months = { year: 12, quarter: 3, month: 1 }[length] ?? 0;
  const days = { week: 7, day: 1 }[length] ?? 0;
  return new Date(Date.UTC(year, month - 1 + months, day + days)).toISOString().slice(0, 10);
}

/** Which rows belong to a group. */
export function groupFilter(meta: Meta, by: string, key: Json | undefined): Node {
  const [name = "", length] = by.split(":");
  const field = meta.fields.get(name);
  if (key === null || key === undefined) return { field: name, op: "empty", value: true };
  if (!length) return { field: name, op: "eq", value: key };
  const first = String(key).slice(0, 10);
  const next = afterLength(first, length);
  const edge = (day: string) => (field?.type === "timestamp" ? `${day}T00:00:00Z` : day);
  const parts: Leaf[] = [{ field: name, op: "ge", value: edge(first) }, { field: name, op: "lt", value: edge(next) }];
  return { and: parts };
}

function keyText(meta: Meta, by: string, group: Summary["groups"][number], t: T): string {
  const [name = "", length] = by.split(":");
  const field = meta.fields.get(name);
  const key = group.key[0];
  if (key === null || key === undefined) return t("group.without", { field: said(field?.label) });
  if (length) {
    const first = String(key).slice(0, 10);
    if (length === "year") return first.slice(0, 4);
    if (length === "quarter") return `${first.slice(0, 4)} Q${Math.ceil(Number(first.slice(5, 7)) / 3)}`;
    if (length === "month") return month(first);
    return length === "week" ? t("group.weekOf", { day: date(first) }) : date(first);
  }
  if (field?.type === "enum") return optionLabel(field, String(key));
  if (field?.type === "bool") return key === true ? t("value.yes") : t("value.no");
  return group.label[0] ?? t("value.hidden");
}

export function Figures({ meta, sums, figures }: { meta: Meta; sums: string[]; figures: Summary["total"]["sums"] }) {
  return sums.map((name) => (
    <span key={name} className={css.figureOf}>
      <span className="faint">{said(meta.fields.get(name)?.label)}</span> <span className="num">{figureText(figures, name) || "–"}</span>
    </span>
  ));
}

type RowsProps = { meta: Meta; state: ListState; cells: Cells; groupKey: Json | undefined; columns: string[]; width: (path: string) => number; height: number; peeked: string | null; visited: string | null; onOpen: (record: RecordView, beside: boolean) => void; onPeek: (record: RecordView | null) => void };

function Rows({ meta, state, cells, groupKey, columns, width, height, peeked, visited, onOpen, onPeek }: RowsProps) {
  const t = useT();
  const metas = useMetas();
  const request = useMemo(() => {
    const base = requestOf(meta, metas, state);
    const own = groupFilter(meta, state.by ?? "", groupKey);
    return { ...base, filter: toFilter(state.filter ? { and: [state.filter, own] } : own), limit: GROUP_ROWS, count: "none" as const };
  }, [meta, metas, state, groupKey]);
  const query = useInfiniteQuery({
    queryKey: listKey(meta.name, request),
    queryFn: ({ pageParam, signal }): Promise<RecordPage> => call("record_query", { params: { object: meta.name }, body: { ...request, ...(pageParam ? { cursor: pageParam } : {}) }, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  if (query.error && rows.length === 0) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  if (query.isPending)
    return (
      <div className={css.bone} style={{ height }} aria-hidden>
        <Bone width={260} />
      </div>
    );
  return (
    <>
      {rows.map((record, index) => (
        <GridRow
          key={record.id}
          meta={meta}
          columns={columns}
          cells={cells}
          width={width}
          record={record}
          index={index}
          selected={false}
          visited={visited === record.id}
          peeked={peeked === record.id}
          tabIndex={-1}
          style={{ position: "relative", width: 0, minWidth: "100%", height }}
          onClick={(event) => {
            if ((event.target as HTMLElement).closest("a, button")) return;
            if (peeked) onPeek(record);
          }}
          onOpen={onOpen}
        />
      ))}
      {query.hasNextPage ? (
        <div role="row" className={css.groupMore}>
          <div role="gridcell">
            <Button small tone="quiet" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              {t("board.more")}
            </Button>
          </div>
        </div>
      ) : null}
    </>
  );
}

type Props = { meta: Meta; state: ListState; cells: Cells; peeked: string | null; visited: string | null; onOpen: (record: RecordView, beside: boolean) => void; onPeek: (record: RecordView | null) => void; onColumns: (columns: string[]) => void };

export default function Grouped({ meta, state, cells, peeked, visited, onOpen, onPeek, onColumns }: Props) {
  const t = useT();
  const prefs = usePrefs();
  const client = useQueryClient();
  const place = useRef<HTMLDivElement>(null);
  const request = useMemo(() => groupRequest(state), [state]);
  const summary = useSummary(meta.name, request);
  const [opened, setOpened] = useState<ReadonlySet<string> | null>(null);
  const [dragged, setDragged] = useState<{ column: string; width: number } | null>(null);
  useEffect(() => setOpened(null), [state.by]);
  const groups = summary.data?.groups ?? [];
  const name = (group: Summary["groups"][number]) => JSON.stringify(group.key);
  const open = opened ?? new Set(groups[0] ? [name(groups[0])] : []);
  const kept = prefs.lists[meta.name]?.widths;
  const { columns } = state;
  const width = useCallback((path: string) => (dragged?.column === path ? dragged.width : (kept?.[path] ?? widthOf(meta, path, meta.titleField))), [dragged, kept, meta]);
  const height = matchMedia("(pointer: coarse)").matches ? 44 : ROW_HEIGHTS[prefs.density];
  const toggle = (key: string) => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpened(next);
  };

  function key(event: KeyboardEvent) {
    const target = event.target as HTMLElement;
    const path = target.dataset["path"];
    if (target.dataset["group"] === undefined && !["row", "gridcell"].includes(target.getAttribute("role") ?? "")) return;
    const here = path ? (target.closest<HTMLElement>("[data-id]") ?? target) : target;
    const walk = [...(place.current?.querySelectorAll<HTMLElement>("[data-group], [data-id]") ?? [])];
    const at = walk.indexOf(here);
    if (at < 0) return;
    const moves: { [key: string]: number } = { ArrowDown: at + 1, ArrowUp: at - 1, ...(path ? {} : { Home: 0, End: walk.length - 1 }) };
    const to = moves[event.key];
    if (to !== undefined) {
      event.preventDefault();
      const next = walk[Math.max(0, Math.min(to, walk.length - 1))];
      ((path ? next?.querySelector<HTMLElement>(`[data-path="${CSS.escape(path)}"]`) : null) ?? next)?.focus();
      return;
    }
    const group = here.dataset["group"];
    if (group !== undefined && (event.key === "ArrowRight" || event.key === "ArrowLeft") && open.has(group) !== (event.key === "ArrowRight")) {
      event.preventDefault();
      toggle(group);
    }
    const id = here.dataset["id"];
    if (!id) return;
    const record = rowOf(client, meta.name, id);
    if (!record) return;
    if (event.key === "Enter" && (!path || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onOpen(record, event.ctrlKey || event.metaKey);
    } else if (event.key === " ") {
      event.preventDefault();
      onPeek(peeked === id ? null : record);
    } else {
      cellKey(event, cells, columns, record);
    }
  }

  if (summary.error && !summary.data) return <Trouble error={summary.error} retry={() => void summary.refetch()} />;
  if (summary.data && groups.length === 0) return <State icon="filter" title={t("group.empty")} />;
  return (
    <div ref={place} data-scroll className={css.scroll} style={{ scrollPaddingLeft: 48 + width(columns[0] ?? "") }}>
      <div className={css.grid} role="treegrid" aria-label={t("list.label")} aria-colcount={columns.length + 1} onKeyDown={key}>
        <Header meta={meta} columns={columns} sort={state.sort} width={width} all={false} some={false} onSort={(sort) => state.set({ sort: sort.join(",") })} onColumns={onColumns} onDrag={setDragged} />
        {groups.map((group) => {
          const id = name(group);
          const isOpen = open.has(id);
          return (
            <div key={id} role="rowgroup">
              <div role="row" aria-level={1} aria-expanded={isOpen} className={css.group}>
                <div role="gridcell" aria-colspan={columns.length + 1}>
                  <button type="button" data-group={id} className={css.groupHead} aria-expanded={isOpen} onClick={() => toggle(id)}>
                    <Icon name={isOpen ? "down" : "right"} size={14} />
                    <strong>{keyText(meta, state.by ?? "", group, t)}</strong>
                    <span className="num faint">{number(group.count)}</span>
                    <Figures meta={meta} sums={state.sums} figures={group.sums} />
                  </button>
                </div>
              </div>
              {isOpen ? <Rows meta={meta} state={state} cells={cells} groupKey={group.key[0]} columns={columns} width={width} height={height} peeked={peeked} visited={visited} onOpen={onOpen} onPeek={onPeek} /> : null}
            </div>
          );
        })}
        {summary.data?.more ? <p className={css.foot}>{t("group.more", { count: groups.length })}</p> : null}
      </div>
    </div>
  );
}
