// Words for what roles say: how far a right reaches, how much of a field it shows, acts, and differences between two versions
// of a role. The server speaks in codes; nothing is decided here.

import type { RightsChange } from "~/api/types.gen";
import { t as say, type Key, type T } from "~/i18n";
import { listed } from "~/i18n/format";
import { said } from "~/model/meta";
import type { RoleObject } from "./data";
import { VERBS } from "./rights";

export const SCOPES = ["own", "team", "unit", "unit_and_below", "all"] as const;
export const LEVELS = ["none", "exists", "masked", "read", "edit"] as const;

/** Acts a role may hold, by the kind of role: those of an administration belong to it alone. */
export const ACTS_OF: { [kind: string]: string[] } = {
  business: ["bulk", "import", "export", "token", "views", "access_log", "backup_pick"],
  system_administration: ["system", "system_health", "definitions"],
  security_administration: ["import", "users", "roles", "keys", "system_health"],
  audit_administration: ["audit_read", "audit_verify", "system_health"],
};
export const ACTS = ["bulk", "import", "export", "token", "views", "access_log", "backup_pick", "definitions", "users", "roles", "keys", "system", "system_health", "audit_read", "audit_verify"];

const known = (list: readonly string[], one: string) => list.includes(one);

/** A scope, or two joined. */
export function scopeText(t: T, scope: string): string {
  if (scope === "none") return "–";
  if (scope === "forbidden") return t("roles.forbidden");
  return scope
    .split("+")
    .map((one) => (known(SCOPES, one) ? t(`roles.scope.${one}` as Key) : one))
    .join(" + ");
}

/** A level, or several where it depends on the record: `read:own masked:all`. */
export function levelText(t: T, text: string): string {
  return text
    .split(" ")
    .map((part) => {
      const [level = "", place] = part.split(":");
      const word = level === "none" ? t("rplan.hidden") : known(LEVELS, level) ? t(`roles.level.${level}` as Key) : level;
      return place ? `${word} (${scopeText(t, place)})` : word;
    })
    .join(", ");
}

export const actText = (t: T, act: string) => (known(ACTS, act) ? t(`roles.act.${act}` as Key) : act);
export const verbText = (t: T, verb: string) => (known(VERBS, verb) ? t(`roles.verb.${verb}` as Key) : verb);

/** What objects and fields are called. */
export class Names {
  private readonly objects: Map<string, RoleObject>;
  constructor(objects: RoleObject[]) {
    this.objects = new Map(objects.map((object) => [object.name, object]));
  }
  object(name: string): string {
    const found = this.objects.get(name);
    if (found) return said(found.plural);
    if (name === "*") return say("roles.others");
    return name === "organisation" || name === "reference" ? say(`roles.kind.${name}` as Key) : name;
  }
  field(object: string, field: string): string {
    const found = this.objects.get(object)?.fields.find((one) => one.name === field);
    return found ? said(found.label) : field;
  }
  /** `account.phone`, `account.delete`, `*.read`, or an act. */
  entry(t: T, entry: string): string {
    const [object = "", rest] = entry.split(".", 2);
    if (!rest) return actText(t, entry);
    return `${this.object(object)} · ${known(VERBS, rest) ? verbText(t, rest) : this.field(object, rest)}`;
  }
}

const FIELDS_NAMED = 8;

/** One difference in words. */
export function changeText(t: T, names: Names, change: RightsChange): string {
  switch (change.kind) {
    case "verb":
      return t("rplan.from", { what: verbText(t, change.verb), before: scopeText(t, change.before), after: scopeText(t, change.after) });
    case "fields": {
      const some = change.fields.slice(0, FIELDS_NAMED).map((field) => names.field(change.object, field));
      const rest = change.fields.length - some.length;
      const what = listed(some) + (rest > 0 ? ` ${t("rplan.moreFields", { count: rest })}` : "");
      return t("rplan.from", { what, before: levelText(t, change.before), after: levelText(t, change.after) });
    }
    case "act":
      return t(change.after === "yes" ? "rplan.actNew" : change.after === "forbidden" ? "rplan.actForbidden" : "rplan.actGone", { what: actText(t, change.act) });
    case "forbid":
      return t(change.after ? "rplan.forbidNew" : "rplan.forbidGone", { what: names.entry(t, change.entry) });
  }
}

/** Differences by object; acts and what is forbidden last. */
export function byObject(changes: RightsChange[]): [string, RightsChange[]][] {
  const groups = new Map<string, RightsChange[]>();
  for (const change of changes) {
    const at = change.kind === "verb" || change.kind === "fields" ? change.object : change.kind === "act" ? "+acts" : "+forbid";
    groups.set(at, [...(groups.get(at) ?? []), change]);
  }
  return [...groups].sort(([a], [b]) => Number(a.startsWith("+")) - Number(b.startsWith("+")));
}

/** Where an error is, from its pointer into the role. */
export function placeText(t: T, names: Names, pointer: string): string {
  const [, section = "", one = "", two = ""] = pointer.split("/").map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (section === "objects" || section === "object_levels") return two ? `${names.object(one)} · ${verbText(t, two)}` : names.object(one);
  if (section === "fields") return names.entry(t, one);
  if (section === "actions") return actText(t, one);
  if (section === "forbid") return names.entry(t, two);
  return section === "name" || section === "label" || section === "description" || section === "kind" || section === "copy_of" ? t(`redit.place.${section}` as Key) : "";
}
