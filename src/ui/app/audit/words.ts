// Entries of the log in words. The log holds ids and codes; what they are called is looked up here and never written back.

import type { LogPage } from "~/api/types.gen";
import { language, t, type Key, type T } from "~/i18n";
import { objectLabel, said, type Metas } from "~/model/meta";

export type Entry = LogPage["items"][number];

/** All acts that an entry can be about, in the order of the format. */
export const ACTS = [
  "read", "list", "search", "history", "reveal", "create", "update", "delete", "restore", "link", "unlink", "bulk", "import", "export", "sign_in", "sign_in_failed", "sign_out", "session_end",
  "token_create", "token_revoke", "password_change", "denied", "start", "stop", "heartbeat", "clock_step", "unseal", "seal", "audit_read", "audit_verify", "definition_change", "role_change", "key_change",
  "config_change", "job", "view_change", "summary", "access_log", "events", "calendar_feed", "rights_check",
  "attachment_list", "attachment_read", "attachment_add", "attachment_remove", "merge",
  "backup", "backup_remove", "drill", "backup_key", "dr_export", "backup_pin", "dr_dump", "backup_pick", "mail", "upgrade", "support_bundle",
] as const;

/** Groups for the chooser: what an examiner asks for. */
export const ACT_GROUPS = [
  { key: "audit.group.seen", acts: ["read", "list", "search", "history", "reveal", "summary", "access_log", "attachment_list", "attachment_read", "export"] },
  { key: "audit.group.changed", acts: ["create", "update", "delete", "restore", "merge", "link", "unlink", "bulk", "import", "attachment_add", "attachment_remove", "view_change"] },
  { key: "audit.group.people", acts: ["sign_in", "sign_in_failed", "sign_out", "session_end", "password_change", "token_create", "token_revoke", "role_change", "rights_check"] },
  { key: "audit.group.house", acts: ["denied", "start", "stop", "heartbeat", "clock_step", "unseal", "seal", "key_change", "config_change", "definition_change", "job", "events", "calendar_feed", "audit_read", "audit_verify", "backup", "backup_remove", "drill", "backup_key", "dr_export", "backup_pin", "dr_dump", "backup_pick", "mail", "upgrade", "support_bundle"] },
] as const satisfies { key: Key; acts: readonly string[] }[];

function word(t: T, start: "audit.act" | "audit.channel" | "audit.auth" | "audit.actor" | "audit.how", known: readonly string[], value: string): string {
  if (!known.includes(value)) return value;
  switch (start) {
    case "audit.act":
      return t(`audit.act.${value}` as Key);
    case "audit.channel":
      return t(`audit.channel.${value}` as Key);
    case "audit.auth":
      return t(`audit.auth.${value}` as Key);
    case "audit.actor":
      return t(`audit.actor.${value}` as Key);
    default:
      return t(`audit.how.${value}` as Key);
  }
}

export const actText = (t: T, verb: string) => word(t, "audit.act", ACTS, verb);
export const channelText = (t: T, channel: string) => word(t, "audit.channel", ["ui", "api", "cli", "job", "import", "system"], channel);
export const authText = (t: T, auth: string) => word(t, "audit.auth", ["none", "password", "token", "cli"], auth);
export const howText = (t: T, how: string) => word(t, "audit.how", ["clear", "masked", "exists", "used_in_filter"], how);

export function whoText(t: T, entry: Entry, names: Map<string, { name: string }>): string {
  if (entry.user) return names.get(entry.user)?.name ?? `${t("audit.unknown")} ${short(entry.user)}`;
  return word(t, "audit.actor", ["anonymous", "user", "local_operator", "system"], entry.actor);
}

/** Enough of an id to tell it from others; the beginning is a time and alike in many. */
export function short(id: string): string {
  return `…${id.slice(-8)}`;
}

/** Objects that an examiner reads of without having a right on them, so that nothing else says what they are called. */
const NAMED = ["account", "activity", "case", "contact", "lead", "opportunity", "product", "tag"];

export function objectText(metas: Metas, object: string): string {
  return objectLabel(metas.get(object)) || (NAMED.includes(object) ? t(`audit.object.${object}` as Key) : object);
}

export function fieldText(metas: Metas, object: string, field: string): string {
  // An answer about one object may have shown fields of those it points to.
  const found = metas.get(object)?.fields.get(field) ?? [...metas.values()].find((meta) => meta.fields.has(field))?.fields.get(field);
  return found ? said(found.label) : field;
}

/** `role:object.verb=scope` as a sentence; other rules stay as they are. */
export function ruleText(t: T, metas: Metas, rule: string, roleName: (role: string) => string): string {
  const right = /^([a-z0-9_]+):([a-z0-9_]+)\.([a-z]+)=([a-z_]+)$/.exec(rule);
  if (right) {
    const [, role = "", object = "", verb = "", scope = ""] = right;
    const verbs = ["read", "create", "update", "delete", "assign", "reveal"];
    const scopes = ["own", "team", "unit", "unit_and_below", "all"];
    return t("audit.rule", {
      role: roleName(role),
      object: objectText(metas, object),
      verb: verbs.includes(verb) ? t(`roles.verb.${verb}` as Key) : verb,
      scope: scopes.includes(scope) ? t(`roles.scope.${scope}` as Key) : scope,
    });
  }
  const act = /^([a-z0-9_]+):([a-z_]+)$/.exec(rule);
  return act ? t("audit.ruleAct", { role: roleName(act[1] ?? ""), act: act[2] ?? "" }) : rule;
}

/** One sentence: who did what to what. */
export function sentence(t: T, entry: Entry, metas: Metas, names: Map<string, { name: string }>): string {
  const what = entry.object ? `${language() === "zh" ? "：" : ": "}${objectText(metas, entry.object)}${entry.record ? ` ${short(entry.record)}` : entry.count > 0 ? ` × ${entry.count}` : ""}` : "";
  return `${whoText(t, entry, names)} · ${actText(t, entry.verb)}${what}`;
}
