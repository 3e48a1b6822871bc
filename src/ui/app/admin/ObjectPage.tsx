// One object: its fields with type, sensitivity and sealing, its relations, and what can change about them while it holds records.

import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import type { DefinitionChange, FieldDef, LinkDef } from "~/api/types.gen";
import { useT, type Key } from "~/i18n";
import { number } from "~/i18n/format";
import { Badge, Button, IconButton, libCss } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { CheckField, TextField } from "~/lib/fields";
import { Menu } from "~/lib/overlays";
import { objectLabel, said, useMetas, type Meta } from "~/model/meta";
import { NotFound } from "~/pages/Trouble";
import { useOffices } from "./data";
import { EditField, EditObject, NewField, NewRelation, Options } from "./FieldDialogs";
import { AdminPage, Denied } from "./Page";
import { PlanDialog } from "./Plan";
import css from "./admin.module.css";

type Open = { what: "field" } | { what: "relation" } | { what: "object" } | { what: "edit"; field: FieldDef } | { what: "options"; field: FieldDef } | { what: "retire"; field: FieldDef } | { what: "restore"; field: FieldDef };

function Traits({ field }: { field: FieldDef }) {
  const t = useT();
  const traits: Key[] = [];
  if (field.required) traits.push("objects.required");
  if (field.unique) traits.push("objects.unique");
  if (field.searchable) traits.push("objects.searchable");
  if (field.indexed) traits.push("objects.indexed");
  if (field.read_only) traits.push("objects.readOnly");
  return <span className="soft">{traits.map((trait) => t(trait)).join(", ")}</span>;
}

function about(field: FieldDef, metas: ReturnType<typeof useMetas>): string {
  if (field.type === "reference") return (field.targets ?? []).map((name) => objectLabel(metas.get(name)) || name).join(", ");
  if (field.options) return number(field.options.filter((option) => option.active !== false).length);
  return field.max_chars ? number(field.max_chars) : "";
}

function Fields({ meta, fields, act }: { meta: Meta; fields: FieldDef[]; act: (open: Open) => void }) {
  const t = useT();
  const metas = useMetas();
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t("objects.fields")}>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{t("objects.field")}</th>
            <th scope="col">{t("objects.name")}</th>
            <th scope="col">{t("objects.type")}</th>
            <th scope="col">{t("objects.sensitivity")}</th>
            <th scope="col">{t("objects.sealing")}</th>
            <th scope="col">{t("objects.traits")}</th>
            <th scope="col"><span className="sr">{t("record.acts")}</span></th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field) => (
            <tr key={field.name}>
              <td>
                {said(field.label)} {field.name === meta.titleField ? <Badge>{t("objects.titleBadge")}</Badge> : null} {field.custom ? <Badge tone="brass">{t("objects.custom")}</Badge> : null}{" "}
                {field.retired ? <Badge tone="warn">{t("objects.retired")}</Badge> : null}
                {field.help ? <span className={css.note}>{said(field.help)}</span> : null}
              </td>
              <td><code>{field.name}</code></td>
              <td>
                {t(`objects.type.${field.type}`)} <span className="faint">{about(field, metas)}</span>
              </td>
              <td>
                <Badge tone={field.sensitivity === "S3" ? "bad" : field.sensitivity === "S2" ? "warn" : "plain"}>{field.sensitivity}</Badge> <span className="soft">{t(`roles.sensitivity.${field.sensitivity}`)}</span>
              </td>
              <td>{t(`objects.sealing.${field.sealing ?? "plain"}`)}</td>
              <td><Traits field={field} /></td>
              <td className={css.fit}>
                <Menu
                  label={t("record.acts")}
                  align="end"
                  target={<IconButton small icon="more" label={t("objects.acts", { name: said(field.label) })} />}
                  items={[
                    { label: t("objects.edit"), icon: "edit", act: () => act({ what: "edit", field }) },
                    field.options ? { label: t("objects.options"), icon: "menu", act: () => act({ what: "options", field }) } : null,
                    { kind: "rule" },
                    field.retired
                      ? { label: t("objects.restore"), icon: "undo", act: () => act({ what: "restore", field }) }
                      : { label: t("objects.retire"), icon: "minus", danger: true, blocked: field.custom ? undefined : t("objects.onlyOwn"), act: () => act({ what: "retire", field }) },
                  ]}
                />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Relations({ links }: { links: LinkDef[] }) {
  const t = useT();
  const metas = useMetas();
  return (
    <section className={css.panel} aria-label={t("objects.relations")}>
      <div className={css.panelHead}>
        <h2>{t("objects.relations")}</h2>
      </div>
      <ul className={css.lines}>
        {links.map((link) => (
          <li key={link.name}>
            <strong>{said(link.label)}</strong>
            <code className="faint">{link.name}</code>
            <span>→ {objectLabel(metas.get(link.target), true) || link.target}</span>
            <span className="soft">{(link.roles ?? []).map((role) => said(role.label)).join(", ")}</span>
            {link.custom ? <Badge tone="brass">{t("objects.custom")}</Badge> : null}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Moved({ meta, open, onClose }: { meta: Meta; open: Open & { what: "retire" | "restore" }; onClose: () => void }) {
  const t = useT();
  const retiring = open.what === "retire";
  const change: DefinitionChange = retiring ? { change: "retire_field", object: meta.name, field: open.field.name } : { change: "restore_field", object: meta.name, field: open.field.name };
  return (
    <PlanDialog title={t(retiring ? "objects.retireTitle" : "objects.restoreTitle", { name: said(open.field.label) })} changes={[change]} danger={retiring} onClose={onClose}>
      <p>{t(retiring ? "objects.retireText" : "objects.restoreText")}</p>
    </PlanDialog>
  );
}

function ObjectOf({ meta }: { meta: Meta }) {
  const t = useT();
  const [text, setText] = useState("");
  const [retired, setRetired] = useState(true);
  const [open, setOpen] = useState<Open | null>(null);
  const { definition } = meta.view;
  const close = () => setOpen(null);
  const wanted = text.trim().toLowerCase();
  const fields = definition.fields.filter((field) => (retired || !field.retired) && (!wanted || `${field.name} ${field.label.en} ${field.label.zh} ${field.type}`.toLowerCase().includes(wanted)));
  return (
    <AdminPage
      title={objectLabel(meta, true)}
      crumb={{ to: "/admin/objects", label: t("objects.title") }}
      badges={
        <>
          <code className="faint">{meta.name}</code>
          {definition.custom ? <Badge tone="brass">{t("objects.custom")}</Badge> : null}
        </>
      }
      count={t("objects.count", { count: definition.fields.length })}
      acts={
        <>
          <Button onClick={() => setOpen({ what: "object" })}>{t("objects.edit")}</Button>
          <Link to="/admin/objects/$object/layout" params={{ object: meta.name }} className={libCss.button}>
            <Icon name="columns" />
            {t("layout.open")}
          </Link>
          <Button icon="link" onClick={() => setOpen({ what: "relation" })}>
            {t("objects.newRelation")}
          </Button>
          <Button tone="primary" icon="plus" onClick={() => setOpen({ what: "field" })}>
            {t("objects.newField")}
          </Button>
        </>
      }
    >
      <div className={css.bar}>
        <div className={css.grow}>
          <TextField label={t("filter.find")} type="search" value={text} onChange={(event) => setText(event.target.value)} />
        </div>
        {definition.fields.some((field) => field.retired) ? <CheckField label={t("objects.showRetired")} checked={retired} onChange={setRetired} /> : null}
      </div>
      <Fields meta={meta} fields={fields} act={setOpen} />
      {definition.links && definition.links.length > 0 ? <Relations links={definition.links} /> : null}
      {open?.what === "field" ? <NewField meta={meta} onClose={close} /> : null}
      {open?.what === "relation" ? <NewRelation meta={meta} onClose={close} /> : null}
      {open?.what === "object" ? <EditObject meta={meta} onClose={close} /> : null}
      {open?.what === "edit" ? <EditField meta={meta} field={open.field} onClose={close} /> : null}
      {open?.what === "options" ? <Options meta={meta} field={open.field} onClose={close} /> : null}
      {open?.what === "retire" || open?.what === "restore" ? <Moved meta={meta} open={open} onClose={close} /> : null}
    </AdminPage>
  );
}

export default function ObjectPage() {
  const { object } = useParams({ from: "/shell/admin/objects/$object" });
  const meta = useMetas().get(object);
  const offices = useOffices();
  if (!offices.objects) return <Denied />;
  if (!meta) return <NotFound />;
  return <ObjectOf key={object} meta={meta} />;
}
