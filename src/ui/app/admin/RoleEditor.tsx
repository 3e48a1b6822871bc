// A role is made or changed here: its words, its matrix, its fields, its acts. Nothing holds until the preview has been seen
// and carried out; what is typed stays when the server refuses it.

import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useState } from "react";
import { call } from "~/api/client";
import type { RoleDraft, RoleKind, RolePatch, RolePlan } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { SelectField, TextField } from "~/lib/fields";
import { said } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { useOffices, useRoleObjects, useRoles, type RoleObject, type RoleView } from "./data";
import { nameFrom } from "./FieldDialogs";
import { AdminPage, Bones, Denied } from "./Page";
import { draftOf, EMPTY_DRAFT, patchOf, rowsOf, withAct, type Draft, type Row } from "./rights";
import { RoleFields } from "./RoleFields";
import { LevelTable, ScopeMatrix } from "./RoleMatrix";
import { RolePlanDialog } from "./RolePlan";
import { ACTS_OF, actText, Names } from "./roleWords";
import css from "./admin.module.css";
import own from "./roles.module.css";

export function versionsQuery(role: string) {
  return { queryKey: ["role-versions", role], queryFn: async ({ signal }: { signal: AbortSignal }) => (await call("role_versions", { params: { role }, signal })).items, retry: false };
}

const KINDS = ["business", "system_administration", "security_administration", "audit_administration"];

function Words({ draft, onChange, fresh, copied }: { draft: Draft; onChange: (draft: Draft) => void; fresh: boolean; copied: boolean }) {
  const t = useT();
  const [typed, setTyped] = useState(false);
  const label = (language: "en" | "zh", text: string) => {
    const next = { ...draft, label: { ...draft.label, [language]: text } };
    onChange(fresh && !typed && language === "en" ? { ...next, name: nameFrom(text) ? `x_${nameFrom(text)}`.slice(0, 48) : "" } : next);
  };
  return (
    <div className={own.words}>
      <TextField label={t("redit.labelEn")} value={draft.label.en} maxLength={200} onChange={(event) => label("en", event.target.value)} />
      <TextField label={t("redit.labelZh")} value={draft.label.zh} maxLength={200} onChange={(event) => label("zh", event.target.value)} />
      <TextField label={t("redit.aboutEn")} value={draft.description.en} maxLength={200} onChange={(event) => onChange({ ...draft, description: { ...draft.description, en: event.target.value } })} />
      <TextField label={t("redit.aboutZh")} value={draft.description.zh} maxLength={200} onChange={(event) => onChange({ ...draft, description: { ...draft.description, zh: event.target.value } })} />
      {fresh ? (
        <>
          <TextField
            label={t("redit.place.name")}
            hint={t("redit.nameHint")}
            value={draft.name}
            maxLength={48}
            spellCheck={false}
            onChange={(event) => {
              setTyped(true);
              onChange({ ...draft, name: event.target.value });
            }}
          />
          {copied ? null : <SelectField label={t("redit.place.kind")} value={draft.kind} choices={KINDS.map((kind) => ({ value: kind, label: t(`redit.kind.${kind}` as "redit.kind.business") }))} onChange={(event) => onChange({ ...draft, kind: event.target.value as RoleKind, actions: [] })} />}
        </>
      ) : null}
    </div>
  );
}

function Acts({ draft, before, onChange }: { draft: Draft; before: Draft; onChange: (draft: Draft) => void }) {
  const t = useT();
  const stateIn = (one: Draft, act: string) => (one.forbid.actions.includes(act) ? "forbidden" : one.actions.includes(act) ? "yes" : "no");
  const words = { yes: t("value.yes"), no: t("value.no"), forbidden: t("roles.forbidden") };
  return (
    <section aria-label={t("roles.acts")}>
      <div className={css.panel}>
        <h2>{t("roles.acts")}</h2>
        <p className="soft">{t("redit.actsText")}</p>
      </div>
      <ul className={own.acts}>
        {[...new Set([...(ACTS_OF[draft.kind] ?? []), ...draft.actions, ...draft.forbid.actions])].map((act) => {
          const state = stateIn(draft, act);
          return (
            <li key={act}>
              <label htmlFor={`act-${act}`}>{actText(t, act)}</label>
              <select id={`act-${act}`} className={own.cell} value={state} data-none={state === "no"} data-forbidden={state === "forbidden"} data-changed={state !== stateIn(before, act)} onChange={(event) => onChange(withAct(draft, act, event.target.value))}>
                {(["no", "yes", "forbidden"] as const).map((one) => (
                  <option key={one} value={one}>
                    {words[one]}
                  </option>
                ))}
              </select>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

type EditorProps = { source: RoleView | null; begun: Draft; fresh: boolean; roles: RoleView[]; objects: RoleObject[] };

function Editor({ source, begun, fresh, roles, objects }: EditorProps) {
  const t = useT();
  const navigate = useNavigate();
  // What the role is now; what is typed is compared with it. A new role is compared with the one it is copied from.
  const before = useMemo(() => (source ? draftOf(source) : EMPTY_DRAFT), [source]);
  const [draft, setDraft] = useState(begun);
  const [shown, setShown] = useState<Row | null>(null);
  const [planning, setPlanning] = useState(false);
  const names = new Names(objects);
  const rows = rowsOf(objects.map((object) => ({ name: object.name, kind: object.kind, label: said(object.plural) })), roles, (name) => names.object(name));
  const patch = patchOf(before, draft);
  const changed = fresh || Object.keys(patch).length > 0;
  useEffect(() => {
    if (!changed) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [changed]);
  const blocked = !draft.label.en.trim() && !draft.label.zh.trim() ? t("redit.needLabel") : fresh && !draft.name ? t("redit.needName") : !changed ? t("plan.nothing") : undefined;
  const run = (plan: boolean): Promise<RolePlan> => {
    const query = plan ? { plan: true } : {};
    if (!fresh) return call("role_change", { params: { role: draft.name }, version: source?.version ?? 0, query, body: patch as RolePatch });
    const body: RoleDraft = source ? { name: draft.name, copy_of: source.name, role: patch as RolePatch } : { name: draft.name, kind: draft.kind, role: patchOf({ ...EMPTY_DRAFT, objects: {}, levels: {} }, draft) as RolePatch };
    return call("role_create", { query, body });
  };
  const shownObject = objects.find((object) => object.name === shown?.name);
  const back = () => void navigate({ to: "/admin/roles", search: source ? { role: source.name } : {} });
  return (
    <>
      <Words draft={draft} onChange={setDraft} fresh={fresh} copied={source !== null} />
      <ScopeMatrix draft={draft} before={before} onChange={setDraft} rows={rows} onFields={setShown} />
      <LevelTable draft={draft} before={before} onChange={setDraft} />
      <Acts draft={draft} before={before} onChange={setDraft} />
      <div className={own.saveBar}>
        <span aria-live="polite">{changed ? t("redit.unsaved") : t("redit.unchanged")}</span>
        <Button onClick={back}>{t("act.cancel")}</Button>
        {changed && !fresh ? <Button onClick={() => setDraft(before)}>{t("redit.reset")}</Button> : null}
        <Button tone="primary" blocked={blocked} onClick={() => setPlanning(true)}>
          {t("plan.preview")}
        </Button>
      </div>
      {shownObject ? <RoleFields object={shownObject} draft={draft} before={before} onChange={setDraft} onClose={() => setShown(null)} /> : null}
      {planning ? (
        <RolePlanDialog
          title={t(fresh ? "redit.planNew" : "redit.planChange", { role: said(draft.label) || draft.name })}
          act={t("plan.apply")}
          run={run}
          onClose={() => setPlanning(false)}
          onDone={(plan) => void navigate({ to: "/admin/roles", search: { role: plan.role.name } })}
        />
      ) : null}
    </>
  );
}

function EditorOf() {
  const t = useT();
  const search = useSearch({ from: "/shell/admin/roles/edit" });
  const roles = useRoles();
  const objects = useRoleObjects();
  const versions = useQuery({ ...versionsQuery(search.role ?? ""), enabled: Boolean(search.role && search.version) });
  const fresh = !search.role;
  const source = roles.data?.find((one) => one.name === (search.role ?? search.copy)) ?? null;
  const old = versions.data?.find((one) => String(one.version) === search.version)?.role as unknown as RoleView | undefined;
  const waiting = roles.isPending || objects.isPending || (Boolean(search.role && search.version) && versions.isPending);
  const error = roles.error ?? objects.error ?? versions.error;
  const title = fresh ? t("redit.new") : t("redit.edit", { role: source ? said(source.label) : "" });
  const begun = source ? { ...draftOf(old ?? source), ...(fresh ? { name: "", label: { en: "", zh: "" } } : {}) } : EMPTY_DRAFT;
  const lead = fresh ? (source ? t("redit.copyOf", { role: said(source.label) }) : t("redit.newLead")) : old ? t("redit.fromVersion", { version: old.version ?? 0 }) : t("redit.lead");
  return (
    <AdminPage title={title} lead={waiting ? undefined : lead} crumb={{ to: "/admin/roles", label: t("roles.title") }}>
      {error ? <Trouble error={error} /> : null}
      {waiting && !error ? <Bones /> : null}
      {!waiting && !error ? (
        !fresh && !(source?.custom && source.assignable) ? (
          <p className={css.lead} role="alert">
            {t(source ? "redit.fixed" : "redit.gone")}
          </p>
        ) : (
          <Editor key={`${search.role ?? ""} ${search.copy ?? ""} ${search.version ?? ""}`} source={source} begun={begun} fresh={fresh} roles={roles.data ?? []} objects={objects.data ?? []} />
        )
      ) : null}
    </AdminPage>
  );
}

export default function RoleEditor() {
  const offices = useOffices();
  return offices.giveRoles ? <EditorOf /> : <Denied />;
}
