// What a record is called, read from the server when its name did not come along.

import { objectLabel, useMetas } from "~/model/meta";
import { useTitles } from "~/model/titles";

export type Picked = { object: string; id: string; title?: string | undefined };

/** The name of a record; that of its kind until it is known, or for good when it may not be seen. */
export function useTitle(picked: Picked | null, on = true): string {
  const metas = useMetas();
  const { found } = useTitles(picked && !picked.title ? [picked] : [], on);
  if (!picked) return "";
  return picked.title ?? found[0]?.title ?? objectLabel(metas.get(picked.object));
}
