// The list of any object, drawn from its definition. What is shown stands in the address; columns and widths are habits of the
// reader. Which rows exist is the server's word alone.

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useParams, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { useMe } from "~/api/session";
import type { RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { Badge, Bone, Button, IconButton, State } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import libCss from "~/lib/lib.module.css";
import { useKeys } from "~/lib/keys";
import { Menu } from "~/lib/overlays";
import { calendarOf } from "~/calendar/model";
import { useCommands, type Command } from "~/model/commands";
import { toFilter } from "~/model/filter";
import { iconOf, layoutOf } from "~/model/layouts";
import { objectLabel, useMetas, type Meta } from "~/model/meta";
import { setListPrefs, setPrefs, usePrefs } from "~/model/prefs";
import { useSummary } from "~/model/summary";
import { useViews } from "~/model/views";
import { NotFound, Trouble } from "~/pages/Trouble";
import { PageTitle } from "~/shell/PageTitle";
import { show } from "~/shell/stage";
import { NO_VIEW, searchOf } from "~/views/data";
import { ViewMenu } from "~/views/ViewMenu";
import { BulkBar } from "./BulkBar";
import { STALE_DAYS } from "~/board/cards";
import { Columns } from "./Columns";
import { FilterBar } from "./FilterBar";
import { Grid } from "./Grid";
import { useCells } from "./cells";
import { useCount, whichOf } from "./count";
import { useFresh } from "./fresh";
import { GroupMenu } from "./GroupMenu";
import { requestOfRow } from "./rows";
import { useSelection } from "./selection";
import { boardField, useShape, ViewSwitch } from "./ViewSwitch";
import { leaveTrail, trailOf, useListState, useRows, type Trail } from "./state";
import css from "./list.module.css";

const Peek = lazy(() => import("./Peek"));
const Board = lazy(() => import("~/board/Board"));
const Calendar = lazy(() => import("~/calendar/Calendar"));
const Grouped = lazy(() => import("./Grouped"));
const Totals = lazy(() => import("./Totals"));
const JobBar = lazy(() => import("./JobBar"));
const ExportDialog = lazy(() => import("./ExportDialog"));

/** Who may bring in files, and the way there. */
function useImporting(meta: Meta) {
  const navigate = useNavigate();
  const may = useMe().actions.includes("import") && meta.may.create;
  const go = useCallback(() => void navigate({ to: "/import", search: { object: meta.name } }), [navigate, meta.name]);
  return { may, go };
}

function Empty({ meta, filtered, deleted, onClear }: { meta: Meta; filtered: boolean; deleted: boolean; onClear: () => void }) {
  const t = useT();
  const objects = objectLabel(meta, true);
  const importing = useImporting(meta);
  if (filtered) {
    return (
      <State icon="filter" title={t("list.noMatch", { objects })} text={t("list.noMatchText")}>
        <Button onClick={onClear}>{t("filter.clear")}</Button>
      </State>
    );
  }
  if (deleted) return <State icon="trash" title={t("list.binEmpty")} text={t("list.binEmptyText")} />;
  return (
    <State icon={iconOf(meta.name)} title={t("list.nothing", { objects })} text={meta.may.create ? t("list.nothingText") : t("list.nothingScope")}>
      {meta.may.create ? (
        <Button tone="primary" icon="plus" onClick={() => show({ what: "create", object: meta.name })}>
          {t("list.create", { object: objectLabel(meta) })}
        </Button>
      ) : null}
      {importing.may ? (
        <Button icon="sortup" onClick={importing.go}>
          {t("import.open", { objects })}
        </Button>
      ) : null}
    </State>
  );
}

function Loading({ columns }: { columns: number }) {
  return (
    <div aria-hidden>
      {Array.from({ length: 14 }, (_, row) => (
        <div key={row} className={css.bone} style={{ height: 32, gap: 24, borderBottom: "1px solid var(--line)" }}>
          {Array.from({ length: Math.min(columns, 6) }, (_, column) => (
            <Bone key={column} width={column === 0 ? 220 : 110} />
          ))}
        </div>
      ))}
    </div>
  );
}

function ListOf({ meta }: { meta: Meta }) {
  const t = useT();
  const metas = useMetas();
  const client = useQueryClient();
  const navigate = useNavigate();
  const prefs = usePrefs();
  const me = useMe();
  const [exporting, setExporting] = useState(false);
  const state = useListState(meta);
  const { set } = state;
  const views = useViews(meta.name);
  const bare = Object.keys(state.search).length === 0;
  // A favourite or a link names only the view; what it keeps comes from the view itself.
  const named = state.search.view && state.search.view !== NO_VIEW && Object.keys(state.search).length === 1 ? state.search.view : "";
  const wanted = views.data?.items.find((view) => (bare ? view.default : view.id === named));
  const first = wanted && (bare || Object.keys(searchOf(wanted)).length > 1) ? wanted : undefined;
  // An address that says nothing opens with the view the reader chose to open with; until that is known nothing is read.
  useEffect(() => {
    if (first) set(searchOf(first), true);
  }, [first, set]);
  const shape = useShape(meta, state);
  const waiting = (bare || named !== "") && (views.isPending || first !== undefined);
  const plain = shape === "table" && !state.by;
  const list = useRows(meta, metas, state, plain && !waiting);
  const counted = useSummary(meta.name, { filter: toFilter(state.filter), ...(state.search.q ? { q: state.search.q } : {}) }, !plain);
  const selection = useSelection(list.rows);
  const { cells, dialogs } = useCells(meta);
  const counting = useCount(meta.name, list.request);
  const which = whichOf(list.request);
  const href = useRouterState({ select: (now) => now.location.href });
  const [came] = useState<Trail | null>(() => {
    const trail = trailOf(meta.name);
    return trail && trail.href.split("peek=")[0] === href.split("peek=")[0] ? trail : null;
  });
  const top = useRef(came?.top ?? 0);
  const peeked = state.search.peek ?? null;

  const open = useCallback(
    (record: RecordView, beside: boolean) => {
      if (beside) return void window.open(`/app/o/${meta.name}/${record.id}`, "_blank", "noreferrer");
      leaveTrail({ object: meta.name, href, request: requestOfRow(client, meta.name, record.id) ?? list.request, top: top.current, id: record.id });
      void navigate({ to: "/o/$object/$id", params: { object: meta.name, id: record.id } });
    },
    [meta.name, href, list.request, navigate, client],
  );
  const peek = useCallback((record: RecordView | null) => set({ peek: record?.id ?? "" }, true), [set]);
  const create = useCallback(() => show({ what: "create", object: meta.name }), [meta.name]);
  const clear = () => set({ f: "", q: "" });
  const importing = useImporting(meta);
  useKeys({ c: meta.may.create ? create : undefined });
  const commands = useMemo<Command[]>(
    () => [
      ...(meta.may.create ? [{ id: "create", label: t("list.create", { object: objectLabel(meta) }), icon: "plus" as const, keys: "c", act: create }] : []),
      ...(importing.may ? [{ id: "import", label: t("import.open", { objects: objectLabel(meta, true) }), icon: "sortup" as const, act: importing.go }] : []),
      { id: "refresh", label: t("list.refresh"), icon: "refresh" as const, act: () => void client.invalidateQueries({ queryKey: ["list", meta.name] }) },
      { id: "clear", label: t("filter.clear"), icon: "filter" as const, act: () => set({ f: "", q: "" }) },
    ],
    [meta, t, create, client, set, importing.may, importing.go],
  );
  useCommands(commands);
  const { fetchNextPage, isFetchingNextPage } = list;
  const loadMore = useCallback(() => {
    if (!isFetchingNextPage) void fetchNextPage();
  }, [fetchNextPage, isFetchingNextPage]);
  useEffect(() => selection.clear(), [which]); // eslint-disable-line react-hooks/exhaustive-deps -- another list, another selection

  const stage = boardField(meta, state);
  const dates = useMemo(() => calendarOf(meta, state.search.by), [meta, state.search.by]);
  const fresh = useFresh(meta.name, list.rows, plain, top, selection.any);
  const filtered = Boolean(state.filter || state.search.q);
  const refused = list.error ? refusalOf(list.error) : null;
  const columns = state.columns;
  // Of a saved view the columns are a change of it; otherwise a habit.
  const inView = Boolean(state.search.view && state.search.view !== NO_VIEW);
  const keep = (next: string[]) => {
    if (inView) return set({ cols: next.join(",") }, true);
    setListPrefs(meta.name, { columns: next });
    set({ cols: "" }, true);
  };
  const samples = list.rows.filter((row) => row.fields["is_sample"] === true).length;
  const total = !plain ? counted.data?.total.count : list.isSuccess && !list.hasNextPage ? list.rows.length : counting.count;
  return (
    <div className={css.page}>
      <div className={css.head}>
        <PageTitle title={objectLabel(meta, true)} className={css.title} />
        <span className={css.count}>
          <span aria-live="polite">{total === undefined ? "" : t("list.count", { number: number(total) })}</span>
          {total === undefined && plain && list.isSuccess ? (
            <Button small tone="quiet" busy={counting.busy} onClick={counting.ask} title={t("list.countAll")}>
              {t("list.atLeast", { number: number(list.rows.length) })}
              <span className="sr"> {t("list.countAll")}</span>
            </Button>
          ) : null}
          {state.search.deleted ? ` · ${t("list.bin")}` : ""}
        </span>
        {samples > 0 ? <Badge>{samples === list.rows.length ? t("record.sample") : t("list.sampleSome")}</Badge> : null}
        <ViewMenu meta={meta} state={state} views={views.data?.items ?? []} />
        <div className={css.headEnd}>
          <ViewSwitch meta={meta} state={state} shape={shape} />
          {shape === "table" ? <GroupMenu meta={meta} state={state} /> : null}
          {shape === "table" ? <Columns
            meta={meta}
            columns={columns}
            onChange={keep}
            onReset={() => {
              setListPrefs(meta.name, { columns: layoutOf(meta).columns, widths: {} });
              set({ cols: "" }, true);
            }}
          /> : null}
          <Menu
            label={t("list.view")}
            align="end"
            target={<IconButton icon="more" label={t("list.view")} />}
            items={[
              { kind: "group", label: t("settings.density") },
              ...(["compact", "standard", "comfortable"] as const).map((density) => ({ label: t(`density.${density}`), checked: prefs.density === density, act: () => setPrefs({ density }) })),
              ...(shape === "board" ? [{ kind: "rule" as const }, { kind: "group" as const, label: t("board.staleAfter") }, ...[7, 14, 30, 60].map((days) => ({ label: t("board.days", { days, count: days }), checked: (prefs.lists[meta.name]?.stale ?? STALE_DAYS) === days, act: () => setListPrefs(meta.name, { stale: days }) }))] : []),
              { kind: "rule" },
              ...(me.actions.includes("export") && !state.search.deleted ? [{ label: t("export.menu"), icon: "note" as const, act: () => setExporting(true) }] : []),
              { label: t("list.refresh"), icon: "refresh", act: () => void client.invalidateQueries({ queryKey: ["list", meta.name] }) },
              ...(meta.may.create ? [{ label: t("import.open", { objects: objectLabel(meta, true) }), icon: "sortup" as const, blocked: importing.may ? undefined : t("import.denied"), act: importing.go }] : []),
              { label: state.search.deleted ? t("list.leaveBin") : t("list.bin"), icon: "trash", act: () => set({ deleted: state.search.deleted ? "" : "1", f: "", q: "" }) },
            ]}
          />
          {meta.may.create ? (
            <Button icon="plus" aria-label={objectLabel(meta)} onClick={create}>
              <span className={css.hideSmall}>{objectLabel(meta)}</span>
            </Button>
          ) : null}
        </div>
      </div>
      <FilterBar meta={meta} state={state} />
      {fresh.count > 0 ? (
        <div className={libCss.banner} data-tone="calm" role="status">
          <Icon name="refresh" />
          <span>{t("live.changed", { count: fresh.count })}</span>
          <Button small onClick={fresh.show}>
            {t("live.show")}
          </Button>
        </div>
      ) : null}
      {plain && selection.any ? <BulkBar meta={meta} state={state} selection={selection} more={list.hasNextPage} count={counting.count} onCount={counting.ask} loaded={list.rows.length} /> : null}
      <Suspense fallback={null}>
        <JobBar object={meta.name} />
      </Suspense>
      <div className={css.body} data-mixed={(samples > 0 && samples < list.rows.length) || undefined}>
        {shape === "board" && stage ? (
          <Suspense fallback={null}>
            <Board meta={meta} state={state} stage={stage} onOpen={open} />
          </Suspense>
        ) : shape === "calendar" && dates ? (
          <Suspense fallback={null}>
            <Calendar meta={meta} state={state} fields={dates} onOpen={open} />
          </Suspense>
        ) : state.by ? (
          <Suspense fallback={null}>
            <Grouped meta={meta} state={state} cells={cells} peeked={peeked} visited={came?.id ?? null} onOpen={open} onPeek={peek} onColumns={keep} />
          </Suspense>
        ) : refused && list.rows.length === 0 ? (
          refused.code === "filter_invalid" || refused.code === "field_not_filterable" || refused.code === "parameter_invalid" ? (
            <State icon="filter" title={errorText(refused)} text={refused.detail}>
              <Button onClick={clear}>{t("filter.clear")}</Button>
            </State>
          ) : (
            <Trouble error={refused} retry={() => void list.refetch()} />
          )
        ) : list.isPending ? (
          <Loading columns={columns.length} />
        ) : list.rows.length === 0 ? (
          <Empty meta={meta} filtered={filtered} deleted={Boolean(state.search.deleted)} onClear={clear} />
        ) : (
          <Grid
            meta={meta}
            columns={columns}
            sort={state.sort}
            rows={list.rows}
            more={list.hasNextPage}
            loadMore={loadMore}
            selection={selection}
            cells={cells}
            visited={came?.id ?? null}
            startAt={came?.top ?? 0}
            peeked={peeked}
            onOpen={open}
            onPeek={peek}
            onSort={(sort) => set({ sort: sort.join(",") })}
            onColumns={keep}
            onTop={(now) => (top.current = now)}
          />
        )}
        {peeked ? (
          <Suspense fallback={null}>
            <Peek key={peeked} meta={meta} id={peeked} onClose={() => peek(null)} onOpen={(record) => open(record, false)} />
          </Suspense>
        ) : null}
      </div>
      {dialogs}
      {exporting ? (
        <Suspense fallback={null}>
          <ExportDialog meta={meta} columns={columns} request={list.request} count={total} onClose={() => setExporting(false)} />
        </Suspense>
      ) : null}
      {shape === "table" && state.sums.length > 0 ? (
        <Suspense fallback={null}>
          <Totals meta={meta} state={state} />
        </Suspense>
      ) : null}
    </div>
  );
}

export default function ListPage() {
  const { object } = useParams({ from: "/shell/o/$object" });
  const metas = useMetas();
  const meta = metas.get(object);
  if (!meta) return <NotFound />;
  return <ListOf key={object} meta={meta} />;
}
