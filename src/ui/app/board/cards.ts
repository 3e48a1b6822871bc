// What the card of an object shows, and what a column of the board asks the server for. Pure.

import type { FieldDef, ListRequest, RecordView } from "~/api/types.gen";
import type { ListState } from "~/list/state";
import { parts, toFilter, type Node } from "~/model/filter";
import { canSee, isSealed, titlePaths, type Meta, type Metas } from "~/model/meta";
import { canAdd } from "~/model/summary";
import { askedFields } from "~/record/stages";

export const CARD_ROWS = 50;
/** Days in one stage after which a card is marked, unless the reader chose otherwise. */
export const STALE_DAYS = 30;

export type CardLayout = {
  /** Whom or what it is about. */
  about: string | null;
  amount: string | null;
  /** The day by which something should happen. */
  due: string | null;
  /** When the next step is due. */
  next: string | null;
  /** A word of urgency. */
  mark: string | null;
};

const DUE = ["expected_close", "resolve_due", "response_sla_due", "due", "timeline"];
const ABOUT = ["account", "company_name", "regarding", "category"];
const MARK = ["priority", "rating"];

export function cardLayout(meta: Meta): CardLayout {
  const first = (names: string[]) => names.find((name) => meta.fields.has(name) && canSee(meta, name)) ?? null;
  const amount = [...meta.fields.values()].find((field) => field.type === "money" && canAdd(meta, field) && !field.read_only);
  return { about: first(ABOUT), amount: amount?.name ?? null, due: first(DUE), next: first(["next_step_due"]), mark: first(MARK) };
}

/** Where a pair of both narrows further. */
export function both(one: Node | null, other: Node): Node {
  return !one ? other : { and: [...("and" in one ? parts(one) : [one]), other] };
}

/** The rows of one column. */
export function columnRequest(meta: Meta, metas: Metas, state: ListState, stage: FieldDef, code: string): ListRequest {
  const layout = cardLayout(meta);
  const own = [meta.titleField, stage.name, "number", "owner", "updated_at", STAGE_SINCE, ...Object.values(layout), ...askedFields(meta).filter((name) => !isSealed(meta.fields.get(name) as FieldDef))].filter((name): name is string => name !== null && meta.fields.has(name) && canSee(meta, name));
  const fields = [...new Set([...own, ...titlePaths(meta, metas, own)])];
  const filter = toFilter(both(state.filter, { field: stage.name, op: "eq", value: code }));
  return { filter, sort: state.sort, fields, limit: CARD_ROWS, count: "none", ...(state.search.q ? { q: state.search.q } : {}) };
}

/** Where the server keeps since when a record is in its stage. */
export const STAGE_SINCE = "stage_changed_at";

/** Days in the stage; where the object does not keep that, days without a change. */
export function daysInStage(record: RecordView, now: number): number {
  return daysSince(record.fields[STAGE_SINCE] ?? record.fields["updated_at"], now);
}

const DAY = 86_400_000;

export function daysSince(text: unknown, now: number): number {
  const at = typeof text === "string" ? new Date(text).getTime() : NaN;
  return Number.isNaN(at) ? 0 : Math.floor((now - at) / DAY);
}

/** Whether a date or time has passed; a day has passed when it is over here. */
export function isPast(text: unknown, now = new Date()): boolean {
  if (typeof text !== "string" || !text) return false;
  if (text.length > 10) return new Date(text).getTime() < now.getTime();
  const today = new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
  return text < today;
}
