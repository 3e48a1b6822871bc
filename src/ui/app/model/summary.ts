// Counts and sums of a list as the server makes them, and how they are written. Money stays apart by currency: nothing here
// knows a rate.

import { useQuery, keepPreviousData } from "@tanstack/react-query";
import { call } from "~/api/client";
import type { FieldDef, Figures, Summary, SummaryRequest } from "~/api/types.gen";
import { money, number, short, type Amount } from "~/i18n/format";
import { isSealed, type Meta } from "./meta";

/** Beside the rows of its list in the cache: what makes the rows be read again does so here. */
export function useSummary(object: string, body: SummaryRequest, on = true) {
  return useQuery({
    queryKey: ["list", object, "summary", body],
    queryFn: ({ signal }): Promise<Summary> => call("record_summary", { params: { object }, body, signal }),
    enabled: on,
    placeholderData: keepPreviousData,
  });
}

/** Whether adding it up says something: no years, marks or percentages. */
export function canAdd(meta: Meta, field: FieldDef): boolean {
  return ["integer", "decimal", "money"].includes(field.type) && !isSealed(field) && meta.view.access[field.name]?.filterable === true && !/year|rate|score|probability|percent|severity|level|csat|nps/.test(field.name);
}

/** Whether it can be grouped by; dates in lengths of time, addresses not at all. */
export function canGroup(meta: Meta, field: FieldDef): boolean {
  return ["enum", "bool", "reference", "date", "timestamp"].includes(field.type) && !isSealed(field) && meta.view.access[field.name]?.filterable === true && !(field.type === "reference" && field.targets?.length !== 1);
}

/** The sum of a money field, one amount for each currency, the largest first. */
export function amountsOf(figures: Figures | undefined, field: string): Amount[] {
  const found = figures?.[field];
  return Array.isArray(found) ? [...found].sort((a, b) => Number(b.amount) - Number(a.amount)) : [];
}

export function shortAmounts(amounts: Amount[]): string {
  return amounts.map((one) => short(Number(one.amount), one.currency)).join(" + ");
}

/** A sum in full. */
export function figureText(figures: Figures | undefined, field: string): string {
  const found = figures?.[field];
  if (typeof found === "string") return number(found);
  return amountsOf(figures, field).map(money).join(" + ");
}

/** Adds amounts of the same currency; for figures at a glance, not for books. */
export function addUp(amounts: { amount: Amount; times: number }[]): Amount[] {
  const sums = new Map<string, number>();
  for (const { amount, times } of amounts) sums.set(amount.currency, (sums.get(amount.currency) ?? 0) + Number(amount.amount) * times);
  return [...sums].map(([currency, sum]) => ({ currency, amount: String(sum) })).sort((a, b) => Number(b.amount) - Number(a.amount));
}
