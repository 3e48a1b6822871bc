// One record: reading it with the names of what it points to, and changing it. A change carries the version that was read;
// what somebody else changed meanwhile is never overwritten.

import { useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { call } from "~/api/client";
import type { Json, RecordView } from "~/api/types.gen";
import { canSee, titlePaths, type Meta, type Metas } from "~/model/meta";

export function recordKey(object: string, id: string) {
  return ["record", object, id] as const;
}

/** All fields one may know of, and the titles of what they point to. */
export function fieldsOf(meta: Meta, metas: Metas): string {
  const own = [...meta.fields.keys()].filter((name) => canSee(meta, name));
  return [...own, ...titlePaths(meta, metas, own)].slice(0, 100).join(",");
}

export function useRecord(meta: Meta, metas: Metas, id: string) {
  return useQuery({
    queryKey: recordKey(meta.name, id),
    queryFn: ({ signal }) => call("record_open", { params: { object: meta.name, id }, query: { fields: fieldsOf(meta, metas) }, signal }),
    staleTime: 10_000,
  });
}

export type Change = { [field: string]: Json };

/** Puts the answer to a change in place of what was shown of the record; what else speaks of it is asked again. */
export function showChanged(client: QueryClient, object: string, answer: RecordView): void {
  const key = recordKey(object, answer.id);
  client.setQueryData<RecordView>(key, (before) => before && { ...answer, fields: { ...before.fields, ...answer.fields } });
  void client.invalidateQueries({ queryKey: key, exact: true });
  void client.invalidateQueries({ queryKey: ["timeline", answer.id] });
  void client.invalidateQueries({ queryKey: ["history", answer.id] });
  void client.invalidateQueries({ queryKey: ["title", object] });
}

/** Sends a change of one record; its lists are asked again. */
export function useChange(meta: Meta, id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ fields, version }: { fields: Change; version: number }) => call("record_change", { params: { object: meta.name, id }, body: fields, version }),
    onSuccess: (answer: RecordView) => {
      showChanged(client, meta.name, answer);
      void client.invalidateQueries({ queryKey: ["list", meta.name] });
    },
  });
}
