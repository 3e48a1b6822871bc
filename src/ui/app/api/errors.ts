// What an error says to people, in the language of the interface: what happened and what to do. The server's own title
// comes in that language already; what is said here is for errors of fields and for those that never reached the server.

import { t, type Key } from "~/i18n";
import { refusalOf, type FieldError } from "./problem";

const OF_FIELDS: { [code: string]: Key } = {
  field_required: "error.field_required",
  value_type: "error.value_type",
  value_format: "error.value_format",
  value_range: "error.value_range",
  value_too_long: "error.value_too_long",
  value_not_an_option: "error.value_not_an_option",
  value_not_unique: "error.value_not_unique",
  reference_unknown: "error.reference_unknown",
  field_read_only: "error.field_read_only",
  field_denied: "error.field_denied",
};

export function fieldErrorText(error: FieldError): string {
  const key = OF_FIELDS[error.code];
  return key ? t(key) : error.detail;
}

/** One sentence about what went wrong. */
export function errorText(error: unknown): string {
  const wrong = refusalOf(error);
  if (wrong.unreachable) return t("error.unreachable");
  if (wrong.code === "interface") return t("error.interface");
  return wrong.title || wrong.detail || t("error.interface");
}

/** What more there is to say, such as the id to quote. */
export function errorNote(error: unknown): string {
  const wrong = refusalOf(error);
  return wrong.requestId ? t("error.quote", { id: wrong.requestId }) : "";
}
