// The input that fits a field, for forms, inline edit and filters. Gives values as the API takes them: null for nothing, money
// with its currency, times in UTC. It checks nothing the server checks; it only keeps people from typing nonsense.

import { useMemo, type KeyboardEvent } from "react";
import type { Address, FieldDef, Json } from "~/api/types.gen";
import { useT, type Key } from "~/i18n";
import { cx } from "~/lib/basics";
import libCss from "~/lib/lib.module.css";
import { useSettings } from "~/model/house";
import { referenceOf, said } from "~/model/meta";
import { getPrefs } from "~/model/prefs";
import { RecordPicker } from "./RecordPicker";
import { type Picked } from "./title";
import css from "./value.module.css";

export type InputProps = {
  field: FieldDef;
  value: Json | undefined;
  /** `title` comes with a record that was picked. */
  onChange: (value: Json, title?: string) => void;
  id?: string | undefined;
  describedBy?: string | undefined;
  invalid?: boolean;
  label?: string | undefined;
  required?: boolean;
  autoFocus?: boolean;
  /** The name of a reference's record, when it is known already. */
  title?: string | undefined;
  onKeyDown?: (event: KeyboardEvent) => void;
};

const PARTS: { part: keyof Address; key: Key }[] = [
  { part: "country", key: "address.country" },
  { part: "province", key: "address.province" },
  { part: "city", key: "address.city" },
  { part: "district", key: "address.district" },
  { part: "street", key: "address.street" },
  { part: "postcode", key: "address.postcode" },
];

/** A local time of the browser for `datetime-local`. */
function toLocal(text: Json | undefined): string {
  if (typeof text !== "string" || !text) return "";
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return "";
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function FieldInput(props: InputProps) {
  const { field, value, onChange, id, describedBy, invalid, label, required, autoFocus, onKeyDown } = props;
  const t = useT();
  const common = { id, "aria-describedby": describedBy, "aria-invalid": invalid || undefined, "aria-label": label, "aria-required": required || undefined, autoFocus, onKeyDown, className: libCss.input };
  const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
  const orNull = (typed: string) => (typed === "" ? null : typed);

  switch (field.type) {
    case "reference":
      return <ReferenceInput {...props} />;
    case "enum":
      return (
        <select {...common} value={text} onChange={(event) => onChange(orNull(event.target.value))}>
          {field.required && value ? null : <option value="">–</option>}
          {field.options?.map((option) => (
            <option key={option.code} value={option.code}>
              {said(option.label)}
            </option>
          ))}
        </select>
      );
    case "multi_enum": {
      const chosen = new Set(Array.isArray(value) ? value.map(String) : []);
      return (
        <div className={css.checks} role="group" aria-label={label ?? said(field.label)}>
          {field.options?.map((option) => (
            <label key={option.code}>
              <input
                type="checkbox"
                className={libCss.check}
                checked={chosen.has(option.code)}
                onChange={(event) => {
                  const next = new Set(chosen);
                  if (event.target.checked) next.add(option.code);
                  else next.delete(option.code);
                  onChange(next.size ? [...next] : null);
                }}
              />{" "}
              {said(option.label)}
            </label>
          ))}
        </div>
      );
    }
    case "bool":
      return (
        <select {...common} value={value === true ? "yes" : value === false ? "no" : ""} onChange={(event) => onChange(event.target.value === "" ? null : event.target.value === "yes")}>
          <option value="">–</option>
          <option value="yes">{t("value.yes")}</option>
          <option value="no">{t("value.no")}</option>
        </select>
      );
    case "integer":
      return <input {...common} inputMode="numeric" value={text} onChange={(event) => onChange(event.target.value === "" ? null : /^-?\d{1,15}$/.test(event.target.value) ? Number(event.target.value) : event.target.value)} />;
    case "decimal":
      return <input {...common} inputMode="decimal" value={text} onChange={(event) => onChange(orNull(event.target.value.trim()))} />;
    case "money":
      return <MoneyInput {...props} />;
    case "date":
      return <input {...common} type="date" value={text.slice(0, 10)} onChange={(event) => onChange(orNull(event.target.value))} />;
    case "timestamp":
      return <input {...common} type="datetime-local" value={toLocal(value)} onChange={(event) => onChange(event.target.value ? new Date(event.target.value).toISOString() : null)} />;
    case "long_text":
    case "rich_text":
      return <textarea {...common} rows={4} value={text} onChange={(event) => onChange(orNull(event.target.value))} />;
    case "address":
      return <AddressInput {...props} />;
    case "email":
      return <input {...common} type="email" autoComplete="off" value={text} onChange={(event) => onChange(orNull(event.target.value.trim()))} />;
    case "phone":
      return <input {...common} type="tel" autoComplete="off" value={text} onChange={(event) => onChange(orNull(event.target.value))} />;
    case "url":
      return <input {...common} type="url" autoComplete="off" value={text} onChange={(event) => onChange(orNull(event.target.value.trim()))} />;
    default:
      return <input {...common} type="text" autoComplete="off" maxLength={field.max_chars ?? 1000} value={text} onChange={(event) => onChange(orNull(event.target.value))} />;
  }
}

function ReferenceInput({ field, value, onChange, id, describedBy, invalid, label, autoFocus, title }: InputProps) {
  const to = referenceOf(field, value);
  const many = (field.targets?.length ?? 0) > 1;
  const picked: Picked | null = useMemo(() => (to ? { object: to.object, id: to.id, title } : null), [to, title]);
  return (
    <RecordPicker
      objects={field.targets ?? []}
      value={picked}
      id={id}
      describedBy={describedBy}
      invalid={invalid ?? false}
      label={label}
      autoFocus={autoFocus ?? false}
      onChange={(next) => onChange(next ? (many ? { object: next.object, id: next.id } : next.id) : null, next?.title)}
    />
  );
}

function MoneyInput({ field, value, onChange, id, describedBy, invalid, label, autoFocus, onKeyDown }: InputProps) {
  const t = useT();
  const now = value && typeof value === "object" && !Array.isArray(value) ? value : null;
  const amount = typeof now?.["amount"] === "string" ? now["amount"] : "";
  // One's own currency first, then that of the house.
  const house = useSettings().currency;
  const usual = getPrefs().currency || house;
  const currency = typeof now?.["currency"] === "string" ? now["currency"] : usual;
  const set = (text: string, code: string) => onChange(text.trim() === "" && (!code || code === usual) ? null : { amount: text.trim().replace(/[\s,](?=\d{3})/g, ""), currency: code });
  return (
    <div className={css.two}>
      <input id={id} className={cx(libCss.input, "num")} inputMode="decimal" value={amount} aria-label={label} aria-describedby={describedBy} aria-invalid={invalid || undefined} autoFocus={autoFocus} onKeyDown={onKeyDown} onChange={(event) => set(event.target.value, currency)} />
      <input className={libCss.input} value={currency} maxLength={3} aria-label={`${said(field.label)}: ${t("value.currency")}`} placeholder="EUR" onKeyDown={onKeyDown} onChange={(event) => set(amount, event.target.value.toUpperCase().replace(/[^A-Z]/g, ""))} />
    </div>
  );
}

function AddressInput({ field, value, onChange, id, label, onKeyDown }: InputProps) {
  const t = useT();
  const now = (value && typeof value === "object" && !Array.isArray(value) ? value : {}) as Address;
  return (
    <div className={css.parts} role="group" aria-label={label ?? said(field.label)}>
      {PARTS.map(({ part, key }, index) => (
        <label key={part} className={libCss.field}>
          <span className={libCss.label}>{t(key)}</span>
          <input
            id={index === 0 ? id : undefined}
            className={libCss.input}
            autoComplete="off"
            maxLength={200}
            value={now[part] ?? ""}
            onKeyDown={onKeyDown}
            onChange={(event) => {
              const next = { ...now, [part]: event.target.value || null };
              onChange(Object.values(next).some(Boolean) ? next : null);
            }}
          />
        </label>
      ))}
    </div>
  );
}
