// All objects of the house: those that ship and one's own. New ones are planned before they are made.

import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { manualPage } from "~/help/topics";
import { language, useT } from "~/i18n";
import { number } from "~/i18n/format";
import { Badge, Button, libCss } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { iconOf } from "~/model/layouts";
import { objectLabel, useMetas } from "~/model/meta";
import { useOffices } from "./data";
import { NewObject } from "./FieldDialogs";
import { AdminPage, Denied } from "./Page";
import css from "./admin.module.css";

export default function Objects() {
  const t = useT();
  const metas = useMetas();
  const offices = useOffices();
  const [creating, setCreating] = useState(false);
  if (!offices.objects) return <Denied />;
  const kinds = ["business", "organisation", "reference"];
  const rows = [...metas.values()].sort((a, b) => kinds.indexOf(a.view.definition.kind ?? "business") - kinds.indexOf(b.view.definition.kind ?? "business") || objectLabel(a, true).localeCompare(objectLabel(b, true)));
  return (
    <AdminPage
      title={t("objects.title")}
      count={number(rows.length)}
      lead={t("objects.lead")}
      acts={
        <>
          <a className={libCss.button} href={manualPage("admin/objects", language())} target="_blank" rel="noreferrer">
            {t("admin.manual")}
          </a>
          <Button tone="primary" icon="plus" onClick={() => setCreating(true)}>
            {t("objects.new")}
          </Button>
        </>
      }
    >
      <div className={css.scroll}>
        <table className={css.table}>
          <thead>
            <tr>
              <th scope="col">{t("roles.object")}</th>
              <th scope="col">{t("objects.name")}</th>
              <th scope="col" className={css.hideSmall}>{t("objects.kind")}</th>
              <th scope="col" className="num">{t("objects.fields")}</th>
              <th scope="col" className="num">{t("objects.own")}</th>
              <th scope="col" className={`${css.hideSmall} num`}>{t("objects.relations")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((meta) => {
              const { definition } = meta.view;
              const own = definition.fields.filter((field) => field.custom).length;
              return (
                <tr key={meta.name}>
                  <td>
                    <span style={{ display: "flex", gap: 8, alignItems: "center" }}>
                      <Icon name={iconOf(meta.name)} className="faint" />
                      <Link className={css.name} to="/admin/objects/$object" params={{ object: meta.name }}>
                        {objectLabel(meta, true)}
                      </Link>
                      {definition.custom ? <Badge tone="brass">{t("objects.custom")}</Badge> : null}
                    </span>
                  </td>
                  <td><code>{meta.name}</code></td>
                  <td className={css.hideSmall}>{t(`roles.kind.${definition.kind ?? "business"}`)}</td>
                  <td className="num">{number(definition.fields.length)}</td>
                  <td className="num">{own > 0 ? number(own) : <span className="faint">–</span>}</td>
                  <td className={`${css.hideSmall} num`}>{number(definition.links?.length ?? 0)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {creating ? <NewObject onClose={() => setCreating(false)} /> : null}
    </AdminPage>
  );
}
