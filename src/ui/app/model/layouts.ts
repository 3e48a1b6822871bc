// Which facts of an object stand where: columns of its list, highlights and sections of its record page, fields of a new
// one. Shipped objects have an arrangement made by hand; any other gets one from its definition.

import type { IconName } from "~/lib/icons";
import type { Key } from "~/i18n";
import { canSee, isSealed, type Meta, type Metas } from "./meta";

export type Section = { title: Key; fields: string[] };

export type Layout = {
  icon: IconName;
  /** Columns of the list; related titles as `account.name`. */
  columns: string[];
  sort: string;
  /** Four to six facts under the name. */
  highlights: string[];
  sections: Section[];
  /** Fields of the short form for a new record. */
  create: string[];
};

const HOUSE: Section = { title: "section.house", fields: ["owner", "team", "unit", "number", "created_at", "created_by", "updated_at", "updated_by", "locked_by", "lock_reason", "retention_until"] };

const LAYOUTS: { [object: string]: Layout } = {
  account: {
    icon: "account",
    columns: ["name", "type", "lifecycle", "level", "industry", "phone", "owner.display_name", "updated_at"],
    sort: "-updated_at",
    highlights: ["type", "level", "phone", "industry", "annual_revenue", "owner"],
    sections: [
      { title: "section.facts", fields: ["name", "kind", "legal_name", "english_name", "short_name", "credit_code", "natural_person_id_no", "id_type", "tax_no", "industry", "type", "lifecycle", "level", "source", "parent", "description"] },
      { title: "section.reach", fields: ["phone", "fax", "email", "website", "registered_address", "billing_address", "shipping_address"] },
      { title: "section.finance", fields: ["annual_revenue", "annual_revenue_verified", "employees", "employees_range", "founded_year", "credit_limit", "credit_rating", "bank_name", "bank_account_no"] },
      { title: "section.compliance", fields: ["risk_level", "kyc_status", "kyc_reviewed_on", "kyc_next_on", "kyc_notes", "beneficial_owners"] },
      { title: "section.signals", fields: ["last_activity_at", "next_activity_at", "claimed_at", "recycle_at", "protected_until", "clv", "churn_score", "lead_score", "completeness"] },
      HOUSE,
    ],
    create: ["name", "kind", "type", "phone", "email", "industry", "level", "website", "source"],
  },
  contact: {
    icon: "contact",
    columns: ["full_name", "account.name", "title", "mobile", "email", "owner.display_name", "updated_at"],
    sort: "-updated_at",
    highlights: ["account", "title", "mobile", "email", "preferred_channel", "owner"],
    sections: [
      { title: "section.facts", fields: ["salutation", "full_name", "last_name", "first_name", "title", "department", "account", "reports_to", "assistant", "source", "description"] },
      { title: "section.reach", fields: ["mobile", "phone", "home_phone", "email", "email2", "wecom_id", "dingtalk_id", "other_im", "preferred_channel", "best_time", "language", "do_not_call", "do_not_email", "do_not_sms", "home_address"] },
      { title: "section.person", fields: ["birth_date", "gender", "nationality", "id_type", "id_no", "marital", "income_band", "education", "minor_flag"] },
      { title: "section.signals", fields: ["nps_last", "nps_at", "bounced_at", "verified_at"] },
      HOUSE,
    ],
    create: ["full_name", "account", "title", "mobile", "email", "department", "source"],
  },
  lead: {
    icon: "lead",
    columns: ["full_name", "company_name", "topic", "status", "rating", "source", "owner.display_name", "created_at"],
    sort: "-created_at",
    highlights: ["company_name", "mobile", "email", "rating", "source", "owner"],
    sections: [
      { title: "section.facts", fields: ["full_name", "company_name", "topic", "job_title", "department", "status", "unqualified_reason", "rating", "source", "source_detail", "description"] },
      { title: "section.reach", fields: ["mobile", "phone", "email", "region"] },
      { title: "section.need", fields: ["need", "budget", "timeline", "authority", "score"] },
      { title: "section.signals", fields: ["first_response_at", "response_sla_due", "mql_at", "sql_at", "claimed_at", "recycle_at", "recycle_count", "previous_owner", "converted_at", "converted_account", "converted_contact", "converted_opportunity"] },
      HOUSE,
    ],
    create: ["full_name", "company_name", "topic", "mobile", "email", "source", "rating"],
  },
  opportunity: {
    icon: "opportunity",
    columns: ["name", "account.name", "stage", "amount", "probability", "expected_close", "next_step", "owner.display_name"],
    sort: "-created_at",
    highlights: ["account", "amount", "expected_close", "probability", "next_step", "owner"],
    sections: [
      { title: "section.facts", fields: ["name", "account", "primary_contact", "product", "partner", "type", "source", "description"] },
      { title: "section.deal", fields: ["stage", "amount", "probability", "forecast_category", "expected_close", "engaged_on", "closed_at", "won_lost_reason", "amount_base", "fx_rate"] },
      { title: "section.next", fields: ["next_step", "next_step_due", "approval_state"] },
      HOUSE,
    ],
    create: ["name", "account", "amount", "stage", "expected_close", "product", "next_step"],
  },
  case: {
    icon: "case",
    columns: ["number", "subject", "account.name", "status", "priority", "channel", "resolve_due", "owner.display_name"],
    sort: "-created_at",
    highlights: ["account", "priority", "channel", "requester_phone", "resolve_due", "owner"],
    sections: [
      { title: "section.facts", fields: ["subject", "account", "contact", "product", "serial_no", "channel", "type", "category", "sub_category", "priority", "severity", "status", "description", "resolution", "root_cause"] },
      { title: "section.requester", fields: ["requester_name", "requester_phone", "requester_email"] },
      { title: "section.service", fields: ["received_on", "first_response_due", "resolve_due", "first_responded_at", "resolved_at", "breached", "escalation_level", "reopen_count", "complaint_deadline", "regulator_ref"] },
      { title: "section.signals", fields: ["csat", "nps", "survey_comment", "resolved_first_contact", "wait_seconds", "handle_seconds", "paused_seconds"] },
      HOUSE,
    ],
    create: ["subject", "account", "contact", "channel", "type", "priority", "requester_name", "requester_phone", "description"],
  },
  activity: {
    icon: "activity",
    columns: ["subject", "kind", "status", "priority", "due", "start", "owner.display_name"],
    sort: "-created_at",
    highlights: ["kind", "regarding", "priority", "due", "owner"],
    sections: [
      { title: "section.facts", fields: ["kind", "subject", "regarding", "status", "priority", "start", "end", "due", "completed_at", "body", "pinned", "private"] },
      { title: "section.call", fields: ["direction", "outcome", "duration_seconds", "from_no", "to_no"] },
      { title: "section.meeting", fields: ["location", "online_url", "minutes"] },
      HOUSE,
    ],
    create: ["kind", "subject", "regarding", "due", "priority", "body"],
  },
  product: {
    icon: "product",
    columns: ["name", "code", "category", "type", "status", "list_price", "updated_at"],
    sort: "name",
    highlights: ["code", "category", "status", "list_price"],
    sections: [
      { title: "section.facts", fields: ["name", "name_en", "code", "category", "brand", "type", "status", "sale_from", "sale_to", "sales_unit", "description"] },
      { title: "section.finance", fields: ["list_price", "tax_rate", "cost", "billing_period", "min_term_months", "risk_rating"] },
      HOUSE,
    ],
    create: ["name", "code", "category", "type", "list_price"],
  },
  user: {
    icon: "users",
    columns: ["display_name", "username", "title", "unit.name", "status", "last_login_at"],
    sort: "display_name",
    highlights: ["username", "title", "unit", "status"],
    sections: [],
    create: ["display_name", "username", "title", "unit"],
  },
};

const ICONS: { [object: string]: IconName } = { unit: "unit", team: "users", tag: "tag" };
const HOUSE_FIELDS = new Set([...HOUSE.fields, "deleted_at", "deleted_by", "is_sample", "import_job"]);

function derived(meta: Meta): Layout {
  const fields = [...meta.fields.values()].filter((field) => !HOUSE_FIELDS.has(field.name) && field.name !== meta.titleField);
  const plain = fields.filter((field) => !isSealed(field) && !["long_text", "rich_text", "json", "file", "address"].includes(field.type));
  const first = plain.map((field) => field.name);
  return {
    icon: ICONS[meta.name] ?? "object",
    columns: [meta.titleField, ...first.slice(0, 5), "updated_at"],
    sort: "-updated_at",
    highlights: first.slice(0, 5),
    sections: [{ title: "section.facts", fields: [meta.titleField, ...fields.map((field) => field.name)] }, HOUSE],
    create: [meta.titleField, ...fields.filter((field) => field.required).map((field) => field.name), ...first.slice(0, 6)],
  };
}

/** Without fields that the reader may not even know of. */
export function layoutOf(meta: Meta): Layout {
  const own = LAYOUTS[meta.name];
  const base = derived(meta);
  const layout = own && own.sections.length > 0 ? own : { ...base, ...(own ?? {}), sections: base.sections };
  const seen = (name: string) => meta.fields.has(name.split(".")[0] ?? "") && canSee(meta, name.split(".")[0] ?? "");
  const placed = new Set(layout.sections.flatMap((section) => section.fields));
  const custom = [...meta.fields.values()].filter((field) => field.custom && !placed.has(field.name)).map((field) => field.name);
  const sections = custom.length > 0 ? [...layout.sections, { title: "section.own" as Key, fields: custom }] : layout.sections;
  return {
    ...layout,
    columns: layout.columns.filter(seen),
    highlights: layout.highlights.filter(seen),
    sections: sections.map((section) => ({ ...section, fields: section.fields.filter(seen) })).filter((section) => section.fields.length > 0),
    create: [...new Set([...layout.create, ...[...meta.fields.values()].filter((field) => field.required).map((field) => field.name)])].filter(seen),
  };
}

export function iconOf(object: string): IconName {
  return LAYOUTS[object]?.icon ?? ICONS[object] ?? "object";
}

/** Lists of other objects that point here: object and the field that does. */
export function pointingHere(meta: Meta, metas: Metas): { object: string; field: string }[] {
  const found: { object: string; field: string }[] = [];
  for (const other of metas.values()) {
    if (!other.may.read || other.name === "activity") continue;
    for (const field of other.fields.values()) {
      if (field.type !== "reference" || HOUSE_FIELDS.has(field.name) || !field.targets?.includes(meta.name)) continue;
      if (canSee(other, field.name) && other.view.access[field.name]?.filterable) found.push({ object: other.name, field: field.name });
    }
  }
  const order = ["contact", "opportunity", "case", "lead", "account"];
  const rank = (object: string) => (order.includes(object) ? order.indexOf(object) : order.length);
  return found.sort((a, b) => rank(a.object) - rank(b.object));
}

/** The order of objects in the rail; those of their own come last. */
export const RAIL_ORDER = ["account", "contact", "lead", "opportunity", "case", "activity", "product"];
