// What the pages of administration read: people by id, roles, and who may do what. Names come from the directory of users; the
// log and the roles hold ids only.

import { useQuery } from "@tanstack/react-query";
import { call } from "~/api/client";
import { useMe } from "~/api/session";
import { limits, type RecordView, type Role, type RoleObjectList, type Health } from "~/api/types.gen";
import type { Key, T } from "~/i18n";
import { bytes, number, span } from "~/i18n/format";
import { useMetas, type Metas } from "~/model/meta";

/** At most so many people are read for the directory; beyond that, ids stand where names would. */
const PEOPLE_MAX = 2000;

export type Person = { id: string; name: string; login: string; status: string };

async function everyone(signal: AbortSignal): Promise<Map<string, Person>> {
  const people = new Map<string, Person>();
  let cursor: string | null = null;
  do {
    const page: { items: RecordView[]; next: string | null } = await call("record_query", { params: { object: "user" }, body: { fields: ["display_name", "username", "status"], sort: ["display_name"], limit: limits.PAGE_ROWS_MAX, ...(cursor ? { cursor } : {}) }, signal });
    for (const one of page.items) {
      const { display_name, username, status } = one.fields;
      people.set(one.id, { id: one.id, name: String(display_name ?? one.reduced?.["display_name"] ?? username ?? ""), login: String(username ?? ""), status: String(status ?? "") });
    }
    cursor = page.next;
  } while (cursor && people.size < PEOPLE_MAX);
  return people;
}

const NOBODY: Map<string, Person> = new Map();

/** People by id; empty while it loads, and for those who may not read users. */
export function usePeople(): Map<string, Person> {
  const metas = useMetas();
  const { data } = useQuery({ queryKey: ["people"], queryFn: ({ signal }) => everyone(signal), staleTime: 5 * 60_000, enabled: metas.get("user")?.may.read ?? false, retry: false });
  return data ?? NOBODY;
}

/** What a role holds, as far as the interface reads it. */
export type Rights = { [verb: string]: string };
export type Forbidden = { objects: { [object: string]: string[] }; fields: string[]; actions: string[] };
export type RoleView = Omit<Role, "objects" | "levels" | "object_levels" | "fields" | "actions" | "forbid"> & {
  objects: { [object: string]: Rights };
  levels: { [sensitivity: string]: string };
  object_levels: { [object: string]: { [sensitivity: string]: string } };
  fields: { [field: string]: string };
  actions: string[];
  forbid: Forbidden;
  assignable: boolean;
  /** Made here, so that it can be changed. */
  custom: boolean;
};

export const rolesQuery = {
  queryKey: ["roles"],
  queryFn: async ({ signal }: { signal: AbortSignal }): Promise<RoleView[]> => {
    const answer = await call("role_list", { signal });
    return answer.items.map((item) => ({ ...(item.role as unknown as RoleView), assignable: item.assignable, custom: item.custom }));
  },
  staleTime: 5 * 60_000,
  retry: false,
};

export function useRoles(on = true) {
  return useQuery({ ...rolesQuery, enabled: on });
}

/** An object with its fields, as roles speak of them; known to those who give or check roles. */
export type RoleObject = RoleObjectList["items"][number];

const roleObjectsQuery = {
  queryKey: ["role-objects"],
  queryFn: async ({ signal }: { signal: AbortSignal }) => (await call("role_objects", { signal })).items,
  staleTime: 5 * 60_000,
  retry: false,
};

export function useRoleObjects() {
  return useQuery(roleObjectsQuery);
}

export function userRolesQuery(user: string) {
  return { queryKey: ["user-roles", user], queryFn: ({ signal }: { signal: AbortSignal }) => call("user_roles", { params: { user }, signal }), retry: false };
}

/** What of administration somebody may open. */
export function useOffices(): Offices {
  const me = useMe();
  return officesOf(me.actions, useMetas());
}

export type Offices = ReturnType<typeof officesOf>;

/** The same for whoever has these acts and knows these objects. */
export function officesOf(actions: readonly string[], metas: Metas) {
  const has = (action: string) => actions.includes(action);
  return {
    users: has("users") && (metas.get("user")?.may.read ?? false),
    roles: has("roles") || has("audit_read"),
    giveRoles: has("roles"),
    objects: has("definitions"),
    health: has("system_health"),
    audit: has("audit_read"),
    system: has("system"),
    pick: has("backup_pick"),
  };
}

const CHECKS = ["database", "audit_log", "disk", "certificate", "backup", "mail", "nodes", "upgrade"];

/** What a check of the appliance is called; one that came later keeps its own name. */
export function checkName(t: T, name: string): string {
  return CHECKS.includes(name) ? t(`health.check.${name}` as Key) : name;
}

/** The states that have words here; a test looks whether the server knows another. */
export const STATES = ["database_answers", "database_silent", "log_sealed", "log_waits", "log_unknown", "log_unreadable", "disk_free", "disk_low", "disk_unknown",
  "certificate_none", "certificate_good", "certificate_ends", "certificate_due", "certificate_site_ends", "certificate_unreadable",
  "backup_none", "backup_shipped", "backup_behind", "backup_fenced", "backup_unknown", "backup_good", "backup_new", "backup_late", "backup_failed", "backup_archive",
  "backup_unmade", "proven_old", "drill_late", "target_silent", "deletion_stopped", "mail_none", "mail_good", "mail_waits", "mail_refused",
  "node_replaced", "nodes_good", "nodes_silent", "upgrade_waits", "upgrade_forgotten"];

/** Figures that are lengths of time. */
const SPANS: { [figure: string]: "second" | "hour" | "day" } = { rpo_seconds: "second", hours: "hour", proven_hours: "hour", days: "day" };

function figureText(t: T, name: string, value: number): [string, string] {
  if (name === "free_bytes") return ["free", bytes(value)];
  const unit = SPANS[name];
  if (value < 1 && unit === "day") return [name, t("health.underDay")];
  if (value < 1 && unit === "hour") return [name, t("health.underHour")];
  return [name, unit ? span(value, unit) : number(value)];
}

/** A certificate of which no whole day is left may have ended as well: the server says 0 to both. */
const OVER: { [state: string]: Key } = { certificate_ends: "health.state.certificate_over", certificate_site_ends: "health.state.certificate_site_over" };

/** The state of a check in the reader's language, with what is typed between backticks; what has no words here is said in those of
 * the server. */
export function checkState(t: T, check: Pick<Health["checks"][number], "state" | "figures" | "detail">): string {
  if (!STATES.includes(check.state)) return check.detail;
  const figures: { [name: string]: number } = check.figures;
  const over = figures["days"] === 0 ? OVER[check.state] : undefined;
  return t(over ?? (`health.state.${check.state}` as Key), Object.fromEntries(Object.entries(figures).map(([name, value]) => figureText(t, name, value))));
}
