// Bulk changes that go on by themselves: which one this window began for an object, where it stands, and what becomes of the
// lists when it is through. It survives a reload; the server does the work.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useSyncExternalStore } from "react";
import { call } from "~/api/client";
import { refusalOf } from "~/api/problem";
import type { Job } from "~/api/types.gen";

const listeners = new Set<() => void>();

function place(object: string): string {
  return `kontor.job.${object}`;
}

export function showJob(object: string, id: string | null): void {
  if (id) sessionStorage.setItem(place(object), id);
  else sessionStorage.removeItem(place(object));
  for (const listener of listeners) listener();
}

function watch(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

const POLL_MILLISECONDS = 700;

export function useJob(object: string): { job: Job | undefined; close: () => void } {
  const client = useQueryClient();
  const id = useSyncExternalStore(watch, () => sessionStorage.getItem(place(object)));
  const { data: job, error } = useQuery({
    queryKey: ["job", id],
    queryFn: ({ signal }) => call("job_show", { params: { job: id ?? "" }, signal }),
    enabled: id !== null,
    refetchInterval: (query) => (query.state.data && query.state.data.state !== "running" ? false : POLL_MILLISECONDS),
    staleTime: Infinity,
    retry: 2,
  });
  const over = job !== undefined && job.state !== "running";
  useEffect(() => {
    if (over) void client.invalidateQueries({ queryKey: ["list", object] });
  }, [client, object, over, job?.id]);
  const close = useCallback(() => showJob(object, null), [object]);
  const gone = error !== null && refusalOf(error).status === 404;
  useEffect(() => {
    if (gone) close();
  }, [gone, close]);
  return { job: id ? job : undefined, close };
}
