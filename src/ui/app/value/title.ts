// What a record is called, read from the server when its name did not come along.

import { useQuery } from "@tanstack/react-query";
import { call } from "~/api/client";
import { objectLabel, titleOf, useMetas } from "~/model/meta";

export type Picked = { object: string; id: string; title?: string | undefined };

/** The name of a record; that of its kind until it is known, or for good when it may not be seen. */
export function useTitle(picked: Picked | null, on = true): string {
  const metas = useMetas();
  const meta = metas.get(picked?.object ?? "");
  const { data } = useQuery({
    queryKey: ["title", picked?.object, picked?.id],
    queryFn: () => call("record_open", { params: { object: picked?.object ?? "", id: picked?.id ?? "" }, query: { fields: meta?.titleField ?? "" } }),
    enabled: Boolean(on && picked && meta?.may.read && !picked.title),
    staleTime: 5 * 60_000,
    retry: false,
  });
  if (!picked) return "";
  return picked.title ?? (data ? titleOf(meta, data) : objectLabel(meta));
}
