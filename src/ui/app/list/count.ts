// How many match a list: not asked for unless somebody wants to know, since counting reads all of them.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "~/api/client";
import type { ListRequest } from "~/api/types.gen";

/** What decides which rows there are, whatever is shown of them. */
export function whichOf({ filter, q, deleted }: ListRequest): string {
  return JSON.stringify([filter ?? null, q ?? "", deleted ?? false]);
}

export function useCount(object: string, request: ListRequest): { count: number | undefined; busy: boolean; ask: () => void } {
  const which = whichOf(request);
  const [wanted, setWanted] = useState("");
  const { filter, q, deleted } = request;
  const { data, isFetching } = useQuery({
    // Not among the lists: a change of somebody else is no reason to count again.
    queryKey: ["count", object, which],
    queryFn: ({ signal }) => call("record_query", { params: { object }, body: { filter: filter ?? null, fields: [], limit: 1, count: "exact", ...(q ? { q } : {}), ...(deleted ? { deleted } : {}) }, signal }),
    enabled: wanted === which,
    staleTime: Infinity,
    gcTime: 0,
    retry: false,
  });
  return { count: wanted === which ? data?.count : undefined, busy: isFetching, ask: () => setWanted(which) };
}
