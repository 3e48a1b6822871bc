// One record: reading it with the names of what it points to, and changing it. A change carries the version that was read;
// what somebody else changed meanwhile is never overwritten.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
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

/** Sends a change and puts the answer in place of what was shown; lists and timelines are asked again. */
export function useChange(meta: Meta, id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ fields, version }: { fields: Change; version: number }) => call("record_change", { params: { object: meta.name, id }, body: fields, version }),
    onSuccess: async (answer: RecordView) => {
      client.setQueryData<RecordView>(recordKey(meta.name, id), (before) => ({ ...answer, fields: { ...before?.fields, ...answer.fields } }));
      void client.invalidateQueries({ queryKey: recordKey(meta.name, id), exact: true });
      void client.invalidateQueries({ queryKey: ["list", meta.name] });
      void client.invalidateQueries({ queryKey: ["timeline", id] });
      void client.invalidateQueries({ queryKey: ["history", id] });
      void client.invalidateQueries({ queryKey: ["title", meta.name, id] });
    },
  });
}
