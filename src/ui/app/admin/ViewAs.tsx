// The interface as a person, or somebody with certain roles, would find it: where they could go, which objects, columns and
// fields, and how much of each. It is empty on purpose: with records in it, it would be a way around the separation of those
// who give rights from those who see customers.

import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "~/api/client";
import type { RightsView } from "~/api/types.gen";
import { useT, type T } from "~/i18n";
import { IconButton, libCss } from "~/lib/basics";
import { SelectField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { iconOf, layoutOf } from "~/model/layouts";
import { fieldLabel, levelOf, metaOf, objectLabel, said, type Level, type Meta, type Metas } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { workObjects } from "~/shell/Rail";
import { RecordPicker } from "~/value/RecordPicker";
import { type Picked } from "~/value/title";
import { officesOf, useOffices, usePeople, useRoles } from "./data";
import { AdminPage, Bones, Denied } from "./Page";
import { placesOf } from "./places";
import { VERBS } from "./rights";
import { actText, levelText, scopeText, verbText } from "./roleWords";
import css from "./admin.module.css";
import own from "./roles.module.css";

function Fields({ t, meta, title, fields }: { t: T; meta: Meta; title: string; fields: string[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <ul className={own.sheet}>
        {fields.map((name) => {
          const level: Level = levelOf(meta, name);
          return (
            <li key={name} data-level={level}>
              <span className="clip">{fieldLabel(meta, name)}</span>
              <span>{levelText(t, level)}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function ObjectSheet({ view, meta, metas }: { view: RightsView; meta: Meta; metas: Metas }) {
  const t = useT();
  const layout = layoutOf(meta);
  const reach = view.reach[meta.name] ?? {};
  return (
    <div>
      <section>
        <h2>{objectLabel(meta, true)}</h2>
        <dl className={own.reach}>
          {VERBS.map((verb) => (
            <div key={verb}>
              <dt>{verbText(t, verb)}</dt>
              <dd data-none={["none", "forbidden"].includes(reach[verb] ?? "none")}>{scopeText(t, reach[verb] ?? "none")}</dd>
            </div>
          ))}
          <div>
            <dt>{t("viewas.files")}</dt>
            <dd data-none={meta.view.attachments === "none"}>{levelText(t, meta.view.attachments)}</dd>
          </div>
        </dl>
      </section>
      {meta.may.read ? (
        <>
          <section>
            <h3>{t("viewas.columns")}</h3>
            <ul className={own.headers} tabIndex={0} aria-label={t("viewas.columns")}>
              {layout.columns.map((path) => {
                const level = levelOf(meta, path.split(".")[0] ?? "");
                return (
                  <li key={path}>
                    {fieldLabel(meta, path, metas)}
                    {level === "masked" || level === "exists" ? <Icon name="eyeoff" size={12} title={levelText(t, level)} /> : null}
                  </li>
                );
              })}
            </ul>
          </section>
          {layout.sections.map((section, index) => (
            <Fields key={index} t={t} meta={meta} title={said(section.label)} fields={section.fields} />
          ))}
          {meta.may.create ? <Fields t={t} meta={meta} title={t("viewas.create")} fields={layout.create} /> : null}
        </>
      ) : (
        <p className="soft">{t("viewas.onlyDefinition")}</p>
      )}
    </div>
  );
}

function Stage({ view, chosen, onChoose }: { view: RightsView; chosen: string; onChoose: (object: string) => void }) {
  const t = useT();
  const metas: Metas = new Map(view.objects.map((object) => [object.definition.name, metaOf(object)]));
  const places = placesOf(t, officesOf(view.actions, metas), metas);
  const work = workObjects(metas.values());
  const others = [...metas.values()].filter((meta) => !work.includes(meta));
  const meta = metas.get(chosen) ?? work[0] ?? others[0];
  return (
    <div className={own.stage}>
      <section className={own.mock} aria-label={t("viewas.rail")}>
        <h2>{t("viewas.rail")}</h2>
        <ul>
          <li>
            <Icon name="home" />
            {t("rail.home")}
          </li>
          {work.map((one) => (
            <li key={one.name}>
              <Icon name={iconOf(one.name)} />
              {objectLabel(one, true)}
            </li>
          ))}
        </ul>
        {places.length > 0 ? (
          <>
            <h3>{t("rail.administration")}</h3>
            <ul>
              {places.map((place) => (
                <li key={place.to}>
                  <Icon name={place.icon} />
                  {place.label}
                </li>
              ))}
            </ul>
          </>
        ) : null}
      </section>
      <section aria-label={t("viewas.objects")}>
        <h2>{t("viewas.objects")}</h2>
        <ul className={own.pick}>
          {[...work, ...others].map((one) => (
            <li key={one.name}>
              <button type="button" aria-pressed={one === meta} onClick={() => onChoose(one.name)}>
                {objectLabel(one, true)}
                <span>{scopeText(t, view.reach[one.name]?.["read"] ?? "none")}</span>
              </button>
            </li>
          ))}
          {metas.size === 0 ? <li className="soft">{t("viewas.none")}</li> : null}
        </ul>
        <h2>{t("roles.acts")}</h2>
        <ul>
          {view.actions.map((act) => (
            <li key={act}>{actText(t, act)}</li>
          ))}
          {view.actions.length === 0 ? <li className="soft">{t("roles.noActs")}</li> : null}
        </ul>
      </section>
      {meta ? <ObjectSheet view={view} meta={meta} metas={metas} /> : <p className="soft">{t("viewas.none")}</p>}
    </div>
  );
}

function ViewOf() {
  const t = useT();
  const navigate = useNavigate();
  const search = useSearch({ from: "/shell/admin/view-as" });
  const people = usePeople();
  const roles = useRoles();
  const [who, setWho] = useState<Picked | null>(search.user ? { object: "user", id: search.user } : null);
  const held = (search.roles ?? "").split(",").filter(Boolean);
  const set = (more: { [name: string]: string }) => void navigate({ to: "/admin/view-as", search: (old) => Object.fromEntries(Object.entries({ ...old, ...more }).filter(([, value]) => value)), replace: true });
  const view = useQuery({
    queryKey: ["view-as", search.user ?? "", held.join()],
    queryFn: ({ signal }) => call("rights_view", { body: search.user ? { user: search.user } : { roles: held }, signal }),
    enabled: Boolean(search.user) || held.length > 0,
    staleTime: 60_000,
    retry: false,
  });
  const label = (name: string) => {
    const found = roles.data?.find((one) => one.name === name);
    return found ? said(found.label) : name;
  };
  const shown = view.data?.roles ?? held;
  return (
    <AdminPage title={t("viewas.title")} lead={t("viewas.lead")} acts={<a className={libCss.button} href="/docs/admin/roles" target="_blank" rel="noreferrer">{t("admin.manual")}</a>}>
      <div className={own.ask}>
        <div className={`${own.two} ${libCss.field}`}>
          <span className={libCss.label} aria-hidden>
            {t("audit.person")}
          </span>
          <RecordPicker
            objects={["user"]}
            value={who ? { ...who, title: who.title ?? people.get(who.id)?.name } : null}
            onChange={(picked) => {
              setWho(picked);
              set({ user: picked?.id ?? "", roles: "" });
            }}
            label={t("audit.person")}
          />
        </div>
        <div className={own.two}>
          <SelectField
            label={t("viewas.orRole")}
            value=""
            empty={t("viewas.addRole")}
            choices={(roles.data ?? []).filter((one) => one.assignable && !held.includes(one.name)).map((one) => ({ value: one.name, label: said(one.label) }))}
            onChange={(event) => {
              setWho(null);
              set({ user: "", roles: [...held, event.target.value].filter(Boolean).join(",") });
            }}
          />
        </div>
        {shown.length > 0 ? (
          <ul className={own.pickedRoles} aria-label={t("viewas.roles")}>
            <li className="soft">{t("viewas.roles")}</li>
            {shown.map((role) => (
              <li key={role} className={libCss.badge}>
                {label(role)}
                {search.user ? null : <IconButton small icon="close" label={t("viewas.without", { role: label(role) })} onClick={() => set({ roles: held.filter((one) => one !== role).join(",") })} />}
              </li>
            ))}
          </ul>
        ) : null}
      </div>
      {view.error ? <Trouble error={view.error} retry={() => void view.refetch()} /> : null}
      {view.isLoading ? <Bones /> : null}
      {view.data?.nothing ? (
        <p className={css.lead} role="status">
          {t("viewas.nothing")}
        </p>
      ) : null}
      {view.data && !view.data.nothing ? <Stage view={view.data} chosen={search.object ?? ""} onChoose={(object) => set({ object })} /> : null}
      {!view.data && !view.isLoading && !view.error ? <p className={css.lead}>{t("viewas.begin")}</p> : null}
    </AdminPage>
  );
}

export default function ViewAs() {
  const offices = useOffices();
  return offices.roles ? <ViewOf /> : <Denied />;
}
