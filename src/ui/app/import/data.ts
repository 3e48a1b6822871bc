// Imports of the reader as the server has them: asked again while one is at work, so that leaving the page or loading it again
// loses nothing. What a step may do is read from the state.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { Import, ImportReport } from "~/api/types.gen";
import { toast } from "~/lib/toasts";

export type ColumnFound = { number: number; name: string; filled: number; fields: string[]; left_out: boolean };
export type Proposed = { column: string; field: string; reason: "field_name" | "label" | "synonym" | "alias" | "similar"; applied: boolean };
export type Detection = { encoding: string; confidence: "certain" | "high" | "low"; encoding_how: string; delimiter: string; delimiter_how: string; header_line: number | null; title_lines: number; columns: ColumnFound[]; sample_rows: number; proposals: Proposed[]; warnings: string[] };

export const detectionOf = (one: Import): Detection | null => (one.detection ? (one.detection as unknown as Detection) : null);

export const STEPS = ["file", "mapping", "rules", "try", "run"] as const;
export type Step = (typeof STEPS)[number];

const WORKING = ["checking", "running", "undoing"];
export const isWorking = (one: Import): boolean => WORKING.includes(one.state);
/** Whether object and mapping can still change. */
export const isOpen = (one: Import): boolean => one.state === "new" || one.state === "checked";
/** Whether rows were, or are being, written. */
export const hasBegun = (one: Import): boolean => !isOpen(one) && one.state !== "checking";

/** Where somebody goes on who comes back. */
export function stepOf(one: Import, wanted: string | undefined): Step {
  if (hasBegun(one)) return "run";
  if (one.state === "checking") return "try";
  const step = STEPS.find((name) => name === wanted) ?? (one.state === "checked" ? "try" : "file");
  return step !== "file" && blockOf(one, step) ? "file" : step;
}

/** Why a step cannot be gone to. */
export function blockOf(one: Import, step: Step): "begun" | "busy" | "unread" | "unmapped" | null {
  if (hasBegun(one)) return step === "run" ? null : "begun";
  if (one.state === "checking") return step === "try" ? null : "busy";
  if (step === "file") return null;
  if (!one.object || !one.mapping || !one.sample) return "unread";
  if (step === "mapping") return null;
  return Object.keys(one.mapping.fields).length === 0 || !one.can_run ? "unmapped" : null;
}

/** Rows that were dealt with. */
export const dealt = (report: ImportReport): number => report.created + report.updated + report.unchanged + report.skipped + report.rejected;
/** The part of the file that was read, from 0 to 1. */
export const partOf = (report: ImportReport): number => (report.bytes_total > 0 ? Math.min(1, report.bytes_read / report.bytes_total) : 0);

export const importKey = (id: string) => ["import", id] as const;
const LIST = ["imports"] as const;
/** Between two looks at an import that is at work. */
const LOOK_MS = 700;

export function useImports(enabled = true) {
  return useQuery({ queryKey: LIST, enabled, queryFn: ({ signal }) => call("import_list", { signal }), refetchInterval: (query) => (query.state.data?.items.some(isWorking) ? LOOK_MS : false) });
}

export function useImport(id: string) {
  return useQuery({ queryKey: importKey(id), queryFn: ({ signal }) => call("import_open", { params: { import: id }, signal }), refetchInterval: (query) => (query.state.data && isWorking(query.state.data) ? LOOK_MS : false), retry: false });
}

const ACTS = { try: "import_dry_run", run: "import_run", pause: "import_pause", resume: "import_resume", stop: "import_cancel", undo: "import_undo" } as const;
export type Act = keyof typeof ACTS;

/** Starts, pauses, stops or takes back; the answer is where it stands then. */
export function useAct(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (act: Act) => call(ACTS[act], { params: { import: id } }),
    onSuccess: (now) => {
      client.setQueryData(importKey(id), now);
      void client.invalidateQueries({ queryKey: LIST });
    },
    onError: (error) => {
      toast(errorText(error), { tone: "bad", note: refusalOf(error).detail || errorNote(error) });
      void client.invalidateQueries({ queryKey: importKey(id) });
    },
  });
}

/** Forgets an import and its file; what it made stays. */
export function useForget(after: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => call("import_forget", { params: { import: id } }),
    onError: (error) => toast(errorText(error), { tone: "bad", note: errorNote(error) }),
    onSuccess: (_, id) => {
      client.removeQueries({ queryKey: importKey(id) });
      void client.invalidateQueries({ queryKey: LIST });
      after();
    },
  });
}
