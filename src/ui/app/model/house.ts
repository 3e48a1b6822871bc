// The house itself: settings of the appliance, how far its first run has come, and its sample data.

import { queryOptions, useMutation, useQuery, useQueryClient, type QueryClient } from "@tanstack/react-query";
import { call } from "~/api/client";
import type { Settings, SettingsChange, Setup, SetupStep } from "~/api/types.gen";
import { useMe } from "~/api/session";

export type Step = SetupStep["step"];

export const settingsQuery = queryOptions({
  queryKey: ["settings"],
  queryFn: ({ signal }) => call("settings_show", { signal }),
  staleTime: 60_000,
  retry: false,
});

const PLAIN: Settings = { version: 1, organisation: "", language: "en", currency: "EUR", time_zone: "UTC", fiscal_start: 1, ribbon: { kind: "none", text: "" }, sample: false };

/** The settings; the shell waits for them, so pages find them there. */
export function useSettings(): Settings {
  return useQuery(settingsQuery).data ?? PLAIN;
}

/** Languages as the records of users name them. */
export const LOCALES = { en: "en", zh: "zh_cn" } as const;

/** Changes settings from the version that was read. */
export function useSettingsChange() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ version, change }: { version: number; change: SettingsChange }) => call("settings_change", { body: change, version }),
    onSuccess: (settings) => client.setQueryData(settingsQuery.queryKey, settings),
    onError: () => void client.invalidateQueries({ queryKey: settingsQuery.queryKey }),
  });
}

/** How the appliance is; the answer differs with the reader's rights, and the pages that show it share one. */
export const healthQuery = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => call("system_health", { signal }),
  refetchInterval: 60_000,
  retry: false,
});

export const setupQuery = queryOptions({
  queryKey: ["setup"],
  queryFn: ({ signal }) => call("setup_show", { signal }),
  staleTime: 30_000,
  retry: false,
});

/** Rights of which one makes somebody take part in the first run. */
const SETTERS = ["system", "users", "keys"];

export function takesPart(actions: readonly string[]): boolean {
  return SETTERS.some((action) => actions.includes(action));
}

export function useSetup(): Setup | undefined {
  const me = useMe();
  return useQuery({ ...setupQuery, enabled: takesPart(me.actions) }).data;
}

/** Steps of the first run that are one's own and not done. */
export function openSteps(setup: Setup): Step[] {
  return setup.finished ? [] : setup.steps.filter((one) => one.mine && !one.done_at).map((one) => one.step);
}

export function useStepDone() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (step: Step) => call("setup_step", { params: { step }, body: { done: true } }),
    onSuccess: (setup) => client.setQueryData(setupQuery.queryKey, setup),
  });
}

/** "Later" holds for this person in the session of this browser tab; whoever signs in after them is led there. */
const LATER = "kontor.setup.later";

export function postpone(user: string): void {
  sessionStorage.setItem(LATER, user);
}

/** Whether somebody who comes home should be led to the first run. */
export async function awaitsSetup(client: QueryClient, user: { id: string; actions: readonly string[] }): Promise<boolean> {
  if (!takesPart(user.actions) || sessionStorage.getItem(LATER) === user.id) return false;
  try {
    return openSteps(await client.ensureQueryData(setupQuery)).length > 0;
  } catch {
    // Home is shown all the same; what is wrong with the appliance is told there.
    return false;
  }
}

const BUSY = ["loading", "removing"];

/** Where the sample data stands; asked again while it comes or goes. */
export function useSample(on = true) {
  return useQuery({
    queryKey: ["sample"],
    queryFn: ({ signal }) => call("sample_show", { signal }),
    refetchInterval: (query) => (BUSY.includes(query.state.data?.state ?? "") ? 700 : false),
    enabled: on,
    retry: false,
  });
}

/** Time zones this browser knows, with one that is set among them. */
export function zones(now: string): string[] {
  const known = typeof Intl.supportedValuesOf === "function" ? Intl.supportedValuesOf("timeZone") : [];
  return [...new Set(["UTC", ...known, now])].sort();
}
