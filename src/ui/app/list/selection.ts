// Which rows of a list are selected: by id, so that it survives new pages and another order; or all that match, also those that
// nobody has loaded. A range goes from the row that was touched last.

import { useMemo, useRef, useState } from "react";
import type { RecordView } from "~/api/types.gen";

export type Selection = {
  ids: ReadonlySet<string>;
  /** All that match the list, whatever is loaded of it. */
  every: boolean;
  any: boolean;
  has: (id: string) => boolean;
  toggle: (index: number) => void;
  range: (index: number) => void;
  all: () => void;
  everything: () => void;
  clear: () => void;
};

export function useSelection(rows: RecordView[]): Selection {
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set());
  const [every, setEvery] = useState(false);
  const from = useRef(0);
  return useMemo(() => {
    // One row taken out of all that match leaves those that can be seen.
    const ids = every ? new Set(rows.map((row) => row.id)) : picked;
    const set = (next: ReadonlySet<string>) => {
      setEvery(false);
      setPicked(next);
    };
    return {
      ids,
      every,
      any: every || ids.size > 0,
      has: (id) => ids.has(id),
      toggle(index) {
        const id = rows[index]?.id;
        if (!id) return;
        const next = new Set(ids);
        if (!next.delete(id)) next.add(id);
        from.current = index;
        set(next);
      },
      range(index) {
        const [low, high] = [Math.min(from.current, index), Math.max(from.current, index)];
        set(new Set([...ids, ...rows.slice(low, high + 1).map((row) => row.id)]));
        from.current = index;
      },
      all() {
        set(every || ids.size >= rows.length ? new Set() : new Set(rows.map((row) => row.id)));
      },
      everything() {
        setEvery(true);
      },
      clear() {
        set(new Set());
      },
    };
  }, [picked, every, rows]);
}
