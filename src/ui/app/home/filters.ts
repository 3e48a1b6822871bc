// What the widgets of the home page ask for.

import type { Filter } from "~/api/types.gen";
import type { Prefs } from "~/model/prefs";

/** Whose work is shown. */
export type Whose = Prefs["whose"];

export function of(whose: Whose, ...conditions: Filter[]): Filter {
  return { and: [...(whose === "all" ? [] : [{ op: whose }]), ...conditions] };
}
export const OPEN_TASK: Filter = { field: "status", op: "in", value: ["planned", "in_progress", "waiting"] };
export const LATE: Filter = { field: "due", op: "before_today" };
export const OPEN_DEAL: Filter = { field: "stage", op: "in", value: ["prospecting", "engaging", "qualification", "proposal", "negotiation"] };
export const OPEN_CASE: Filter = { field: "status", op: "in", value: ["new", "open", "pending_customer", "pending_internal", "reopened"] };
/** Cases that must be solved by today, or should have been. */
export const TIME_UP: Filter = { or: [{ field: "resolve_due", op: "before_today" }, { field: "resolve_due", op: "today" }] };
export const NEW_LEAD: Filter = { field: "status", op: "in", value: ["new", "assigned"] };
