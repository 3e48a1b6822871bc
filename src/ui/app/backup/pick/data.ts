// Looking into a backup set, as the pages of it ask for it. One set is open at a time; whoever asks while none is, is told so.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import type { PickCompared, PickRecord, Picks } from "~/api/types.gen";
import type { Key, T } from "~/i18n";
import type { Tone } from "~/lib/basics";
import { toast } from "~/lib/toasts";

const SOON_MILLISECONDS = 700;
const QUIET_MILLISECONDS = 20_000;
const KEY = ["picks"];

export type PickState = PickRecord["state"];

/** The sets and the one that is open; looked at often while one is on its way. */
export function usePicks(on: boolean) {
  return useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => call("pick_show", { signal }),
    enabled: on,
    retry: false,
    refetchInterval: (query) => (query.state.data?.open?.ready === false ? SOON_MILLISECONDS : QUIET_MILLISECONDS),
  });
}

/** Opens a set, or closes the one that is open. */
export function usePickAct() {
  const client = useQueryClient();
  const onError = (error: unknown) => toast(errorText(error), { tone: "bad", note: errorNote(error) });
  const forget = () => client.removeQueries({ queryKey: ["pick"] });
  const open = useMutation({
    mutationFn: (set: { sequence: number; target: string }) => call("pick_open", { body: set }),
    onSuccess: (answer: Picks) => {
      forget();
      client.setQueryData(KEY, answer);
    },
    onError,
  });
  const close = useMutation({
    mutationFn: () => call("pick_close"),
    onSuccess: () => {
      forget();
      void client.invalidateQueries({ queryKey: KEY });
    },
    onError,
  });
  return { open, close };
}

/** How the comparison of an object is; none until one was begun. */
export function useCompared(object: string, begun: boolean) {
  return useQuery<PickCompared>({
    queryKey: ["pick", "compared", object],
    queryFn: ({ signal }) => call("pick_compared", { params: { object }, signal }),
    enabled: begun,
    retry: false,
    refetchInterval: (query) => (query.state.data?.running ? SOON_MILLISECONDS : false),
  });
}

const STATES: { [state in PickState]: { key: Key; tone: Tone } } = {
  live: { key: "pick.state.live", tone: "good" },
  binned: { key: "pick.state.binned", tone: "warn" },
  missing: { key: "pick.state.missing", tone: "bad" },
  erased: { key: "pick.state.erased", tone: "plain" },
};

export function stateOf(t: T, state: PickState): { text: string; tone: Tone } {
  const { key, tone } = STATES[state];
  return { text: t(key), tone };
}
