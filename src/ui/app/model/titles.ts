// What records are called, by their ids: they are read again, so that what may no longer be seen is not named. Those of one
// object are asked for together, and stand in the log as one list.

import { keepPreviousData, useQueries } from "@tanstack/react-query";
import { call } from "~/api/client";
import type { RecordView } from "~/api/types.gen";
import { titleOf, useMetas } from "./meta";

export type Titled = { object: string; id: string; title: string };

const STALE_MILLISECONDS = 5 * 60_000;

/** In the order of what was asked for; what cannot be read is left out. `pending` until all have answered. */
export function useTitles(wanted: { object: string; id: string }[], on = true): { found: Titled[]; pending: boolean } {
  const metas = useMetas();
  const ids = new Map<string, string[]>();
  for (const { object, id } of wanted) if (metas.get(object)?.may.read) ids.set(object, [...(ids.get(object) ?? []), id]);
  const answers = useQueries({
    queries: [...ids].map(([object, list]) => {
      const asked = [...new Set(list)].sort();
      return {
        queryKey: ["title", object, asked],
        queryFn: () => call("record_query", { params: { object }, body: { filter: { field: "id", op: "in", value: asked }, fields: [metas.get(object)?.titleField ?? ""], limit: asked.length } }),
        enabled: on,
      // One more name is asked for: the others stay.
      placeholderData: keepPreviousData,
        staleTime: STALE_MILLISECONDS,
        retry: false,
      };
    }),
  });
  const known = new Map<string, RecordView>(answers.flatMap((answer) => answer.data?.items ?? []).map((record) => [record.id, record]));
  const found = wanted.flatMap(({ object, id }) => {
    const record = known.get(id);
    return record ? [{ object, id, title: titleOf(metas.get(object), record) }] : [];
  });
  return { found, pending: answers.some((answer) => answer.isPending) };
}
