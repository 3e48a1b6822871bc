// Saved views: what they keep of a list, board or calendar, how they come into the address, and whether what is shown still is
// what was saved. The whole state stands in the address; a view only names it.

import type { Json, View, ViewDefinition } from "~/api/types.gen";
import { calendarOf } from "~/calendar/model";
import type { ListState } from "~/list/state";
import { boardField } from "~/list/ViewSwitch";
import { toFilter, type Node } from "~/model/filter";
import { layoutOf } from "~/model/layouts";
import type { Meta } from "~/model/meta";
import type { ListSearch } from "~/router";

/** In the address where no saved view is meant, not even the one the object opens with. */
export const NO_VIEW = "all";

const AS = { table: undefined, kanban: "board", calendar: "calendar" } as const;

export function kindOf(search: ListSearch): View["kind"] {
  return search.as === "board" ? "kanban" : search.as === "calendar" ? "calendar" : "table";
}

/** The address of a view. */
export function searchOf(view: View): ListSearch {
  const { columns, sort, filter, group_by, sums, date } = view.definition;
  const as = AS[view.kind];
  return {
    view: view.id,
    ...(as ? { as } : {}),
    ...(filter ? { f: JSON.stringify(filter) } : {}),
    ...(sort?.length ? { sort: sort.join(",") } : {}),
    ...(columns?.length ? { cols: columns.join(",") } : {}),
    ...(as === "calendar" ? (date ? { by: date } : {}) : group_by?.[0] ? { by: group_by[0] } : {}),
    ...(sums?.length ? { sums: sums.join(",") } : {}),
  };
}

/** What is shown now, as a view keeps it. A board keeps the field of its columns, a calendar that of its days. */
export function definitionOf(meta: Meta, state: ListState): ViewDefinition {
  const kind = kindOf(state.search);
  const columns = kind === "kanban" ? boardField(meta, state)?.name : state.by;
  const date = kind === "calendar" ? (calendarOf(meta, state.search.by)?.start ?? null) : null;
  return { columns: state.columns, sort: state.sort, filter: toFilter(state.filter), group_by: columns && kind !== "calendar" ? [columns] : [], sums: state.sums, ...(date ? { date } : {}) };
}

/** The same text for the same value, whatever the order of its members. */
function canon(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canon).join()}]`;
  if (value && typeof value === "object") {
    const members = Object.entries(value as { [name: string]: Json }).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${members.map(([name, one]) => `${name}:${canon(one)}`).join()}}`;
  }
  return JSON.stringify(value ?? null);
}

function comparable(meta: Meta, kind: View["kind"], definition: ViewDefinition): string {
  const layout = layoutOf(meta);
  const columns = definition.columns?.length ? definition.columns : layout.columns;
  const sort = definition.sort?.length ? definition.sort : layout.sort.split(",");
  const table = kind === "table";
  return canon([kind, table ? columns : [], sort, toFilter((definition.filter ?? null) as Node | null), definition.group_by?.slice(0, 1) ?? [], table ? (definition.sums ?? []) : [], kind === "calendar" ? (calendarOf(meta, definition.date ?? "")?.start ?? "") : ""]);
}

/** Whether what is shown differs from what was saved. */
export function isChanged(meta: Meta, view: View, state: ListState): boolean {
  return comparable(meta, view.kind, view.definition) !== comparable(meta, kindOf(state.search), definitionOf(meta, state));
}
