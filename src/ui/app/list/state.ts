// What of a list stands in the address (filter, search, sort, columns, peek), and the rows that belong to it, page by page.

import { useInfiniteQuery, keepPreviousData } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { call } from "~/api/client";
import type { ListRequest, RecordPage, RecordView } from "~/api/types.gen";
import type { ListSearch } from "~/router";
import { parseFilter, toFilter, type Node } from "~/model/filter";
import { layoutOf } from "~/model/layouts";
import { useSettings } from "~/model/house";
import { canSee, sortBlock, titlePaths, type Meta, type Metas } from "~/model/meta";
import { usePrefs } from "~/model/prefs";
import { canAdd, canGroup } from "~/model/summary";

export const PAGE_ROWS = 100;

export type ListState = {
  search: ListSearch;
  filter: Node | null;
  sort: string[];
  columns: string[];
  /** What rows are gathered by, as a summary takes it: `stage`, `expected_close:month`. */
  by: string | null;
  /** Fields that are added up. */
  sums: string[];
  /** Changes the address; `replace` leaves no step for Back. */
  set: (change: Partial<ListSearch>, replace?: boolean) => void;
};

function usable(meta: Meta, path: string): boolean {
  const head = path.split(".")[0] ?? "";
  return meta.fields.has(head) && canSee(meta, head);
}

export function useListState(meta: Meta): ListState {
  const search = useSearch({ from: "/shell/o/$object" });
  const { object } = useParams({ from: "/shell/o/$object" });
  const navigate = useNavigate();
  const prefs = usePrefs();
  const layout = useMemo(() => layoutOf(meta), [meta]);
  const filter = useMemo(() => parseFilter(search.f), [search.f]);
  const sort = useMemo(() => {
    const wanted = (search.sort ?? layout.sort).split(",").filter(Boolean);
    return wanted.filter((one) => sortBlock(meta.fields.get(one.replace(/^-/, "")), one) === null && usable(meta, one.replace(/^-/, "")));
  }, [search.sort, layout.sort, meta]);
  const columns = useMemo(() => {
    const wanted = search.cols?.split(",") ?? prefs.lists[meta.name]?.columns ?? layout.columns;
    const seen = [...new Set(wanted)].filter((path) => usable(meta, path));
    return seen.length > 0 ? seen : [meta.titleField];
  }, [search.cols, prefs.lists, meta, layout.columns]);
  const by = useMemo(() => {
    const field = meta.fields.get(search.by?.split(":")[0] ?? "");
    return field && canGroup(meta, field) ? (search.by ?? null) : null;
  }, [search.by, meta]);
  const sums = useMemo(() => (search.sums?.split(",") ?? []).filter((name) => { const field = meta.fields.get(name); return field !== undefined && canAdd(meta, field); }), [search.sums, meta]);
  const set = useCallback(
    (change: Partial<ListSearch>, replace = false) => {
      void navigate({
        to: "/o/$object",
        params: { object },
        search: (before: ListSearch) => Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value)) as ListSearch,
        replace,
      });
    },
    [navigate, object],
  );
  return useMemo(() => ({ search, filter, sort, columns, by, sums, set }), [search, filter, sort, columns, by, sums, set]);
}

/** The list that was asked for, without the place in it. */
export function requestOf(meta: Meta, metas: Metas, state: ListState): ListRequest {
  const paths = new Set([meta.titleField, ...state.columns]);
  for (const path of [...paths]) if (path.includes(".")) paths.add(path.split(".")[0] ?? "");
  for (const path of titlePaths(meta, metas, [...paths])) paths.add(path);
  // A related title is only asked for when its object may be read.
  const fields = [...paths].filter((path) => {
    const [head = "", rest] = path.split(".", 2);
    return !rest || metas.get(meta.fields.get(head)?.targets?.[0] ?? "")?.may.read === true;
  });
  return {
    filter: toFilter(state.filter),
    sort: state.sort,
    fields,
    limit: PAGE_ROWS,
    count: "none",
    ...(state.search.q ? { q: state.search.q } : {}),
    ...(state.search.deleted ? { deleted: true } : {}),
  };
}

export function listKey(object: string, request: ListRequest) {
  return ["list", object, request] as const;
}

export function useRows(meta: Meta, metas: Metas, state: ListState, on = true) {
  const { filter, sort, columns, search } = state;
  const { q, deleted } = search;
  // The row that is peeked at is no other list.
  // eslint-disable-next-line react-hooks/exhaustive-deps -- of the search only what the request says
  const plain = useMemo(() => requestOf(meta, metas, state), [meta, metas, filter, sort, columns, q, deleted]);
  // Where there is sample data, each row says whether it is part of it.
  const { sample } = useSettings();
  const marked = sample && canSee(meta, "is_sample");
  const request = useMemo<ListRequest>(() => (marked && plain.fields ? { ...plain, fields: [...plain.fields, "is_sample"] } : plain), [plain, marked]);
  const query = useInfiniteQuery({
    queryKey: listKey(meta.name, request),
    queryFn: ({ pageParam, signal }): Promise<RecordPage> => call("record_query", { params: { object: meta.name }, body: { ...request, ...(pageParam ? { cursor: pageParam } : {}) }, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
    enabled: on,
    gcTime: 10 * 60_000,
  });
  const rows = useMemo<RecordView[]>(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  return { ...query, rows, request };
}

/** Where one came from: the list whose neighbours a record page walks through, and what to mark on return. */
export type Trail = { object: string; href: string; request: ListRequest; top: number; id: string };
const TRAIL = "kontor.trail";

export function leaveTrail(trail: Trail): void {
  sessionStorage.setItem(TRAIL, JSON.stringify(trail));
}

export function trailOf(object: string): Trail | null {
  try {
    const trail = JSON.parse(sessionStorage.getItem(TRAIL) ?? "null") as Trail | null;
    return trail?.object === object ? trail : null;
  } catch {
    return null;
  }
}
