// The rows of a list: only those that can be seen are drawn. One row at a time is in the tab order; j/k and arrows move,
// Enter opens, Space peeks, x selects, Shift+x selects a range. The right arrow goes into the cells of a row, where Enter or F2
// edits. Sorting is the server's work; the header only asks for it.

import { useVirtualizer } from "@tanstack/react-virtual";
import { Link } from "@tanstack/react-router";
import { useCallback, useEffect, useId, useLayoutEffect, useRef, useState, type CSSProperties, type KeyboardEvent, type MouseEvent, type PointerEvent } from "react";
import type { RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Badge, Bone, cx, Tip } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { useKeys } from "~/lib/keys";
import libCss from "~/lib/lib.module.css";
import { fieldAt } from "~/model/filter";
import { fieldLabel, isSealed, sortBlock, titleOf, useMetas, type Meta } from "~/model/meta";
import { setListPrefs, usePrefs } from "~/model/prefs";
import { isFigure, SealMark, Value } from "~/value/Value";
import { CellEditor, CellNote } from "./CellEditor";
import { markKey, type Cells } from "./cells";
import type { Selection } from "./selection";
import { PAGE_ROWS } from "./state";
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
  cells: Cells;
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
  const { meta, columns, sort, rows, more, loadMore, selection, cells, visited, peeked, onOpen, onPeek, onTop, startAt } = props;
  const t = useT();
  const prefs = usePrefs();
  const hintId = useId();
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
    // A first page is read alone: most lists are left after a look. Who scrolls gets a whole page ahead, so that nothing blank comes into sight.
    const ahead = rows.length > PAGE_ROWS ? PAGE_ROWS : 30;
    if (more && last >= rows.length - ahead) loadMore();
  }, [last, more, rows.length, loadMore]);
  useLayoutEffect(() => virtual.measure(), [height, virtual]);
  useLayoutEffect(() => {
    if (startAt > 0) scroll.current?.scrollTo({ top: startAt });
    // Only where one was when the page is shown again.
    // eslint-disable-next-line react-hooks/exhaustive-deps -- see above
  }, []);

  const focusRow = useCallback(
    (index: number, path?: string) => {
      const to = Math.max(0, Math.min(index, rows.length - 1));
      setAt(to);
      virtual.scrollToIndex(to, { align: "auto" });
      requestAnimationFrame(() => {
        const row = scroll.current?.querySelector<HTMLElement>(`[data-index="${to}"]`);
        if (path) row?.querySelector<HTMLElement>(`[data-path="${CSS.escape(path)}"]`)?.focus();
        else row?.focus({ preventScroll: true });
      });
      const record = rows[to];
      if (peeked && record) onPeek(record);
    },
    [rows, virtual, peeked, onPeek],
  );

  const current = rows[at];
  /** The column that has the focus; none when the whole row has it. */
  const here = () => (document.activeElement instanceof HTMLElement ? document.activeElement.dataset["path"] : undefined);
  useKeys({
    j: () => focusRow(scroll.current?.contains(document.activeElement) ? at + 1 : at, here()),
    k: () => focusRow(at - 1, here()),
    x: () => (current ? selection.toggle(at) : undefined),
    "shift+x": () => (current ? selection.range(at) : undefined),
    o: () => (current ? onOpen(current, false) : undefined),
  });

  function key(event: KeyboardEvent) {
    if (!(event.target instanceof HTMLElement) || !["row", "gridcell"].includes(event.target.getAttribute("role") ?? "")) return;
    const path = event.target.dataset["path"];
    const page = Math.floor((scroll.current?.clientHeight ?? 400) / height) - 1;
    const moves: { [key: string]: number } = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, ...(path ? {} : { Home: 0, End: rows.length - 1 }) };
    const to = moves[event.key];
    if (to !== undefined) {
      event.preventDefault();
      focusRow(to, path);
    } else if (current && event.key === "Enter" && (!path || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onOpen(current, event.ctrlKey || event.metaKey);
    } else if (event.key === " " && current) {
      event.preventDefault();
      onPeek(peeked === current.id ? null : current);
    } else if (event.key === "Escape" && peeked && !path) {
      onPeek(null);
    } else if (current) {
      cellKey(event, cells, columns, current);
    }
  }

  function click(event: MouseEvent, index: number, record: RecordView) {
    if ((event.target as HTMLElement).closest("a, input, button")) return;
    setAt(index);
    if (event.shiftKey) selection.range(index);
    else if (event.ctrlKey || event.metaKey) selection.toggle(index);
    else if (peeked) onPeek(record);
  }

  const all = selection.every || (rows.length > 0 && selection.ids.size >= rows.length);
  return (
    <div ref={scroll} data-scroll className={css.scroll} style={{ scrollPaddingLeft: 48 + width(columns[0] ?? "") }} onScroll={(event) => onTop(event.currentTarget.scrollTop)}>
      <p id={hintId} className="sr">
        {t("cell.hint")}
      </p>
      <div className={css.grid} role="grid" aria-rowcount={more ? -1 : rows.length + 1} aria-colcount={columns.length + 1} aria-multiselectable onKeyDown={key} aria-label={t("list.label")} aria-describedby={hintId}>
        <Header meta={meta} onSort={props.onSort} onColumns={props.onColumns} selection={selection} width={width} all={all} some={selection.any && !all} onDrag={setDragged} columns={columns} sort={sort} />
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
                cells={cells}
                selected={selection.has(record.id)}
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

/** What keys do from a row into its cells and inside of them. */
export function cellKey(event: KeyboardEvent, cells: Cells, columns: string[], record: RecordView): void {
  const target = event.target as HTMLElement;
  const row = target.closest<HTMLElement>("[data-id]");
  const path = target.dataset["path"];
  const at = path ? columns.indexOf(path) : -1;
  const go = (to: number) => {
    event.preventDefault();
    const column = columns[Math.min(to, columns.length - 1)];
    if (to < 0 || !column) row?.focus({ preventScroll: true });
    else row?.querySelector<HTMLElement>(`[data-path="${CSS.escape(column)}"]`)?.focus();
  };
  if (event.key === "ArrowRight" && !event.ctrlKey && !event.metaKey) go(at + 1);
  else if (event.key === "ArrowLeft" && at >= 0 && !event.ctrlKey && !event.metaKey) go(at - 1);
  else if (event.key === "Home" && path) go(0);
  else if (event.key === "End" && path) go(columns.length - 1);
  else if (event.key === "Escape" && path) {
    const mark = cells.marks.get(markKey(record.id, path));
    if (mark && mark.state !== "saving") cells.forget(record.id, path);
    else go(-1);
    event.stopPropagation();
  } else if (event.key === "F2" || (event.key === "Enter" && path)) {
    event.preventDefault();
    const first = path ?? columns.find((column) => cells.block(record, column) === undefined) ?? columns[0];
    if (first) cells.begin(record, first);
  }
}

type RowProps = {
  meta: Meta;
  columns: string[];
  cells: Cells;
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
export function GridRow({ meta, columns, cells, width, record, index, selected, visited, peeked, tabIndex, style, onFocus, onClick, onSelect, onOpen }: RowProps) {
  const t = useT();
  const edited = cells.editing?.record.id === record.id;
  return (
    <div
      role="row"
      data-index={index}
      data-id={record.id}
      data-edited={edited || undefined}
      aria-rowindex={onSelect ? index + 2 : undefined}
      aria-selected={selected}
      data-visited={visited || undefined}
      data-peeked={peeked || undefined}
      tabIndex={tabIndex}
      className={css.row}
      style={style}
      onFocus={onFocus}
      onClick={onClick}
    >
      <div role="gridcell" className={css.check}>
        {onSelect ? <input type="checkbox" className={libCss.check} tabIndex={-1} aria-label={t("list.select", { name: titleOf(meta, record) })} checked={selected} onChange={() => undefined} onClick={(event) => onSelect(event.shiftKey)} /> : null}
      </div>
      {columns.map((path, at) => (
        <GridCell key={path} meta={meta} path={path} first={at === 0} width={width(path)} record={record} cells={cells} onOpen={onOpen} />
      ))}
    </div>
  );
}

type CellProps = { meta: Meta; path: string; first: boolean; width: number; record: RecordView; cells: Cells; onOpen: (record: RecordView, beside: boolean) => void };

/** One value: it can be edited in its place, or says why not. */
function GridCell({ meta, path, first, width, record, cells, onOpen }: CellProps) {
  const editing = cells.editing?.record.id === record.id && cells.editing.path === path ? cells.editing : null;
  const mark = cells.marks.get(markKey(record.id, path));
  const begin = () => cells.begin(record, path);
  const t = useT();
  return (
    <div
      role="gridcell"
      data-path={path}
      data-state={editing ? "editing" : mark?.state}
      data-figure={isFigure(meta.fields.get(path)) || undefined}
      aria-readonly={cells.block(record, path) !== undefined || undefined}
      aria-busy={mark?.state === "saving" || undefined}
      tabIndex={-1}
      className={cx(css.cell, first && css.sticky)}
      style={{ flex: `${first ? 1 : 0} 0 ${width}px` }}
      onDoubleClick={begin}
      onBlur={mark?.state === "note" ? () => cells.forget(record.id, path) : undefined}
    >
      {path === meta.titleField ? (
        <Link to="/o/$object/$id" params={{ object: meta.name, id: record.id }} className={css.name} tabIndex={-1} onClick={(event) => { if (event.ctrlKey || event.metaKey || event.shiftKey) return; event.preventDefault(); onOpen(record, false); }}>
          {titleOf(meta, record)}
          {record.fields["is_sample"] === true ? (
            <span className={css.isSample}>
              <Badge>{t("record.sample")}</Badge>
            </span>
          ) : null}
        </Link>
      ) : (
        <Value meta={meta} path={path} record={record} />
      )}
      {editing ? <CellEditor editing={editing} cells={cells} /> : mark && mark.state !== "saving" ? <CellNote key={mark.text} id={record.id} path={path} mark={mark} cells={cells} onAgain={begin} /> : null}
    </div>
  );
}

type HeaderProps = Pick<Props, "meta" | "columns" | "sort" | "onSort" | "onColumns"> & { selection?: Selection; width: (path: string) => number; all: boolean; some: boolean; onDrag: (drag: { column: string; width: number } | null) => void };

export function Header({ meta, columns, sort, width, all, some, selection, onSort, onColumns, onDrag }: HeaderProps) {
  const t = useT();
  const metas = useMetas();
  const [over, setOver] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const hintId = useId();
  const row = useRef<HTMLDivElement>(null);
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

  /** What dragging does, by keyboard: Shift with an arrow changes the width, with Ctrl the place. */
  function key(event: KeyboardEvent<HTMLElement>, path: string) {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (by === 0 || !event.shiftKey) return;
    event.preventDefault();
    const name = fieldLabel(meta, path, metas);
    if (!event.ctrlKey && !event.metaKey) {
      const now = Math.max(60, Math.min(800, width(path) + by * 16));
      setListPrefs(meta.name, { widths: { ...Object.fromEntries(columns.map((column) => [column, width(column)])), [path]: now } });
      return setSaid(t("list.widthIs", { name, width: now }));
    }
    const to = columns.indexOf(path) + by;
    if (to < 0 || to >= columns.length) return setSaid(t(by < 0 ? "list.isFirst" : "list.isLast"));
    const next = columns.filter((column) => column !== path);
    next.splice(to, 0, path);
    onColumns(next);
    setSaid(t("list.placeIs", { name, at: to + 1, of: columns.length }));
    requestAnimationFrame(() => row.current?.querySelector<HTMLElement>(`[data-column="${CSS.escape(path)}"]`)?.focus());
  }

  return (
    <div ref={row} role="row" className={css.header} aria-rowindex={1}>
      <div role={selection ? "columnheader" : "gridcell"} className={css.check}>
        <span id={hintId} hidden>
          {t("list.headHint")}
        </span>
        <span className="sr" aria-live="polite">
          {said}
        </span>
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
              <button type="button" data-column={path} className={css.sorter} aria-describedby={hintId} onKeyDown={(event) => key(event, path)} aria-disabled={block ? true : undefined} onClick={(event) => (block ? undefined : sortBy(path, event.shiftKey))}>
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
