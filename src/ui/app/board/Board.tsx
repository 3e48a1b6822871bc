// The board of any object with a stage: a column for each stage, cards that are moved by mouse, by touch and by keyboard. Which
// records exist and whether a move is allowed is the server's word; a move it refuses goes back and says why.

import { DndContext, DragOverlay, MouseSensor, pointerWithin, TouchSensor, useSensor, useSensors } from "@dnd-kit/core";
import { useCallback, useEffect, useId, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type RefObject } from "react";
import type { FieldDef, RecordView, Summary, SummaryRequest } from "~/api/types.gen";
import { useT } from "~/i18n";
import type { ListState } from "~/list/state";
import { toFilter } from "~/model/filter";
import { canSet, optionLabel, titleOf, useMetas, type Meta } from "~/model/meta";
import { setListPrefs, usePrefs } from "~/model/prefs";
import { addUp, amountsOf, useSummary } from "~/model/summary";
import { Trouble } from "~/pages/Trouble";
import { ENDS, StageDialog } from "~/record/stages";
import { Adder } from "./Adder";
import { Card, CardFace } from "./Card";
import { cardLayout, columnRequest, STALE_DAYS, type CardLayout } from "./cards";
import { ColumnFoot, ColumnHead, DropZone, useColumn, useNext, type ColumnFigures } from "./Column";
import { useMoves, type Moves } from "./moves";
import css from "./board.module.css";

/** What the heads of all columns show, in one question: the weighted sum needs the sums by probability. */
export function boardRequest(meta: Meta, state: ListState, stage: FieldDef): SummaryRequest {
  const { amount } = cardLayout(meta);
  const chance = meta.fields.get("probability");
  return {
    filter: toFilter(state.filter),
    ...(state.search.q ? { q: state.search.q } : {}),
    group_by: amount && chance && meta.view.access[chance.name]?.filterable ? [stage.name, "probability"] : [stage.name],
    sums: amount ? [amount] : [],
    limit: 500,
  };
}

function figuresOf(summary: Summary | undefined, amount: string | null): Map<string, ColumnFigures> | null {
  if (!summary) return null;
  const found = new Map<string, ColumnFigures>();
  const gathered = new Map<string, Summary["groups"]>();
  for (const group of summary.groups) gathered.set(String(group.key[0]), [...(gathered.get(String(group.key[0])) ?? []), group]);
  for (const [code, groups] of gathered) {
    const amounts = groups.flatMap((group) => (amount ? amountsOf(group.sums, amount).map((one) => ({ amount: one, chance: Number(group.key[1] ?? 0) / 100 })) : []));
    const weighted = groups.some((group) => group.key.length > 1 && group.key[1] !== null) ? addUp(amounts.map((one) => ({ amount: one.amount, times: one.chance }))) : [];
    found.set(code, { count: groups.reduce((sum, group) => sum + group.count, 0), sum: addUp(amounts.map((one) => ({ amount: one.amount, times: 1 }))), weighted });
  }
  return found;
}

type Lift = { record: RecordView; from: string; to: string };

type BodyProps = {
  meta: Meta;
  state: ListState;
  stage: FieldDef;
  code: string;
  layout: CardLayout;
  stale: number;
  movable: boolean;
  moves: Moves;
  lift: Lift | null;
  at: string | null;
  wanted: RefObject<string | null>;
  hintId: string;
  onAt: (id: string) => void;
  onKey: (event: KeyboardEvent, record: RecordView, code: string) => void;
  onOpen: (record: RecordView, beside: boolean) => void;
};

/** The cards of one column: those of the server, without those that just went and with those that just came. */
function ColumnBody({ meta, state, stage, code, layout, stale, movable, moves, lift, at, wanted, hintId, onAt, onKey, onOpen }: BodyProps) {
  const metas = useMetas();
  const request = useMemo(() => columnRequest(meta, metas, state, stage, code), [meta, metas, state, stage, code]);
  const column = useColumn(meta, request, true);
  const rows = useMemo(() => column.data?.pages.flatMap((page) => page.items) ?? [], [column.data]);
  const next = useNext(meta, rows, layout.next === null && !ENDS[code]);
  const cards = useMemo(() => {
    const elsewhere = new Map([...moves.moved].map(([id, one]) => [id, one]));
    if (moves.asking) elsewhere.set(moves.asking.record.id, { record: moves.asking.record, to: moves.asking.code });
    if (lift) elsewhere.set(lift.record.id, { record: lift.record, to: lift.to });
    const staying = rows.filter((record) => (elsewhere.get(record.id)?.to ?? code) === code);
    const coming = [...elsewhere.values()].filter((one) => one.to === code && !rows.some((record) => record.id === one.record.id)).map((one) => one.record);
    return [...coming, ...staying];
  }, [rows, moves.moved, moves.asking, lift, code]);
  // A card that came from another column is another element; the focus follows it.
  useLayoutEffect(() => {
    const id = wanted.current;
    if (!id || !cards.some((record) => record.id === id) || document.querySelector("[role=dialog]")) return;
    const card = document.querySelector<HTMLElement>(`[data-column="${code}"] [data-card="${id}"]`);
    if (card && document.activeElement !== card) card.focus();
  });
  const here = cards.some((record) => record.id === at);
  return (
    <>
      <ul className={css.cards} aria-label={optionLabel(stage, code)}>
        {cards.map((record, index) => (
          <Card
            key={record.id}
            meta={meta}
            record={record}
            layout={layout}
            stale={stale}
            ended={ENDS[code] !== undefined}
            next={next.get(record.id)}
            index={index}
            current={here ? record.id === at : index === 0}
            lifted={lift?.record.id === record.id}
            pending={moves.moved.has(record.id)}
            movable={movable}
            hintId={hintId}
            onFocus={() => onAt(record.id)}
            onKey={(event, one) => onKey(event, one, code)}
            onOpen={onOpen}
          />
        ))}
      </ul>
      <ColumnFoot column={column} empty={cards.length === 0} />
    </>
  );
}

export default function Board({ meta, state, stage, onOpen }: { meta: Meta; state: ListState; stage: FieldDef; onOpen: (record: RecordView, beside: boolean) => void }) {
  const t = useT();
  const hintId = useId();
  const prefs = usePrefs();
  const habits = prefs.lists[meta.name];
  const place = useRef<HTMLDivElement>(null);
  const wanted = useRef<string | null>(null);
  const [said, setSaid] = useState("");
  const [at, setAt] = useState<string | null>(null);
  const [lift, setLift] = useState<Lift | null>(null);
  const [held, setHeld] = useState<RecordView | null>(null);
  const [adding, setAdding] = useState<string | null>(null);
  // The same words twice are said twice.
  const announce = useCallback((text: string) => setSaid((before) => (before === text ? `${text}\u00a0` : text)), []);
  const moves = useMoves(meta, stage, announce);
  const layout = useMemo(() => cardLayout(meta), [meta]);
  const request = useMemo(() => boardRequest(meta, state, stage), [meta, state, stage]);
  const summary = useSummary(meta.name, request);
  const figures = useMemo(() => figuresOf(summary.data, layout.amount), [summary.data, layout.amount]);
  const codes = useMemo(() => (stage.options ?? []).filter((option) => option.active !== false).map((option) => option.code), [stage]);
  const folded = habits?.folded ?? codes.filter((code) => ENDS[code]);
  const movable = meta.may.update && canSet(meta, stage) && !state.search.deleted;
  const addable = meta.may.create && canSet(meta, stage) && !state.search.deleted;
  const sensors = useSensors(useSensor(MouseSensor, { activationConstraint: { distance: 6 } }), useSensor(TouchSensor, { activationConstraint: { delay: 220, tolerance: 8 } }));

  const fold = (code: string) => setListPrefs(meta.name, { folded: folded.includes(code) ? folded.filter((one) => one !== code) : [...folded, code] });
  const drop = useCallback(
    (record: RecordView, to: string) => {
      wanted.current = record.id;
      moves.move(record, to);
    },
    [moves],
  );
  const cancel = () => {
    const record = moves.asking?.record;
    moves.drop();
    if (record) announce(t("board.cancelled", { name: titleOf(meta, record), stage: optionLabel(stage, String(record.fields[stage.name])) }));
  };
  const asking = moves.asking !== null;
  useEffect(() => {
    if (asking) return;
    const id = wanted.current;
    if (id) place.current?.querySelector<HTMLElement>(`[data-card="${id}"]`)?.focus();
  }, [asking]);

  /** The card beside or below this one. */
  function step(event: KeyboardEvent, code: string) {
    const index = Number((event.currentTarget as HTMLElement).dataset["place"] ?? 0);
    const cardsOf = (column: string) => [...(place.current?.querySelectorAll<HTMLElement>(`[data-column="${column}"] [data-card]`) ?? [])];
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      cardsOf(code)[index + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
      return;
    }
    if (event.key === "Home" || event.key === "End") {
      cardsOf(code).at(event.key === "Home" ? 0 : -1)?.focus();
      return;
    }
    const by = event.key === "ArrowRight" ? 1 : -1;
    for (let to = codes.indexOf(code) + by; to >= 0 && to < codes.length; to += by) {
      const cards = cardsOf(codes[to] ?? "");
      if (cards.length > 0) return void cards[Math.min(index, cards.length - 1)]?.focus();
    }
  }

  function key(event: KeyboardEvent, record: RecordView, code: string) {
    if (event.target !== event.currentTarget || event.nativeEvent.isComposing) return;
    const name = titleOf(meta, record);
    const arrows = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];
    if (lift) {
      event.preventDefault();
      event.stopPropagation();
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
        const to = codes[codes.indexOf(lift.to) + (event.key === "ArrowRight" ? 1 : -1)];
        if (!to) return announce(t("board.edge"));
        wanted.current = record.id;
        setLift({ ...lift, to });
        announce(t("board.overColumn", { stage: optionLabel(stage, to), at: codes.indexOf(to) + 1, of: codes.length }));
      } else if (event.key === "Enter" || event.key === " ") {
        setLift(null);
        if (lift.to === lift.from) announce(t("board.stayed", { name, stage: optionLabel(stage, lift.from) }));
        else drop(lift.record, lift.to);
      } else if (event.key === "Escape" || event.key === "Tab") {
        wanted.current = record.id;
        setLift(null);
        announce(t("board.cancelled", { name, stage: optionLabel(stage, lift.from) }));
      }
      return;
    }
    wanted.current = null;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      onOpen(record, true);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (!movable) return announce(t("record.readOnly"));
      setLift({ record, from: code, to: code });
      announce(t("board.lifted", { name, stage: optionLabel(stage, code) }));
    } else if (event.key === "o") {
      event.preventDefault();
      onOpen(record, false);
    } else if (arrows.includes(event.key)) {
      event.preventDefault();
      step(event, code);
    }
  }

  if (summary.error && !summary.data) return <Trouble error={summary.error} retry={() => void summary.refetch()} />;
  return (
    <div ref={place} className={css.board} onPointerDown={() => (wanted.current = null)}>
      <p id={hintId} className="sr">
        {movable ? t("board.hint") : t("board.hintRead")}
      </p>
      <div className="sr" aria-live="assertive">
        {said}
      </div>
      <DndContext
        sensors={sensors}
        collisionDetection={pointerWithin}
        accessibility={{ announcements: { onDragStart: () => undefined, onDragOver: () => undefined, onDragEnd: () => undefined, onDragCancel: () => undefined }, screenReaderInstructions: { draggable: "" } }}
        onDragStart={(event) => setHeld((event.active.data.current?.["record"] as RecordView | undefined) ?? null)}
        onDragCancel={() => setHeld(null)}
        onDragEnd={(event) => {
          setHeld(null);
          const record = event.active.data.current?.["record"] as RecordView | undefined;
          if (record && event.over) drop(record, String(event.over.id));
        }}
      >
        {codes.map((code) => {
          const hidden = folded.includes(code) && lift?.to !== code;
          const name = optionLabel(stage, code);
          const shown = figures ? (figures.get(code) ?? { count: 0, sum: [], weighted: [] }) : undefined;
          const gone = [...moves.moved.values()].filter((one) => one.record.fields[stage.name] === code && one.to !== code).length;
          const come = [...moves.moved.values()].filter((one) => one.to === code && one.record.fields[stage.name] !== code).length;
          const limit = habits?.limits?.[code];
          return (
            <DropZone key={code} code={code} folded={hidden} on={lift?.to === code && lift.from !== code} label={name}>
              <ColumnHead
                stage={stage}
                code={code}
                figures={shown ? { ...shown, count: Math.max(0, shown.count - gone + come) } : undefined}
                limit={limit}
                collapsed={hidden}
                onFold={() => fold(code)}
                onLimit={(size) => setListPrefs(meta.name, { limits: Object.fromEntries(Object.entries({ ...habits?.limits, [code]: size }).filter(([, one]) => one > 0)) })}
                onAdd={addable ? () => setAdding(code) : null}
              />
              {hidden ? null : (
                <div className={css.body}>
                  {adding === code ? <Adder meta={meta} stage={stage} code={code} onClose={() => setAdding(null)} onSaid={announce} /> : null}
                  <ColumnBody meta={meta} state={state} stage={stage} code={code} layout={layout} stale={habits?.stale ?? STALE_DAYS} movable={movable} moves={moves} lift={lift} at={at} wanted={wanted} hintId={hintId} onAt={setAt} onKey={key} onOpen={onOpen} />
                </div>
              )}
            </DropZone>
          );
        })}
        <DragOverlay dropAnimation={null}>
          {held ? (
            <div className={css.held}>
              <CardFace meta={meta} record={held} layout={layout} stale={habits?.stale ?? STALE_DAYS} ended={false} next={undefined} />
            </div>
          ) : null}
        </DragOverlay>
      </DndContext>
      {moves.asking ? <StageDialog key={moves.asking.record.id + moves.asking.code} field={stage} code={moves.asking.code} fields={moves.asking.fields} busy={moves.busy} onGo={moves.answer} onClose={cancel} /> : null}
    </div>
  );
}
