// The rows of lists as they are kept between requests: shown differently at once while a change is on its way, and read again
// one by one. A row that was changed here does not move: nothing jumps under the eyes.

import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import { call } from "~/api/client";
import type { ListRequest, RecordPage, RecordView } from "~/api/types.gen";

type Pages = InfiniteData<RecordPage>;

function pagesOf(data: unknown): Pages | undefined {
  return data && typeof data === "object" && "pages" in data ? (data as Pages) : undefined;
}

/** Shows a row differently in every list that has it. */
export function patchRow(client: QueryClient, object: string, id: string, change: (row: RecordView) => RecordView): void {
  client.setQueriesData<unknown>({ queryKey: ["list", object] }, (data: unknown) => {
    const found = pagesOf(data);
    if (!found?.pages.some((page) => page.items.some((row) => row.id === id))) return data;
    return { ...found, pages: found.pages.map((page) => ({ ...page, items: page.items.map((row) => (row.id === id ? change(row) : row)) })) };
  });
}

export function rowOf(client: QueryClient, object: string, id: string): RecordView | undefined {
  for (const query of client.getQueryCache().findAll({ queryKey: ["list", object], type: "active" })) {
    for (const page of pagesOf(query.state.data)?.pages ?? []) {
      const row = page.items.find((one) => one.id === id);
      if (row) return row;
    }
  }
  return undefined;
}

/** The request by which a row came: that of the list, of its group, or of its column of the board. */
export function requestOfRow(client: QueryClient, object: string, id: string): ListRequest | undefined {
  const found = client
    .getQueryCache()
    .findAll({ queryKey: ["list", object], type: "active" })
    .find((query) => pagesOf(query.state.data)?.pages.some((page) => page.items.some((row) => row.id === id)));
  return found?.queryKey[2] as ListRequest | undefined;
}

/** Reads one row again, with what its list shows of it. */
export async function rereadRow(client: QueryClient, object: string, id: string): Promise<void> {
  const row = rowOf(client, object, id);
  if (!row) return;
  const names = [...new Set([...Object.keys(row.fields), ...Object.keys(row.reduced ?? {})])];
  const now = await call("record_open", { params: { object, id }, query: { fields: names.join(",") } });
  patchRow(client, object, id, () => now);
}
