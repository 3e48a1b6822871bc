// The saved views of an object as the server lists them: own ones and shared ones.

import { queryOptions, useQuery } from "@tanstack/react-query";
import { call } from "~/api/client";
import type { View } from "~/api/types.gen";
import type { IconName } from "~/lib/icons";

export const KIND_ICONS: { [kind in View["kind"]]: IconName } = { table: "columns", kanban: "board", calendar: "activity" };

export function viewsKey(object: string) {
  return ["views", object] as const;
}

export function viewsQuery(object: string) {
  return queryOptions({ queryKey: viewsKey(object), queryFn: ({ signal }) => call("view_list", { params: { object }, signal }), staleTime: 5 * 60_000 });
}

export function useViews(object: string) {
  return useQuery(viewsQuery(object));
}
