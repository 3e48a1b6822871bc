// What records are called, by their ids: each is read again, so that what may no longer be seen is not named.

import { useQueries } from "@tanstack/react-query";
import { call } from "~/api/client";
import { titleOf, useMetas } from "./meta";

export type Titled = { object: string; id: string; title: string };

const STALE_MILLISECONDS = 5 * 60_000;

export const titleKey = (object: string, id: string) => ["title", object, id] as const;

/** In the order of what was asked for; what cannot be read is left out. `pending` until all have answered. */
export function useTitles(wanted: { object: string; id: string }[], on: boolean): { found: Titled[]; pending: boolean } {
  const metas = useMetas();
  const known = wanted.filter((one) => metas.get(one.object)?.may.read);
  const answers = useQueries({
    queries: known.map(({ object, id }) => ({
      queryKey: titleKey(object, id),
      queryFn: () => call("record_open", { params: { object, id }, query: { fields: metas.get(object)?.titleField ?? "" } }),
      enabled: on,
      staleTime: STALE_MILLISECONDS,
      retry: false,
    })),
  });
  const found = known.flatMap(({ object, id }, index) => {
    const record = answers[index]?.data;
    return record && !record.deleted ? [{ object, id, title: titleOf(metas.get(object), record) }] : [];
  });
  return { found, pending: answers.some((answer) => answer.isPending) };
}
