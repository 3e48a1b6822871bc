// Search over all objects for the search box and the palette: asks the server a moment after the last key, says which field
// matched, and knows the records seen last.

import { useQuery, keepPreviousData } from "@tanstack/react-query";
import { useDeferredValue, useEffect, useState } from "react";
import { call } from "~/api/client";
import type { RecordView, SearchResult } from "~/api/types.gen";
import type { Meta, Metas } from "~/model/meta";
import { titleOf } from "~/model/meta";

export type Hit = { object: string; id: string; title: string; match: { field: string; text: string } | null };

/** The field that holds what was typed, when it can be seen; a hit by pinyin or by a sealed value shows none. */
export function matchOf(meta: Meta, record: RecordView, query: string): Hit["match"] {
  const wanted = query.trim().toLowerCase();
  const first = wanted.split(/\s+/)[0] ?? "";
  if (!first) return null;
  const names = [meta.titleField, ...meta.fields.keys()];
  for (const name of names) {
    const value = record.fields[name];
    if (typeof value !== "string" || !(meta.fields.get(name)?.searchable || name === meta.titleField)) continue;
    const text = value.toLowerCase();
    if (text.includes(wanted) || text.includes(first)) return { field: name, text: value };
  }
  return null;
}

export function hitsOf(result: SearchResult | undefined, metas: Metas, query: string): { object: string; more: boolean; hits: Hit[] }[] {
  return (result?.groups ?? []).flatMap((group) => {
    const meta = metas.get(group.object);
    if (!meta || group.items.length === 0) return [];
    const hits = group.items.map((record) => ({ object: group.object, id: record.id, title: titleOf(meta, record), match: matchOf(meta, record, query) }));
    return [{ object: group.object, more: group.more, hits }];
  });
}

function useSettled(text: string, milliseconds: number): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), milliseconds);
    return () => clearTimeout(timer);
  }, [text, milliseconds]);
  return settled;
}

/** Two Chinese characters or two letters are enough. */
export function useFinder(text: string) {
  const query = useDeferredValue(useSettled(text.trim(), 120));
  const enabled = query.length >= 2 || /[\u3400-\u9fff]/.test(query);
  const answer = useQuery({
    queryKey: ["search", query],
    queryFn: ({ signal }) => call("record_search", { query: { q: query }, signal }),
    enabled,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
  return { ...answer, query, enabled };
}
