// Which rows of a list are selected: by id, so that it survives new pages and another order. A range goes from the row that
// was touched last.

import { useMemo, useRef, useState } from "react";
import type { RecordView } from "~/api/types.gen";

export type Selection = {
  ids: ReadonlySet<string>;
  toggle: (index: number) => void;
  range: (index: number) => void;
  all: () => void;
  clear: () => void;
};

export function useSelection(rows: RecordView[]): Selection {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const from = useRef(0);
  return useMemo(
    () => ({
      ids,
      toggle(index) {
        const id = rows[index]?.id;
        if (!id) return;
        const next = new Set(ids);
        if (!next.delete(id)) next.add(id);
        from.current = index;
        setIds(next);
      },
      range(index) {
        const [low, high] = [Math.min(from.current, index), Math.max(from.current, index)];
        setIds(new Set([...ids, ...rows.slice(low, high + 1).map((row) => row.id)]));
        from.current = index;
      },
      all() {
        setIds(ids.size >= rows.length ? new Set() : new Set(rows.map((row) => row.id)));
      },
      clear() {
        setIds(new Set());
      },
    }),
    [ids, rows],
  );
}
