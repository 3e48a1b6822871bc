// What became of a role: each version with who made it, when, and what differed. An earlier version can be taken over into
// the editor, where it is a change like any other.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useT } from "~/i18n";
import { moment } from "~/i18n/format";
import { Badge, libCss } from "~/lib/basics";
import { Dialog } from "~/lib/overlays";
import { said } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { useOffices, usePeople, useRoleObjects, type RoleView } from "./data";
import { Bones } from "./Page";
import { versionsQuery } from "./RoleEditor";
import { Changes } from "./RolePlan";
import { Names } from "./roleWords";
import own from "./roles.module.css";

export function RoleHistory({ role, onClose }: { role: RoleView; onClose: () => void }) {
  const t = useT();
  const people = usePeople();
  const offices = useOffices();
  const objects = useRoleObjects();
  const versions = useQuery(versionsQuery(role.name));
  const names = new Names(objects.data ?? []);
  return (
    <Dialog open onClose={onClose} title={t("redit.historyOf", { role: said(role.label) })} closeLabel={t("act.close")} size="wide">
      {versions.error ? <Trouble error={versions.error} /> : null}
      {versions.isPending ? <Bones lines={4} /> : null}
      <ol className={own.versions}>
        {versions.data?.map((one, index) => (
          <li key={one.version} className={own.version}>
            <div className={own.versionHead}>
              <h3>{t("redit.version", { version: one.version })}</h3>
              <Badge tone={index === 0 ? "brass" : "plain"}>{t(`redit.act.${one.act}`)}</Badge>
              <span className="soft">{t("redit.byAt", { who: people.get(one.by)?.name ?? one.by, when: moment(one.at) })}</span>
              {index > 0 && offices.giveRoles && role.assignable ? (
                <Link className={libCss.button} to="/admin/roles/edit" search={{ role: role.name, version: String(one.version) }}>
                  {t("redit.takeOver")}
                </Link>
              ) : null}
            </div>
            {one.changes.length > 0 ? <Changes changes={one.changes} names={names} /> : <p className="soft">{t(one.act === "create" ? "redit.begun" : "rplan.same")}</p>}
          </li>
        ))}
      </ol>
    </Dialog>
  );
}
