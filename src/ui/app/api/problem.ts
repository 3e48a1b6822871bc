// What went wrong with a request, in one shape: what the server said (RFC 9457), or that it could not be reached.
// It never holds values that somebody typed.

import type { Json, Problem } from "./types.gen";

export type FieldError = { pointer: string; code: string; detail: string };

/** One field that differs when a record has moved: what was sent and what is there. */
export type Difference = { field: string; yours: Json; theirs: Json };

export class Refusal extends Error {
  readonly status: number;
  /** Stable, of the public error table; `unreachable` when no answer came. */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly requestId: string;
  readonly errors: FieldError[];
  readonly currentVersion: number | undefined;
  readonly differences: Difference[];
  readonly retryAfterSeconds: number | undefined;
  /** Of a record that was merged: the one it went into. */
  readonly mergedInto: string | undefined;

  constructor(problem: Partial<Problem> & { current_version?: number; differences?: Difference[] }) {
    super(problem.title ?? problem.code ?? "error");
    this.name = "Refusal";
    this.status = problem.status ?? 0;
    this.code = problem.code ?? "unreachable";
    this.title = problem.title ?? "";
    this.detail = problem.detail ?? "";
    this.requestId = problem.request_id ?? "";
    this.errors = problem.errors ?? [];
    this.currentVersion = problem.current_version;
    this.differences = problem.differences ?? [];
    this.retryAfterSeconds = problem.retry_after_seconds;
    this.mergedInto = problem.merged_into;
  }

  /** No answer came: the network, or the server is down. Nothing was saved. */
  get unreachable(): boolean {
    return this.code === "unreachable";
  }

  /** The error of a field, by its pointer. */
  of(field: string): FieldError | undefined {
    return this.errors.find((error) => error.pointer === `/${field}` || error.pointer.startsWith(`/${field}/`));
  }
}

export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  return new Refusal({ code: "interface", title: error instanceof Error ? error.message : String(error) });
}
