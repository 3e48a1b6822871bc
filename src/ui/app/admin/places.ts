// Where administration is, for the rail and the command palette: only what the session may use.

import type { IconName } from "~/lib/icons";
import { useT, type T } from "~/i18n";
import { objectLabel, useMetas, type Metas } from "~/model/meta";
import { useOffices, type Offices } from "./data";

export type Place = { to: string; label: string; icon: IconName };

/** Objects that have a page of administration instead of a list. */
export const RUN_OBJECTS = new Set(["user", "unit", "team"]);

export function usePlaces(): Place[] {
  const t = useT();
  const metas = useMetas();
  return placesOf(t, useOffices(), metas);
}

/** The places of whoever may open these offices. */
export function placesOf(t: T, offices: Offices, metas: Metas): Place[] {
  const name = (object: string) => objectLabel(metas.get(object), true);
  return [
    ...(offices.audit ? [{ to: "/audit", label: t("audit.title"), icon: "log" as const }] : []),
    ...(offices.users
      ? [
          { to: "/admin/users", label: name("user"), icon: "users" as const },
          { to: "/admin/units", label: name("unit"), icon: "unit" as const },
          { to: "/admin/teams", label: name("team"), icon: "contact" as const },
        ]
      : []),
    ...(offices.roles
      ? [
          { to: "/admin/roles", label: t("roles.title"), icon: "seal" as const },
          { to: "/admin/rights", label: t("rights.title"), icon: "help" as const },
          { to: "/admin/view-as", label: t("viewas.title"), icon: "eye" as const },
        ]
      : []),
    ...(offices.objects ? [{ to: "/admin/objects", label: t("objects.title"), icon: "object" as const }] : []),
    ...(offices.system ? [{ to: "/admin/appliance", label: t("house.title"), icon: "settings" as const }] : []),
    ...(offices.health ? [{ to: "/admin/backups", label: t("backup.title"), icon: "out" as const }] : []),
    // Who may see the backups gets there from one of their sets.
    ...(offices.pick && !offices.health ? [{ to: "/admin/backups/pick", label: t("pick.title"), icon: "history" as const }] : []),
    ...(offices.health ? [{ to: "/admin/health", label: t("health.title"), icon: "system" as const }] : []),
  ];
}
