// Changes by others while a list is read: somebody at its top gets them at once; whoever has scrolled, selected or stands in a
// row is told how many there are, and asks for them. Nothing jumps under the eyes.

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState, type RefObject } from "react";
import { holdList } from "~/api/live";
import type { RecordView } from "~/api/types.gen";

export function useFresh(object: string, rows: RecordView[], on: boolean, top: RefObject<number>, selected: boolean): { count: number; show: () => void } {
  const client = useQueryClient();
  const [ids, setIds] = useState<ReadonlyMap<string, number>>(new Map());
  const now = useRef({ rows, selected });
  useEffect(() => {
    now.current = { rows, selected };
  });
  const show = useCallback(() => {
    setIds(new Map());
    void client.invalidateQueries({ queryKey: ["list", object] });
  }, [client, object]);
  useEffect(() => {
    if (!on) return;
    return holdList(object, (changes) => {
      const known = new Map(now.current.rows.map((record) => [record.id, record.version]));
      const news = changes.filter((change) => (known.get(change.id) ?? -1) < change.version && (known.has(change.id) || change.verb === "create" || change.verb === "restore"));
      const reading = now.current.selected || top.current > 8 || document.activeElement?.closest("[role=row]");
      if (!reading) show();
      else if (news.length > 0) setIds((before) => new Map([...before, ...news.map((change): [string, number] => [change.id, change.version])]));
    });
  }, [object, on, top, show]);
  // What has been read meanwhile, for whatever reason, is no news.
  useEffect(() => {
    setIds((before) => {
      const left = [...before].filter(([id, version]) => !rows.some((record) => record.id === id && record.version >= version));
      return left.length === before.size ? before : new Map(left);
    });
  }, [rows]);
  return { count: ids.size, show };
}
