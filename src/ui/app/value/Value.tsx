// A value as people read it, by the type of its field. A masked value looks masked on purpose; what is only said to exist says
// so; nothing is an en dash. Names of referenced records come with the record, but for references to several kinds.

import { Link } from "@tanstack/react-router";
import { useEffect, useState, type ReactNode } from "react";
import type { Address, FieldDef, Json, RecordView } from "~/api/types.gen";
import { useT, type T } from "~/i18n";
import * as format from "~/i18n/format";
import { Badge, cx, type Tone } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { isSealed, optionLabel, referenceOf, said, useMetas, type Meta, type Metas } from "~/model/meta";
import { useTitle } from "./title";
import css from "./value.module.css";

/** Words of state that deserve a colour. Others stay plain: colour is for what needs attention. */
const TONES: { [code: string]: Tone } = {
  won: "good", resolved: "good", qualified: "good", converted: "good", active: "plain", approved: "good",
  lost: "bad", prohibited: "bad", p1: "bad", high: "warn", urgent: "bad", at_risk: "warn", p2: "warn", rejected: "bad", reopened: "warn", locked: "bad", hot: "warn",
};

export function addressText(value: Address): string {
  const parts = [value.country, value.province, value.city, value.district, value.street, value.postcode].filter(Boolean);
  return parts.join(/[\u3400-\u9fff]/.test(parts.join("")) ? " " : ", ");
}

/** Text for copying, titles, and screen readers. */
export function plain(field: FieldDef, value: Json | undefined, t: T): string {
  if (value === null || value === undefined || value === "") return "";
  switch (field.type) {
    case "enum":
      return optionLabel(field, String(value));
    case "multi_enum":
      return Array.isArray(value) ? value.map((one) => optionLabel(field, String(one))).join(", ") : String(value);
    case "bool":
      return value === true ? t("value.yes") : t("value.no");
    case "date":
      return format.date(String(value));
    case "timestamp":
      return format.moment(String(value));
    case "integer":
      // Years and percentages are no quantities to be grouped.
      return /year/.test(field.name) ? String(value) : format.number(Number(value));
    case "decimal":
      return format.number(String(value));
    case "money":
      return format.money(value as format.Amount);
    case "phone":
      return format.phone(String(value));
    case "address":
      return addressText(value as Address);
    case "json":
      return typeof value === "string" ? value : JSON.stringify(value);
    default:
      return typeof value === "object" ? JSON.stringify(value) : String(value);
  }
}

/** Right of the column, in figures of one width. */
export function isFigure(field: FieldDef | undefined): boolean {
  return field !== undefined && ["integer", "decimal", "money"].includes(field.type);
}

export function Nothing() {
  const t = useT();
  return (
    <span className="faint">
      <span aria-hidden>–</span>
      <span className="sr">{t("value.nothing")}</span>
    </span>
  );
}

export function Masked({ text }: { text: string }) {
  const t = useT();
  return (
    <span className={css.masked}>
      {text}
      <span className="sr"> {t("value.masked")}</span>
    </span>
  );
}

export function Exists({ exists }: { exists: boolean }) {
  const t = useT();
  if (!exists) return <Nothing />;
  return (
    <span className={css.masked}>
      <span aria-hidden>●●●●</span>
      <span className="sr">{t("value.exists")}</span>
    </span>
  );
}

/** A sealed field's mark: the value is encrypted in the database. */
export function SealMark({ field }: { field: FieldDef }) {
  const t = useT();
  if (!isSealed(field)) return null;
  return (
    <span className={css.seal} title={t("value.sealed")}>
      <Icon name="seal" size={12} />
      <span className="sr">{t("value.sealed")}</span>
    </span>
  );
}

function Reference({ field, value, record, metas, link }: { field: FieldDef; value: Json; record: RecordView; metas: Metas; link: boolean }) {
  const t = useT();
  const to = referenceOf(field, value);
  if (!to) return <Nothing />;
  const other = metas.get(to.object);
  const name = other ? record.fields[`${field.name}.${other.titleField}`] : undefined;
  const system = to.object === "user" && to.id.startsWith("00000000-");
  // A name that was asked for and did not come belongs to a record that this reader may not see.
  if ((name === null || name === undefined) && !system && other?.may.read) return <span className="faint clip">{t("value.hidden")}</span>;
  const text = typeof name === "string" && name ? name : system ? t("value.appliance") : other ? said(other.view.definition.label) : t("value.record");
  if (!link || system || !other?.may.read) return <span className="clip">{text}</span>;
  return (
    <Link to="/o/$object/$id" params={{ object: to.object, id: to.id }} className="clip" onClick={(event) => event.stopPropagation()}>
      {text}
    </Link>
  );
}

/** A reference that may point to records of several kinds: its name does not come with the record and is read for what is seen. */
function AnyReference({ field, value, metas, link }: { field: FieldDef; value: Json; metas: Metas; link: boolean }) {
  // Rows that only fly past ask for nothing.
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSeen(true), 150);
    return () => clearTimeout(timer);
  }, []);
  const to = referenceOf(field, value);
  const other = metas.get(to?.object ?? "");
  const title = useTitle(to, seen);
  if (!to) return <Nothing />;
  if (!link || !other?.may.read) return <span className="clip" title={other ? said(other.view.definition.label) : undefined}>{title}</span>;
  return (
    <Link to="/o/$object/$id" params={{ object: to.object, id: to.id }} className="clip" onClick={(event) => event.stopPropagation()}>
      {title}
    </Link>
  );
}

type Props = { meta: Meta; path: string; record: RecordView; link?: boolean; full?: boolean };

/** The value at `path`, which is a field or a field of a referenced record (`account.name`). */
export function Value({ meta, path, record, link = false, full = false }: Props): ReactNode {
  const t = useT();
  const metas = useMetas();
  const [head = path, rest] = path.split(".", 2);
  const field = meta.fields.get(head);
  if (!field) return <Nothing />;
  const reduced = record.reduced?.[path];
  if (typeof reduced === "string") return <Masked text={reduced} />;
  if (typeof reduced === "boolean") return <Exists exists={reduced} />;
  const value = record.fields[path];
  if (rest) {
    const target = metas.get(field.targets?.[0] ?? "");
    const inner = target?.fields.get(rest);
    const to = record.fields[head] ?? null;
    if (target && rest === target.titleField && to) return <Reference field={field} value={to} record={record} metas={metas} link={link} />;
    if (value === null || value === undefined || value === "" || !inner) return <Nothing />;
    return <span className="clip">{plain(inner, value, t)}</span>;
  }
  if (value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0)) return <Nothing />;
  switch (field.type) {
    case "reference":
      if (field.targets?.length !== 1) return <AnyReference field={field} value={value} metas={metas} link={link} />;
      return <Reference field={field} value={value} record={record} metas={metas} link={link} />;
    case "enum": {
      const tone = TONES[String(value)] ?? "plain";
      const text = plain(field, value, t);
      return tone === "plain" ? <span className="clip">{text}</span> : <Badge tone={tone}>{text}</Badge>;
    }
    case "email":
      return link ? <a className="clip" href={`mailto:${String(value)}`}>{String(value)}</a> : <span className="clip">{String(value)}</span>;
    case "phone":
      return link ? <a className="clip num" href={`tel:${String(value)}`}>{plain(field, value, t)}</a> : <span className="clip num">{plain(field, value, t)}</span>;
    case "url": {
      const text = String(value);
      const safe = /^https?:\/\//.test(text);
      return link && safe ? <a className="clip" href={text} target="_blank" rel="noreferrer noopener">{text.replace(/^https?:\/\//, "")}</a> : <span className="clip">{text}</span>;
    }
    case "long_text":
    case "rich_text":
      return <span className={full ? css.text : "clip"}>{String(value)}</span>;
    case "json":
      return full ? <pre>{JSON.stringify(value, null, 1)}</pre> : <span className="clip">{plain(field, value, t)}</span>;
    default:
      return <span className={cx(full ? css.text : "clip", ["integer", "decimal", "money", "date", "timestamp"].includes(field.type) && "num")}>{plain(field, value, t)}</span>;
  }
}
