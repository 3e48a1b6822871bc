// The rows of a list: only those that can be seen are drawn. One row at a time is in the tab order; j/k and arrows move,
// Enter opens, Space peeks, x selects, Shift+x selects a range. Sorting is the server's work; the header only asks for it.

import { useVirtualizer } from "@tanstack/react-virtual";
import { Link } from "@tanstack/react-router";
import { useCallback, useEffect, useLayoutEffect, useRef, useState, type CSSProperties, type KeyboardEvent, type MouseEvent, type PointerEvent } from "react";
import type { RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Bone, cx, Tip } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { useKeys } from "~/lib/keys";
import libCss from "~/lib/lib.module.css";
import { fieldAt } from "~/model/filter";
import { fieldLabel, isSealed, sortBlock, titleOf, useMetas, type Meta } from "~/model/meta";
import { setListPrefs, usePrefs } from "~/model/prefs";
import { isFigure, SealMark, Value } from "~/value/Value";
import type { Selection } from "./selection";
import css from "./list.module.css";

export const ROW_HEIGHTS = { compact: 28, standard: 32, comfortable: 40 };

type Props = {
  meta: Meta;
  columns: string[];
  sort: string[];
  rows: RecordView[];
  more: boolean;
  loadMore: () => void;
  selection: Selection;
  visited: string | null;
  startAt: number;
  peeked: string | null;
  onOpen: (record: RecordView, beside: boolean) => void;
  onPeek: (record: RecordView | null) => void;
  onSort: (sort: string[]) => void;
  onColumns: (columns: string[]) => void;
  onTop: (top: number) => void;
};

export function widthOf(meta: Meta, path: string, title: string): number {
  if (path === title) return 240;
  const field = meta.fields.get(path.split(".")[0] ?? "");
  if (path.includes(".")) return /^owner/.test(path) ? 120 : 190;
  switch (field?.type) {
    case "enum":
    case "bool":
      return 108;
    case "integer":
      return 112;
    case "money":
    case "decimal":
      return 130;
    case "date":
      return 128;
    case "timestamp":
      return 150;
    case "phone":
      return 140;
    case "email":
      return 220;
    default:
      return field?.name === "number" ? 116 : 180;
  }
}

export function Grid(props: Props) {
  const { meta, columns, sort, rows, more, loadMore, selection, visited, peeked, onOpen, onPeek, onTop, startAt } = props;
  const t = useT();
  const prefs = usePrefs();
  const scroll = useRef<HTMLDivElement>(null);
  const coarse = matchMedia("(pointer: coarse)").matches;
  const height = coarse ? 44 : ROW_HEIGHTS[prefs.density];
  const [at, setAt] = useState(() => Math.max(0, rows.findIndex((row) => row.id === visited)));
  const virtual = useVirtualizer({ count: rows.length + (more ? 3 : 0), getScrollElement: () => scroll.current, estimateSize: () => height, overscan: 16, initialOffset: startAt });
  const kept = prefs.lists[meta.name]?.widths;
  const [dragged, setDragged] = useState<{ column: string; width: number } | null>(null);
  // A phone shows the name and the beginning of the next column.
  const small = matchMedia("(max-width: 640px)").matches;
  const width = useCallback((path: string) => (small && path === columns[0] ? 190 : dragged?.column === path ? dragged.width : (kept?.[path] ?? widthOf(meta, path, meta.titleField))), [dragged, kept, meta, small, columns]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (more && last >= rows.length - 30) loadMore();
  }, [last, more, rows.length, loadMore]);
  useLayoutEffect(() => virtual.measure(), [height, virtual]);
  useLayoutEffect(() => {
    if (startAt > 0) scroll.current?.scrollTo({ top: startAt });
    // Only where one was when the page is shown again.
    // eslint-disable-next-line react-hooks/exhaustive-deps -- see above
  }, []);

  const focusRow = useCallback(
    (index: number) => {
      const to = Math.max(0, Math.min(index, rows.length - 1));
      setAt(to);
      virtual.scrollToIndex(to, { align: "auto" });
      requestAnimationFrame(() => scroll.current?.querySelector<HTMLElement>(`[data-index="${to}"]`)?.focus({ preventScroll: true }));
      const record = rows[to];
      if (peeked && record) onPeek(record);
    },
    [rows, virtual, peeked, onPeek],
  );

  const current = rows[at];
  useKeys({
    j: () => focusRow(scroll.current?.contains(document.activeElement) ? at + 1 : at),
    k: () => focusRow(at - 1),
    x: () => (current ? selection.toggle(at) : undefined),
    "shift+x": () => (current ? selection.range(at) : undefined),
    o: () => (current ? onOpen(current, false) : undefined),
  });

  function key(event: KeyboardEvent) {
    if (!(event.target instanceof HTMLElement) || event.target.getAttribute("role") !== "row") return;
    const page = Math.floor((scroll.current?.clientHeight ?? 400) / height) - 1;
    const moves: { [key: string]: number } = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: rows.length - 1 };
    const to = moves[event.key];
    if (to !== undefined) {
      event.preventDefault();
      focusRow(to);
    } else if (event.key === "Enter" && current) {
      event.preventDefault();
      onOpen(current, event.ctrlKey || event.metaKey);
    } else if (event.key === " " && current) {
      event.preventDefault();
      onPeek(peeked === current.id ? null : current);
    } else if (event.key === "Escape" && peeked) {
      onPeek(null);
    }
  }

  function click(event: MouseEvent, index: number, record: RecordView) {
    if ((event.target as HTMLElement).closest("a, input, button")) return;
    setAt(index);
    if (event.shiftKey) selection.range(index);
    else if (event.ctrlKey || event.metaKey) selection.toggle(index);
    else if (peeked) onPeek(record);
  }

  const all = rows.length > 0 && selection.ids.size >= rows.length;
  return (
    <div ref={scroll} className={css.scroll} onScroll={(event) => onTop(event.currentTarget.scrollTop)}>
      <div className={css.grid} role="grid" aria-rowcount={more ? -1 : rows.length + 1} aria-colcount={columns.length + 1} aria-multiselectable onKeyDown={key} aria-label={t("list.label")}>
        <Header meta={meta} onSort={props.onSort} onColumns={props.onColumns} selection={selection} width={width} all={all} some={selection.ids.size > 0 && !all} onDrag={setDragged} columns={columns} sort={sort} />
        <div className={css.rows} style={{ height: virtual.getTotalSize() }} role="rowgroup">
          {items.map((item) => {
            const record = rows[item.index];
            if (!record) {
              return (
                <div key={item.key} className={css.row} style={{ transform: `translateY(${item.start}px)`, height }} aria-hidden>
                  <div className={css.check} />
                  {columns.map((path, index) => (
                    <div key={path} className={css.bone} style={{ flex: `${index === 0 ? 1 : 0} 0 ${width(path)}px` }}>
                      <Bone width="60%" />
                    </div>
                  ))}
                </div>
              );
            }
            return (
              <GridRow
                key={record.id}
                meta={meta}
                columns={columns}
                width={width}
                record={record}
                index={item.index}
                selected={selection.ids.has(record.id)}
                visited={visited === record.id}
                peeked={peeked === record.id}
                tabIndex={item.index === Math.min(at, rows.length - 1) ? 0 : -1}
                style={{ transform: `translateY(${item.start}px)`, height }}
                onFocus={() => setAt(item.index)}
                onClick={(event) => click(event, item.index, record)}
                onSelect={(range) => (range ? selection.range(item.index) : selection.toggle(item.index))}
                onOpen={onOpen}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

type RowProps = {
  meta: Meta;
  columns: string[];
  width: (path: string) => number;
  record: RecordView;
  index: number;
  selected: boolean;
  visited: boolean;
  peeked: boolean;
  tabIndex: number;
  style: CSSProperties;
  onFocus?: () => void;
  onClick: (event: MouseEvent) => void;
  /** Absent where rows cannot be selected. */
  onSelect?: (range: boolean) => void;
  onOpen: (record: RecordView, beside: boolean) => void;
};

/** One row of a list. */
export function GridRow({ meta, columns, width, record, index, selected, visited, peeked, tabIndex, style, onFocus, onClick, onSelect, onOpen }: RowProps) {
  const t = useT();
  return (
    <div
      role="row"
      data-index={index}
      data-id={record.id}
      aria-rowindex={onSelect ? index + 2 : undefined}
      aria-selected={selected}
      data-visited={visited || undefined}
      data-peeked={peeked || undefined}
      tabIndex={tabIndex}
      className={css.row}
      style={style}
      onFocus={onFocus}
      onClick={onClick}
      onDoubleClick={() => onOpen(record, false)}
    >
      <div role="gridcell" className={css.check}>
        {onSelect ? <input type="checkbox" className={libCss.check} tabIndex={-1} aria-label={t("list.select", { name: titleOf(meta, record) })} checked={selected} onChange={() => undefined} onClick={(event) => onSelect(event.shiftKey)} /> : null}
      </div>
      {columns.map((path, at) => (
        <div key={path} role="gridcell" className={cx(css.cell, at === 0 && css.sticky)} data-figure={isFigure(meta.fields.get(path)) || undefined} style={{ flex: `${at === 0 ? 1 : 0} 0 ${width(path)}px` }}>
          {path === meta.titleField ? (
            <Link to="/o/$object/$id" params={{ object: meta.name, id: record.id }} className={css.name} tabIndex={-1} onClick={(event) => { if (event.ctrlKey || event.metaKey || event.shiftKey) return; event.preventDefault(); onOpen(record, false); }}>
              {titleOf(meta, record)}
            </Link>
          ) : (
            <Value meta={meta} path={path} record={record} />
          )}
        </div>
      ))}
    </div>
  );
}

type HeaderProps = Pick<Props, "meta" | "columns" | "sort" | "onSort" | "onColumns"> & { selection?: Selection; width: (path: string) => number; all: boolean; some: boolean; onDrag: (drag: { column: string; width: number } | null) => void };

export function Header({ meta, columns, sort, width, all, some, selection, onSort, onColumns, onDrag }: HeaderProps) {
  const t = useT();
  const metas = useMetas();
  const [over, setOver] = useState<string | null>(null);
  const moving = useRef<string | null>(null);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current) box.current.indeterminate = some;
  }, [some]);

  function sortBy(path: string, add: boolean) {
    const now = sort.find((one) => one.replace(/^-/, "") === path);
    const next = now === undefined ? path : now.startsWith("-") ? null : `-${path}`;
    const others = add ? sort.filter((one) => one !== now) : [];
    onSort(next ? [...others, next].slice(-4) : others);
  }

  function resize(event: PointerEvent<HTMLDivElement>, path: string) {
    event.preventDefault();
    event.stopPropagation();
    const grip = event.currentTarget;
    grip.setPointerCapture(event.pointerId);
    const [from, start] = [event.clientX, width(path)];
    let now = start;
    const move = (moved: globalThis.PointerEvent) => {
      now = Math.max(60, Math.min(800, start + moved.clientX - from));
      onDrag({ column: path, width: now });
    };
    const stop = () => {
      grip.removeEventListener("pointermove", move);
      setListPrefs(meta.name, { widths: { ...Object.fromEntries(columns.map((column) => [column, width(column)])), [path]: now } });
      onDrag(null);
    };
    grip.addEventListener("pointermove", move);
    grip.addEventListener("pointerup", stop, { once: true });
  }

  function drop(path: string) {
    const from = moving.current;
    setOver(null);
    if (!from || from === path) return;
    const rest = columns.filter((column) => column !== from);
    rest.splice(rest.indexOf(path), 0, from);
    onColumns(rest);
  }

  return (
    <div role="row" className={css.header} aria-rowindex={1}>
      <div role={selection ? "columnheader" : "gridcell"} className={css.check}>
        {selection ? <input ref={box} type="checkbox" className={libCss.check} checked={all} aria-label={t("list.selectAll")} onChange={() => selection.all()} /> : null}
      </div>
      {columns.map((path, index) => {
        const field = meta.fields.get(path) ?? fieldAt(meta, metas, path);
        const block = sortBlock(meta.fields.get(path), path);
        const place = sort.findIndex((one) => one.replace(/^-/, "") === path);
        const down = sort[place]?.startsWith("-");
        const why = block === "sealed" ? t("list.sealed") : block ? t("list.unsortable") : undefined;
        return (
          <div
            key={path}
            role="columnheader"
            aria-sort={place < 0 ? undefined : down ? "descending" : "ascending"}
            className={cx(index === 0 && css.sticky)}
            style={{ flex: `${index === 0 ? 1 : 0} 0 ${width(path)}px` }}
            data-figure={isFigure(meta.fields.get(path)) || undefined}
            data-drop={over === path || undefined}
            draggable
            onDragStart={() => (moving.current = path)}
            onDragOver={(event) => {
              event.preventDefault();
              setOver(path);
            }}
            onDragLeave={() => setOver(null)}
            onDrop={() => drop(path)}
          >
            <Tip text={why}>
              <button type="button" className={css.sorter} aria-disabled={block ? true : undefined} onClick={(event) => (block ? undefined : sortBy(path, event.shiftKey))}>
                <span className="clip">{fieldLabel(meta, path, metas)}</span>
                {field && isSealed(field) ? <SealMark field={field} /> : null}
                {place >= 0 ? <Icon name={down ? "sortdown" : "sortup"} size={12} /> : null}
                {place >= 0 && sort.length > 1 ? <span className={css.order}>{place + 1}</span> : null}
              </button>
            </Tip>
            <div className={css.grip} onPointerDown={(event) => resize(event, path)} aria-hidden />
          </div>
        );
      })}
    </div>
  );
}
