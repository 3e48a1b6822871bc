// How a page will look: the parts of the real page with made-up values, because those who arrange pages need not be allowed to see
// a customer. Nothing in it can be clicked or reached by keyboard.

import { useMemo } from "react";
import type { FieldDef, Json, RecordView } from "~/api/types.gen";
import { useT, type T } from "~/i18n";
import { Icon } from "~/lib/icons";
import libCss from "~/lib/lib.module.css";
import type { Arrangement } from "~/model/arrange";
import { useSettings } from "~/model/house";
import { iconOf } from "~/model/layouts";
import { canSet, objectLabel, said, useMetas, type Meta, type Metas } from "~/model/meta";
import { Facts } from "~/record/Facts";
import recordCss from "~/record/record.module.css";
import { Value } from "~/value/Value";
import own from "./layout.module.css";

const NOBODY = "00000000-0000-7000-8000-000000000001";

function sample(t: T, field: FieldDef, currency: string): Json {
  switch (field.type) {
    case "enum":
      return field.options?.[0]?.code ?? null;
    case "multi_enum":
      return (field.options ?? []).slice(0, 2).map((option) => option.code);
    case "bool":
      return true;
    case "integer":
      return field.min ?? 12;
    case "decimal":
      return "1.5";
    case "money":
      return { amount: "12500.00", currency };
    case "date":
      return "2026-04-15";
    case "timestamp":
      return "2026-04-15T09:30:00Z";
    case "email":
      return "name@example.com";
    case "phone":
      return "+8613800138000";
    case "url":
      return "https://example.com";
    case "address":
      return { country: "CN", city: t("layout.sampleCity") };
    case "reference":
      return field.targets?.length === 1 ? NOBODY : null;
    case "json":
    case "file":
      return null;
    default:
      return t("layout.sampleText");
  }
}

function sampleRecord(t: T, meta: Meta, metas: Metas, currency: string): RecordView {
  const fields: { [name: string]: Json } = {};
  for (const field of meta.fields.values()) {
    fields[field.name] = sample(t, field, currency);
    const other = field.type === "reference" && field.targets?.length === 1 ? metas.get(field.targets[0] ?? "") : undefined;
    if (other) fields[`${field.name}.${other.titleField}`] = objectLabel(other);
  }
  fields[meta.titleField] = t("layout.sampleName", { object: objectLabel(meta) });
  return { id: NOBODY, object: meta.name, version: 1, fields } as RecordView;
}

/** Everything is seen here: what a reader may not see is no matter of where it stands. */
function openMeta(meta: Meta): Meta {
  return { ...meta, view: { ...meta.view, access: Object.fromEntries([...meta.fields.keys()].map((name) => [name, { level: "edit" as const, filterable: true }])) } };
}

export function RecordPreview({ meta, now }: { meta: Meta; now: Arrangement }) {
  const t = useT();
  const metas = useMetas();
  const { currency } = useSettings();
  const open = useMemo(() => openMeta(meta), [meta]);
  const record = useMemo(() => sampleRecord(t, meta, metas, currency), [t, meta, metas, currency]);
  return (
    <div className={own.paper} inert>
      <div className={own.paperHead}>
        <Icon name={iconOf(meta.name)} size={18} />
        <strong>{String(record.fields[meta.titleField])}</strong>
      </div>
      <dl className={recordCss.highlights}>
        {now.highlights.map((name) => {
          const field = open.fields.get(name);
          return field ? (
            <div key={name} className={recordCss.highlight}>
              <dt>{said(field.label)}</dt>
              <dd>
                <Value meta={open} path={name} record={record} />
              </dd>
            </div>
          ) : null;
        })}
      </dl>
      <Facts meta={open} record={record} save={null} history={false} sections={now.parts.filter((part) => part.fields.length > 0)} />
    </div>
  );
}

/** The short form, with the required fields that are asked for in any case. */
export function CreatePreview({ meta, now }: { meta: Meta; now: Arrangement }) {
  const t = useT();
  const open = useMemo(() => openMeta(meta), [meta]);
  const required = [...open.fields.values()].filter((field) => field.required).map((field) => field.name);
  const fields = [...new Set([...now.create, ...required])].flatMap((name) => open.fields.get(name) ?? []).filter((field) => canSet(open, field));
  return (
    <div className={own.paper} inert>
      <div className={own.paperHead}>
        <strong>{t("list.create", { object: objectLabel(meta) })}</strong>
      </div>
      <div className={own.form}>
        {fields.map((field) => (
          <div key={field.name} data-wide={field.name === meta.titleField || ["long_text", "rich_text", "address"].includes(field.type) || undefined}>
            <span className={libCss.label}>
              {said(field.label)}
              {field.required ? <span className={libCss.required}>{t("form.required")}</span> : null}
            </span>
            <div className={libCss.input} />
          </div>
        ))}
      </div>
    </div>
  );
}
