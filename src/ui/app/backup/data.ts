// Backups as the pages of them ask for it, and their states in words.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import type { BackupLine, Backups } from "~/api/types.gen";
import type { Key, T } from "~/i18n";
import { date, moment } from "~/i18n/format";
import type { Tone } from "~/lib/basics";
import { toast } from "~/lib/toasts";

const RUNNING_MILLISECONDS = 1_000;
const QUIET_MILLISECONDS = 30_000;
const KEY = ["backups"];

/** The backups; looked at often while something is under way. */
export function useBackups(on: boolean) {
  return useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => call("backups_show", { signal }),
    enabled: on,
    retry: false,
    refetchInterval: (query) => (query.state.data?.running ? RUNNING_MILLISECONDS : QUIET_MILLISECONDS),
  });
}

/** Begins something and shows what the server then says. */
export function useBackupAct<A>(act: (args: A) => Promise<Backups | { stopped: boolean }>, said?: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: act,
    onSuccess: (answer) => {
      if ("sets" in answer) client.setQueryData(KEY, answer);
      // What was asked for begins a moment later.
      setTimeout(() => void client.invalidateQueries({ queryKey: KEY }), RUNNING_MILLISECONDS / 2);
      void client.invalidateQueries({ queryKey: ["backup"] });
      if (said) toast(said);
    },
    onError: (error) => toast(errorText(error), { tone: "bad", note: errorNote(error) }),
  });
}

const STATES: { [state in BackupLine["state"]]: { key: Key; tone: Tone } } = {
  writing: { key: "backup.state.writing", tone: "plain" },
  verified: { key: "backup.state.verified", tone: "good" },
  failed: { key: "backup.state.failed", tone: "bad" },
  lost: { key: "backup.state.lost", tone: "bad" },
  removed: { key: "backup.state.removed", tone: "plain" },
};

export function stateOf(t: T, set: BackupLine): { text: string; tone: Tone } {
  if (set.proven_at && set.state === "verified") return { text: t("backup.state.proven"), tone: "good" };
  const { key, tone } = STATES[set.state];
  return { text: t(key), tone };
}

const REASONS: { [reason: string]: Key } = {
  pinned: "backup.reason.pinned",
  newest: "backup.reason.newest",
  daily: "backup.reason.daily",
  weekly: "backup.reason.weekly",
  monthly: "backup.reason.monthly",
  yearly: "backup.reason.yearly",
  floor: "backup.reason.floor",
  only_hope: "backup.reason.only_hope",
  replaced: "backup.reason.replaced",
  never_verified: "backup.reason.never_verified",
};

/** Why a set stays, or when it goes. */
export function planOf(t: T, set: BackupLine): string {
  const why = REASONS[set.reason ?? ""];
  if (!set.plan || !why) return set.detail;
  if (set.plan === "keep") return t("backup.stays", { why: t(why) });
  return set.goes_at ? t("backup.goesAt", { when: moment(set.goes_at), why: t(why) }) : t("backup.mayGo", { why: t(why) });
}

/** What a day looks like: the best that can be said of it, except that a failure is never hidden. */
export type DayState = "proven" | "whole" | "mixed" | "failed" | "gone";

export function dayState(sets: BackupLine[]): DayState {
  const there = sets.filter((set) => set.state === "verified");
  const wrong = sets.some((set) => set.state === "failed" || set.state === "lost");
  if (there.length === 0) return wrong ? "failed" : "gone";
  if (wrong) return "mixed";
  return there.some((set) => set.proven_at) ? "proven" : "whole";
}

/** Sets by the day of this reader on which they were made, as YYYY-MM-DD. */
export function byDay(sets: BackupLine[], dayOf: (at: Date) => string): Map<string, BackupLine[]> {
  const days = new Map<string, BackupLine[]>();
  for (const set of sets) {
    const day = dayOf(new Date(set.made_at));
    days.set(day, [...(days.get(day) ?? []), set]);
  }
  return days;
}

export function dayLabel(t: T, day: string, sets: BackupLine[]): string {
  return sets.length === 0 ? t("backup.dayNone", { day: date(day) }) : t("backup.day", { day: date(day), count: sets.length, state: t(`backup.dayState.${dayState(sets)}`) });
}
