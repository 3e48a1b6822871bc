// Who may do what, readable by an auditor: a role's rights object by object with how far they reach, how much of each field it
// sees by sensitivity, exceptions, and acts beside records. Two roles can be laid side by side.

import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { call } from "~/api/client";
import { manualPage } from "~/help/topics";
import { language, useT, type Key } from "~/i18n";
import { Badge, Button, libCss } from "~/lib/basics";
import { SelectField } from "~/lib/fields";
import { Menu } from "~/lib/overlays";
import { said } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { useOffices, useRoleObjects, useRoles, type RoleView } from "./data";
import { GrantRole } from "./GrantRole";
import { Holders } from "./Holders";
import { AdminPage, Bones, Denied } from "./Page";
import { isNamed, levelFor, rowsOf, scopeOf, SENSITIVITIES, VERBS, type Row } from "./rights";
import { RoleHistory } from "./RoleHistory";
import { RolePlanDialog } from "./RolePlan";
import { ACTS, actText, levelText, Names, scopeText } from "./roleWords";
import { SensitivityHead } from "./SensitivityHead";
import css from "./admin.module.css";

type Cell = { one: string; other: string | undefined; none: boolean };

/** One value of the matrix; with a second role, both where they differ. */
function Both({ cell, names }: { cell: Cell; names: [string, string] }) {
  const differs = cell.other !== undefined && cell.other !== cell.one;
  return (
    <td data-none={cell.none && !differs} data-differs={differs}>
      {differs ? <span className="sr">{names[0]}: </span> : null}
      {cell.one}
      {differs ? (
        <span className={css.other}>
          <span className="sr">{names[1]}: </span>
          <span aria-hidden>≠ </span>
          {cell.other}
        </span>
      ) : null}
    </td>
  );
}

type Sides = { role: RoleView; other: RoleView | undefined };

function namesOf({ role, other }: Sides): [string, string] {
  return [said(role.label), other ? said(other.label) : ""];
}

function Verbs({ role, other, rows }: Sides & { rows: Row[] }) {
  const t = useT();
  const names = namesOf({ role, other });
  const kinds = [...new Set(rows.map((row) => row.kind))];
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t("roles.matrix")}>
      <table className={css.matrix}>
        <caption>
          {t("roles.matrix")}
          <span>{t("roles.matrixText")}</span>
        </caption>
        <thead>
          <tr>
            <th scope="col">{t("roles.object")}</th>
            {VERBS.map((verb) => (
              <th key={verb} scope="col">{t(`roles.verb.${verb}`)}</th>
            ))}
          </tr>
        </thead>
        {kinds.map((kind) => (
          <tbody key={kind}>
            <tr className={css.group}>
              <th colSpan={VERBS.length + 1} scope="rowgroup">{t(`roles.kind.${kind}` as Key)}</th>
            </tr>
            {rows
              .filter((row) => row.kind === kind)
              .map((row) => (
                <tr key={row.name}>
                  <th scope="row">
                    {row.label}
                    {!isNamed(role, row) && kind === "business" && row.name !== "*" ? <span className="faint"> *</span> : null}
                  </th>
                  {VERBS.map((verb) => {
                    const one = scopeOf(role, row, verb);
                    return <Both key={verb} names={names} cell={{ one: scopeText(t, one), other: other ? scopeText(t, scopeOf(other, row, verb)) : undefined, none: one === "none" }} />;
                  })}
                </tr>
              ))}
          </tbody>
        ))}
      </table>
      <p className={css.foot}>{t("roles.star")}</p>
    </div>
  );
}

function Levels({ role, other, rows }: Sides & { rows: Row[] }) {
  const t = useT();
  const names = namesOf({ role, other });
  const special = rows.filter((row) => role.object_levels?.[row.name] || other?.object_levels?.[row.name]);
  const lines: (Row | null)[] = [null, ...special];
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t("roles.levels")}>
      <table className={css.matrix}>
        <caption>
          {t("roles.levels")}
          <span>{t("roles.levelsText")}</span>
        </caption>
        <SensitivityHead />
        <tbody>
          {lines.map((row) => (
            <tr key={row?.name ?? ""}>
              <th scope="row">{row ? row.label : t("roles.everywhere")}</th>
              {SENSITIVITIES.map((sensitivity) => {
                const one = levelFor(role, row?.name ?? null, sensitivity);
                return <Both key={sensitivity} names={names} cell={{ one: levelText(t, one), other: other ? levelText(t, levelFor(other, row?.name ?? null, sensitivity)) : undefined, none: one === "none" }} />;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Exceptions({ role, other, names: called }: Sides & { names: Names }) {
  const t = useT();
  const names = namesOf({ role, other });
  const fields = [...new Set([...Object.keys(role.fields), ...Object.keys(other?.fields ?? {})])].sort();
  const acts = [...new Set([...ACTS, ...role.actions, ...(other?.actions ?? [])])].filter((act) => role.actions.includes(act) || other?.actions.includes(act));
  const entries = [...role.forbid.fields, ...role.forbid.actions, ...Object.entries(role.forbid.objects ?? {}).flatMap(([object, verbs]) => verbs.map((verb) => `${object}.${verb}`))];
  const banned = entries.map((entry) => called.entry(t, entry));
  const nameOf = (path: string) => called.entry(t, path);
  const may = (has: boolean | undefined) => (has ? t("value.yes") : t("value.no"));
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t("roles.exceptions")}>
      {fields.length > 0 ? (
        <table className={css.matrix}>
          <caption>
            {t("roles.exceptions")}
            <span>{t("roles.exceptionsText")}</span>
          </caption>
          <tbody>
            {fields.map((field) => (
              <tr key={field}>
                <th scope="row">{nameOf(field)}</th>
                <Both names={names} cell={{ one: role.fields[field] ? levelText(t, role.fields[field]) : t("roles.asSensitivity"), other: other ? (other.fields[field] ? levelText(t, other.fields[field]) : t("roles.asSensitivity")) : undefined, none: false }} />
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
      <table className={css.matrix}>
        <caption>
          {t("roles.acts")}
          <span>{t("roles.actsText")}</span>
        </caption>
        <tbody>
          {acts.length === 0 ? (
            <tr>
              <td>{t("roles.noActs")}</td>
            </tr>
          ) : null}
          {acts.map((act) => (
            <tr key={act}>
              <th scope="row">{actText(t, act)}</th>
              <Both names={names} cell={{ one: may(role.actions.includes(act)), other: other ? may(other.actions.includes(act)) : undefined, none: !role.actions.includes(act) }} />
            </tr>
          ))}
          {banned.map((one) => (
            <tr key={one}>
              <th scope="row">{one}</th>
              <td>{t("roles.forbidden")}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

type Doing = { kind: "give" | "history" | "retire" | "restore"; role: RoleView };

function Acts({ role, shown, onDo }: { role: RoleView; shown: RoleView[]; onDo: (kind: Doing["kind"]) => void }) {
  const t = useT();
  const navigate = useNavigate();
  const offices = useOffices();
  const search = useSearch({ from: "/shell/admin/roles" });
  const fixed = role.custom ? undefined : t("redit.fixed");
  const noCopy = role.kind === "internal" ? t("roles.notGiven") : undefined;
  return (
    <div className={css.headEnd}>
      <SelectField
        hideLabel
        label={t("roles.compare")}
        value={search.with ?? ""}
        empty={t("roles.compare")}
        choices={shown.filter((one) => one.name !== role.name).map((one) => ({ value: one.name, label: said(one.label) }))}
        onChange={(event) => void navigate({ to: "/admin/roles", search: { role: role.name, ...(event.target.value ? { with: event.target.value } : {}) }, replace: true })}
      />
      {offices.giveRoles ? (
        <>
          <Button icon="edit" blocked={fixed ?? (role.retired ? t("redit.isRetired") : undefined)} onClick={() => void navigate({ to: "/admin/roles/edit", search: { role: role.name } })}>
            {t("redit.change")}
          </Button>
          <Button icon="copy" blocked={noCopy} onClick={() => void navigate({ to: "/admin/roles/edit", search: { copy: role.name } })}>
            {t("redit.copy")}
          </Button>
          <Button icon="plus" blocked={role.assignable ? undefined : t(role.retired ? "redit.isRetired" : "roles.notGiven")} onClick={() => onDo("give")}>
            {t("roles.give")}
          </Button>
        </>
      ) : null}
      <Menu
        align="end"
        label={t("admin.more")}
        target={
          <Button icon="more" aria-label={t("redit.more", { role: said(role.label) })}>
            {t("admin.more")}
          </Button>
        }
        items={[
          { label: t("viewas.title"), icon: "eye", blocked: role.assignable ? undefined : t("roles.notGiven"), act: () => void navigate({ to: "/admin/view-as", search: { roles: role.name } }) },
          { label: t("redit.history"), icon: "history", blocked: fixed, act: () => onDo("history") },
          offices.giveRoles && { kind: "rule" },
          offices.giveRoles && (role.retired ? { label: t("redit.restore"), icon: "undo", act: () => onDo("restore") } : { label: t("redit.retire"), icon: "trash", danger: true, blocked: fixed, act: () => onDo("retire") }),
        ]}
      />
    </div>
  );
}

function RolesOf() {
  const t = useT();
  const navigate = useNavigate();
  const offices = useOffices();
  const search = useSearch({ from: "/shell/admin/roles" });
  const query = useRoles();
  const objects = useRoleObjects();
  const [doing, setDoing] = useState<Doing | null>(null);
  const roles = useMemo(() => query.data ?? [], [query.data]);
  const shown = useMemo(() => [...roles].sort((a, b) => Number(b.assignable) - Number(a.assignable) || Number(b.custom) - Number(a.custom) || said(a.label).localeCompare(said(b.label))), [roles]);
  const role = roles.find((one) => one.name === search.role) ?? shown[0];
  const other = roles.find((one) => one.name === search.with && one.name !== role?.name);
  const names = useMemo(() => new Names(objects.data ?? []), [objects.data]);
  const rows = useMemo(() => rowsOf((objects.data ?? []).map((object) => ({ name: object.name, kind: object.kind, label: said(object.plural) })), roles, (name) => names.object(name)), [objects.data, roles, names]);
  const retiring = doing?.kind === "retire" || doing?.kind === "restore" ? doing : null;
  const run = (plan: boolean) => {
    const args = { params: { role: retiring?.role.name ?? "" }, version: retiring?.role.version ?? 0, query: plan ? { plan: true } : {} };
    return retiring?.kind === "retire" ? call("role_retire", args) : call("role_restore", args);
  };
  return (
    <AdminPage
      title={t("roles.title")}
      lead={t("roles.lead")}
      acts={
        <>
          {offices.giveRoles ? (
            <Button tone="primary" icon="plus" onClick={() => void navigate({ to: "/admin/roles/edit", search: {} })}>
              {t("redit.new")}
            </Button>
          ) : null}
          <a className={libCss.button} href={manualPage("admin/roles", language())} target="_blank" rel="noreferrer">
            {t("admin.manual")}
          </a>
        </>
      }
    >
      {query.error ? <Trouble error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isPending ? <Bones /> : null}
      {role ? (
        <div className={`${css.split} ${css.splitNarrow}`}>
          <ul className={css.side} aria-label={t("roles.title")}>
            {shown.map((one) => (
              <li key={one.name}>
                <Link to="/admin/roles" search={{ ...search, role: one.name }} replace className={css.entry} aria-current={one.name === role.name ? "true" : undefined}>
                  <strong>
                    {said(one.label)}
                    {one.retired ? <Badge>{t("redit.retired")}</Badge> : one.assignable ? null : <Badge>{t("roles.internal")}</Badge>}
                    {one.custom && !one.retired ? <Badge tone="brass">{t("redit.custom")}</Badge> : null}
                  </strong>
                  <span>{said(one.description)}</span>
                </Link>
              </li>
            ))}
          </ul>
          <div className={css.detail}>
            <div className={css.head}>
              <h2>{said(role.label)}</h2>
              <code className="faint">{role.name}</code>
              <Acts role={role} shown={shown} onDo={(kind) => setDoing({ kind, role })} />
            </div>
            <p className={css.lead}>
              {said(role.description)} {role.retired ? t("redit.retiredText") : t(`roles.apart.${role.kind}` as Key)}
              {other ? <> {t("roles.differs", { name: said(other.label) })}</> : null}
            </p>
            {role.assignable ? <Holders key={role.name} role={role.name} /> : null}
            <Verbs role={role} other={other} rows={rows} />
            <Levels role={role} other={other} rows={rows} />
            <Exceptions role={role} other={other} names={names} />
          </div>
        </div>
      ) : null}
      {doing?.kind === "give" ? <GrantRole role={doing.role.name} onClose={() => setDoing(null)} /> : null}
      {doing?.kind === "history" ? <RoleHistory role={doing.role} onClose={() => setDoing(null)} /> : null}
      {retiring ? (
        <RolePlanDialog
          key={retiring.kind}
          title={t(retiring.kind === "retire" ? "redit.retireOf" : "redit.restoreOf", { role: said(retiring.role.label) })}
          act={t(retiring.kind === "retire" ? "redit.retire" : "redit.restore")}
          danger={retiring.kind === "retire"}
          run={run}
          onDone={() => setDoing(null)}
          onClose={() => setDoing(null)}
        />
      ) : null}
    </AdminPage>
  );
}

export default function Roles() {
  const offices = useOffices();
  return offices.roles ? <RolesOf /> : <Denied />;
}
