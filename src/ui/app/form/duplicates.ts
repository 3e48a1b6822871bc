// Whether what is being typed is there already. Asked a moment after the last key, for the values that tell records apart; an
// answer that does not come stops nobody.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { call } from "~/api/client";
import { limits, type Duplicates, type FieldDef, type Json } from "~/api/types.gen";
import { canSet, type Meta } from "~/model/meta";

const WAIT_MS = 450;

/** Fields that hardly two records share, and the name beside them. The server compares no others. Where nothing but a name could
 * be compared, as of tasks, many are called the same and nobody is asked. */
function tellingFields(meta: Meta): FieldDef[] {
  const apart = [...meta.fields.values()].filter((field) => canSet(meta, field) && field.name !== meta.titleField && (field.type === "email" || field.type === "phone" || field.unique === true || field.sealing === "exact"));
  const title = meta.fields.get(meta.titleField);
  return apart.length > 0 && title && canSet(meta, title) ? [title, ...apart] : apart;
}

export function tellsApart(meta: Meta, field: FieldDef): boolean {
  return tellingFields(meta).includes(field);
}

/** Half a number says nothing yet. */
function isEnough(field: FieldDef, value: Json | undefined): value is string {
  if (typeof value !== "string") return false;
  const text = value.trim();
  if (field.type === "phone") return text.replace(/\D/g, "").length >= 7;
  if (field.type === "email") return /.@.+\../.test(text);
  return /[\u3400-\u9fff]/.test(text) ? text.length >= 2 : text.length >= 4;
}

/** What is worth asking for. */
export function telling(meta: Meta, values: { [field: string]: Json | undefined }): { [field: string]: string } {
  const found = tellingFields(meta).flatMap((field): [string, string][] => {
    const value = values[field.name];
    return isEnough(field, value) ? [[field.name, value.trim()]] : [];
  });
  return Object.fromEntries(found.slice(0, limits.DUPLICATE_FIELDS_MAX));
}

/** More than a name that sounds alike: a value that only one record has, or the very same name. */
export function isStrong(meta: Meta, found: Duplicates, values: { [field: string]: Json | undefined }): boolean {
  const name = String(values[meta.titleField] ?? "").trim().toLowerCase();
  return found.others || found.items.some((item) => item.why.some((field) => field !== meta.titleField) || (name !== "" && item.title?.trim().toLowerCase() === name));
}

const NONE: Duplicates = { items: [], others: false, compared: [] };

export function useDuplicates(meta: Meta, values: { [field: string]: Json | undefined }, except?: string): Duplicates {
  const now = JSON.stringify(telling(meta, values));
  const [asked, setAsked] = useState("{}");
  useEffect(() => {
    const timer = setTimeout(() => setAsked(now), WAIT_MS);
    return () => clearTimeout(timer);
  }, [now]);
  const { data } = useQuery({
    queryKey: ["duplicates", meta.name, except ?? "", asked],
    enabled: asked !== "{}",
    retry: false,
    staleTime: 30_000,
    // What was typed is not kept any longer than it is on the screen.
    gcTime: 0,
    queryFn: ({ signal }) => call("record_duplicates", { params: { object: meta.name }, body: { values: JSON.parse(asked) as { [field: string]: Json }, ...(except ? { except } : {}) }, signal }),
  });
  return asked === now && now !== "{}" ? (data ?? NONE) : NONE;
}
