// Forms for definitions: a new object, field, relation or option, and what can change about those that hold values. Each ends in
// a plan. Names are written once and never change; labels are given in both languages.

import { useState } from "react";
import { limits, type DefinitionChange, type EnumOption, type FieldDef, type FieldDraft, type Label, type ObjectPatch } from "~/api/types.gen";
import { useT, type Key } from "~/i18n";
import { Badge, Button, IconButton } from "~/lib/basics";
import { CheckField, SelectField, TextField } from "~/lib/fields";
import { objectLabel, said, useMetas, type Meta } from "~/model/meta";
import { PlanDialog } from "./Plan";
import css from "./admin.module.css";

const TYPES = ["text", "long_text", "rich_text", "integer", "decimal", "money", "date", "timestamp", "bool", "enum", "multi_enum", "email", "phone", "url", "address", "reference", "json"] as const;
const SENSITIVITIES = ["S0", "S1", "S2", "S3"] as const;

/** A name as the appliance takes it, from what people call the thing. */
export function nameFrom(label: string): string {
  return label
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^[^a-z]+|_+$/g, "")
    .slice(0, limits.NAME_CHARS_MAX - 2);
}

function Labels({ value, onChange, en, zh }: { value: Label; onChange: (label: Label) => void; en: Key; zh: Key }) {
  const t = useT();
  return (
    <>
      <TextField label={t(en)} value={value.en} maxLength={limits.LABEL_CHARS_MAX} required={t("form.required")} onChange={(event) => onChange({ ...value, en: event.target.value })} />
      <TextField label={t(zh)} value={value.zh} maxLength={limits.LABEL_CHARS_MAX} required={t("form.required")} onChange={(event) => onChange({ ...value, zh: event.target.value })} />
    </>
  );
}

function Sensitivity({ value, onChange }: { value: string; onChange: (value: "S0" | "S1" | "S2" | "S3") => void }) {
  const t = useT();
  return <SelectField label={t("objects.sensitivity")} hint={t("objects.sensitivityHint")} value={value} choices={SENSITIVITIES.map((one) => ({ value: one, label: `${one} · ${t(`roles.sensitivity.${one}`)}` }))} onChange={(event) => onChange(event.target.value as "S0")} />;
}

/** Options one in a line: `code = English / 中文`; the code may be left out. */
export function optionsFrom(text: string): EnumOption[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line) => {
      const [, code, labels] = /^(?:([a-z][a-z0-9_]*)\s*=\s*)?(.*)$/.exec(line) ?? [];
      const [en = "", zh = ""] = (labels ?? "").split("/").map((part) => part.trim());
      return { code: code ?? nameFrom(en), label: { en: en || zh, zh: zh || en } };
    });
}

export function NewField({ meta, onClose }: { meta: Meta; onClose: () => void }) {
  const t = useT();
  const metas = useMetas();
  const [label, setLabel] = useState<Label>({ en: "", zh: "" });
  const [name, setName] = useState("");
  const [type, setType] = useState<FieldDraft["type"]>("text");
  const [sensitivity, setSensitivity] = useState<"S0" | "S1" | "S2" | "S3">("S1");
  const [sealing, setSealing] = useState("");
  const [options, setOptions] = useState("");
  const [target, setTarget] = useState("account");
  const [onDelete, setOnDelete] = useState<"refuse" | "unlink" | "cascade">("unlink");
  const [traits, setTraits] = useState({ required: false, unique: false, searchable: false, indexed: false });
  const wanted = name || nameFrom(label.en);
  const field: FieldDraft = {
    name: wanted,
    label: { en: label.en.trim(), zh: label.zh.trim() },
    type,
    sensitivity,
    ...(sealing ? { sealing: sealing as "plain" } : {}),
    ...(type === "enum" || type === "multi_enum" ? { options: optionsFrom(options) } : {}),
    ...(type === "reference" ? { targets: [target], on_delete: onDelete } : {}),
    ...Object.fromEntries(Object.entries(traits).filter(([, on]) => on)),
  };
  const change: DefinitionChange = { change: "add_field", object: meta.name, field };
  const blocked = !label.en.trim() || !label.zh.trim() ? t("objects.needLabels") : !wanted ? t("objects.needName") : undefined;
  return (
    <PlanDialog title={`${t("objects.newField")}: ${objectLabel(meta)}`} wide changes={[change]} blocked={blocked} onClose={onClose}>
      <div className={css.grid}>
        <Labels value={label} onChange={setLabel} en="objects.labelEn" zh="objects.labelZh" />
        <TextField label={t("objects.name")} hint={t("objects.nameHint")} value={wanted} maxLength={limits.NAME_CHARS_MAX} spellCheck={false} onChange={(event) => setName(event.target.value)} />
        <SelectField label={t("objects.type")} value={type} choices={TYPES.map((one) => ({ value: one, label: t(`objects.type.${one}`) }))} onChange={(event) => setType(event.target.value as FieldDraft["type"])} />
        <Sensitivity value={sensitivity} onChange={setSensitivity} />
        <SelectField label={t("objects.sealing")} hint={t("objects.sealingHint")} value={sealing} empty={t("objects.sealing.auto")} choices={(["plain", "exact", "sealed"] as const).map((one) => ({ value: one, label: t(`objects.sealing.${one}`) }))} onChange={(event) => setSealing(event.target.value)} />
        {type === "enum" || type === "multi_enum" ? (
          <div className={css.full}>
            <label className="soft" htmlFor="field-options">{t("objects.optionsLabel")}</label>
            <textarea id="field-options" rows={5} style={{ width: "100%" }} value={options} onChange={(event) => setOptions(event.target.value)} />
            <p className="faint">{t("objects.optionsHint")}</p>
          </div>
        ) : null}
        {type === "reference" ? (
          <>
            <SelectField label={t("objects.target")} value={target} choices={[...metas.values()].map((one) => ({ value: one.name, label: objectLabel(one) }))} onChange={(event) => setTarget(event.target.value)} />
            <SelectField label={t("objects.onDelete")} value={onDelete} choices={(["refuse", "unlink", "cascade"] as const).map((one) => ({ value: one, label: t(`objects.onDelete.${one}`) }))} onChange={(event) => setOnDelete(event.target.value as "refuse")} />
          </>
        ) : null}
        <fieldset className={`${css.full} ${css.scopes}`} style={{ padding: 0 }}>
          <legend className="sr">{t("objects.traits")}</legend>
          {(["required", "unique", "searchable", "indexed"] as const).map((trait) => (
            <CheckField key={trait} label={t(`objects.${trait}`)} checked={traits[trait]} onChange={(on) => setTraits({ ...traits, [trait]: on })} />
          ))}
        </fieldset>
      </div>
    </PlanDialog>
  );
}

export function NewRelation({ meta, onClose }: { meta: Meta; onClose: () => void }) {
  const t = useT();
  const metas = useMetas();
  const [label, setLabel] = useState<Label>({ en: "", zh: "" });
  const [name, setName] = useState("");
  const [target, setTarget] = useState("contact");
  const wanted = name || nameFrom(label.en);
  const change: DefinitionChange = { change: "add_link", object: meta.name, link: { name: wanted, label: { en: label.en.trim(), zh: label.zh.trim() }, target } };
  const blocked = !label.en.trim() || !label.zh.trim() ? t("objects.needLabels") : !wanted ? t("objects.needName") : undefined;
  return (
    <PlanDialog title={`${t("objects.newRelation")}: ${objectLabel(meta)}`} changes={[change]} blocked={blocked} onClose={onClose}>
      <p className="soft">{t("objects.relationText")}</p>
      <div className={css.grid}>
        <Labels value={label} onChange={setLabel} en="objects.labelEn" zh="objects.labelZh" />
        <TextField label={t("objects.name")} hint={t("objects.nameHint")} value={wanted} maxLength={limits.NAME_CHARS_MAX} spellCheck={false} onChange={(event) => setName(event.target.value)} />
        <SelectField label={t("objects.target")} value={target} choices={[...metas.values()].map((one) => ({ value: one.name, label: objectLabel(one) }))} onChange={(event) => setTarget(event.target.value)} />
      </div>
    </PlanDialog>
  );
}

export function NewObject({ onClose }: { onClose: () => void }) {
  const t = useT();
  const [label, setLabel] = useState<Label>({ en: "", zh: "" });
  const [plural, setPlural] = useState<Label>({ en: "", zh: "" });
  const [title, setTitle] = useState<Label>({ en: "Name", zh: "名称" });
  const [name, setName] = useState("");
  const wanted = name || (nameFrom(label.en) ? `x_${nameFrom(label.en)}` : "");
  const change: DefinitionChange = {
    change: "create_object",
    definition: {
      name: wanted,
      label: { en: label.en.trim(), zh: label.zh.trim() },
      plural: { en: plural.en.trim() || label.en.trim(), zh: plural.zh.trim() || label.zh.trim() },
      title_field: "name",
      fields: [{ name: "name", label: { en: title.en.trim(), zh: title.zh.trim() }, type: "text", max_chars: 200, sensitivity: "S1", required: true, searchable: true, indexed: true }],
    },
  };
  const blocked = !label.en.trim() || !label.zh.trim() || !title.en.trim() || !title.zh.trim() ? t("objects.needLabels") : !wanted.startsWith("x_") ? t("objects.needX") : undefined;
  return (
    <PlanDialog title={t("objects.new")} wide changes={[change]} blocked={blocked} onClose={onClose}>
      <p className="soft">{t("objects.newText")}</p>
      <div className={css.grid}>
        <Labels value={label} onChange={setLabel} en="objects.labelEn" zh="objects.labelZh" />
        <TextField label={t("objects.pluralEn")} value={plural.en} maxLength={limits.LABEL_CHARS_MAX} onChange={(event) => setPlural({ ...plural, en: event.target.value })} />
        <TextField label={t("objects.pluralZh")} value={plural.zh} maxLength={limits.LABEL_CHARS_MAX} onChange={(event) => setPlural({ ...plural, zh: event.target.value })} />
        <Labels value={title} onChange={setTitle} en="objects.titleEn" zh="objects.titleZh" />
        <TextField label={t("objects.name")} hint={t("objects.nameHint")} value={wanted} maxLength={limits.NAME_CHARS_MAX} spellCheck={false} onChange={(event) => setName(event.target.value)} />
      </div>
    </PlanDialog>
  );
}

export function EditObject({ meta, onClose }: { meta: Meta; onClose: () => void }) {
  const t = useT();
  const { definition } = meta.view;
  const [label, setLabel] = useState<Label>(definition.label);
  const [plural, setPlural] = useState<Label>(definition.plural);
  const [title, setTitle] = useState(definition.title_field);
  const differs = (a: Label, b: Label) => a.en !== b.en || a.zh !== b.zh;
  const patch: ObjectPatch = { ...(differs(label, definition.label) ? { label } : {}), ...(differs(plural, definition.plural) ? { plural } : {}), ...(title !== definition.title_field ? { title_field: title } : {}) };
  const blocked = Object.keys(patch).length === 0 ? t("objects.same") : undefined;
  const titles = definition.fields.filter((field) => field.type === "text" && !field.retired);
  return (
    <PlanDialog title={`${t("objects.edit")}: ${objectLabel(meta)}`} changes={[{ change: "change_object", object: meta.name, patch }]} blocked={blocked} onClose={onClose}>
      <div className={css.grid}>
        <Labels value={label} onChange={setLabel} en="objects.labelEn" zh="objects.labelZh" />
        <Labels value={plural} onChange={setPlural} en="objects.pluralEn" zh="objects.pluralZh" />
        <SelectField label={t("objects.titleField")} value={title} choices={titles.map((field) => ({ value: field.name, label: said(field.label) }))} onChange={(event) => setTitle(event.target.value)} />
      </div>
    </PlanDialog>
  );
}

export function EditField({ meta, field, onClose }: { meta: Meta; field: FieldDef; onClose: () => void }) {
  const t = useT();
  const [label, setLabel] = useState<Label>(field.label);
  const [help, setHelp] = useState<Label>(field.help ?? { en: "", zh: "" });
  const [aliases, setAliases] = useState((field.aliases ?? []).join(", "));
  const [sensitivity, setSensitivity] = useState(field.sensitivity);
  const [traits, setTraits] = useState({ required: field.required === true, searchable: field.searchable === true, indexed: field.indexed === true });
  const differs = (a: Label, b: Label | undefined) => a.en !== (b?.en ?? "") || a.zh !== (b?.zh ?? "");
  const names = aliases.split(/[,，、\n]/).map((one) => one.trim()).filter(Boolean);
  const patch = {
    ...(differs(label, field.label) ? { label } : {}),
    ...(differs(help, field.help) ? { help } : {}),
    ...(names.join() !== (field.aliases ?? []).join() ? { aliases: names } : {}),
    ...(sensitivity !== field.sensitivity ? { sensitivity } : {}),
    ...Object.fromEntries((["required", "searchable", "indexed"] as const).filter((trait) => traits[trait] !== (field[trait] === true)).map((trait) => [trait, traits[trait]])),
  };
  const blocked = Object.keys(patch).length === 0 ? t("objects.same") : undefined;
  return (
    <PlanDialog title={`${t("objects.edit")}: ${said(field.label)}`} wide changes={[{ change: "change_field", object: meta.name, field: field.name, patch }]} blocked={blocked} onClose={onClose}>
      <div className={css.grid}>
        <Labels value={label} onChange={setLabel} en="objects.labelEn" zh="objects.labelZh" />
        <TextField label={t("objects.helpEn")} value={help.en} onChange={(event) => setHelp({ ...help, en: event.target.value })} />
        <TextField label={t("objects.helpZh")} value={help.zh} onChange={(event) => setHelp({ ...help, zh: event.target.value })} />
        <Sensitivity value={sensitivity} onChange={setSensitivity} />
        <TextField label={t("objects.aliases")} hint={t("objects.aliasesHint")} value={aliases} onChange={(event) => setAliases(event.target.value)} />
        <fieldset className={`${css.full} ${css.scopes}`} style={{ padding: 0 }}>
          <legend className="sr">{t("objects.traits")}</legend>
          {(["required", "searchable", "indexed"] as const).map((trait) => (
            <CheckField key={trait} label={t(`objects.${trait}`)} checked={traits[trait]} onChange={(on) => setTraits({ ...traits, [trait]: on })} />
          ))}
        </fieldset>
      </div>
    </PlanDialog>
  );
}

/** Options of one field: renamed, no longer offered, offered again, added. Several changes are one plan. */
export function Options({ meta, field, onClose }: { meta: Meta; field: FieldDef; onClose: () => void }) {
  const t = useT();
  const [options, setOptions] = useState((field.options ?? []).map((option) => ({ ...option, active: option.active !== false })));
  const [added, setAdded] = useState<EnumOption[]>([]);
  const before = new Map((field.options ?? []).map((option) => [option.code, option]));
  const changes: DefinitionChange[] = [
    ...options.flatMap((option): DefinitionChange[] => {
      const old = before.get(option.code);
      const label = option.label.en !== old?.label.en || option.label.zh !== old?.label.zh ? { label: option.label } : {};
      const active = option.active !== (old?.active !== false) ? { active: option.active } : {};
      const patch = { ...label, ...active };
      return Object.keys(patch).length > 0 ? [{ change: "change_option", object: meta.name, field: field.name, code: option.code, patch }] : [];
    }),
    ...added.map((option): DefinitionChange => ({ change: "add_option", object: meta.name, field: field.name, option: { ...option, code: option.code || nameFrom(option.label.en) } })),
  ];
  const blocked = changes.length === 0 ? t("objects.same") : added.some((option) => !option.label.en.trim() || !option.label.zh.trim()) ? t("objects.needLabels") : undefined;
  const label = (code: string, value: Label) => setOptions(options.map((one) => (one.code === code ? { ...one, label: value } : one)));
  const change = (at: number, value: EnumOption) => setAdded(added.map((one, index) => (index === at ? value : one)));
  return (
    <PlanDialog title={`${t("objects.options")}: ${said(field.label)}`} wide changes={changes} blocked={blocked} onClose={onClose}>
      <table className={css.table}>
        <thead>
          <tr>
            <th scope="col">{t("objects.name")}</th>
            <th scope="col">{t("objects.labelEn")}</th>
            <th scope="col">{t("objects.labelZh")}</th>
            <th scope="col">{t("objects.offered")}</th>
          </tr>
        </thead>
        <tbody>
          {options.map((option) => (
            <tr key={option.code}>
              <td><code>{option.code}</code></td>
              <td><TextField hideLabel label={`${t("objects.labelEn")} ${option.code}`} value={option.label.en} onChange={(event) => label(option.code, { ...option.label, en: event.target.value })} /></td>
              <td><TextField hideLabel label={`${t("objects.labelZh")} ${option.code}`} value={option.label.zh} onChange={(event) => label(option.code, { ...option.label, zh: event.target.value })} /></td>
              <td><CheckField label={<span className="sr">{t("objects.offered")} {option.code}</span>} checked={option.active} onChange={(active) => setOptions(options.map((one) => (one.code === option.code ? { ...one, active } : one)))} /></td>
            </tr>
          ))}
          {added.map((option, at) => (
            <tr key={`new-${at}`}>
              <td><TextField hideLabel label={t("objects.name")} value={option.code || nameFrom(option.label.en)} spellCheck={false} onChange={(event) => change(at, { ...option, code: event.target.value })} /></td>
              <td><TextField hideLabel label={t("objects.labelEn")} value={option.label.en} onChange={(event) => change(at, { ...option, label: { ...option.label, en: event.target.value } })} /></td>
              <td><TextField hideLabel label={t("objects.labelZh")} value={option.label.zh} onChange={(event) => change(at, { ...option, label: { ...option.label, zh: event.target.value } })} /></td>
              <td style={{ display: "flex", gap: 4 }}>
                <Badge tone="brass">{t("objects.newBadge")}</Badge>
                <IconButton small icon="close" label={t("act.cancel")} onClick={() => setAdded(added.filter((_, index) => index !== at))} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div>
        <Button small icon="plus" onClick={() => setAdded([...added, { code: "", label: { en: "", zh: "" } }])}>
          {t("objects.newOption")}
        </Button>
      </div>
    </PlanDialog>
  );
}
