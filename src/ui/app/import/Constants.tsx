// Fields that get the same value in every row, because the file has no column for them.

import type { FieldDef } from "~/api/types.gen";
import { useT, type Key } from "~/i18n";
import { Button, IconButton } from "~/lib/basics";
import { SelectField, TextField } from "~/lib/fields";
import { Menu } from "~/lib/overlays";
import { said, type Meta } from "~/model/meta";
import { fieldAtPath, setRule, targetLabel, type MappingFile, type Target } from "./mapping";
import css from "./import.module.css";

/** What can be said as one text; other records are named by a column. */
const PLAIN = ["text", "long_text", "enum", "bool", "integer", "decimal", "date", "url", "email", "phone"];

export function Constants({ meta, mapping, targets, missing, onChange, wrong }: { meta: Meta; mapping: MappingFile; targets: Target[]; missing: FieldDef[]; onChange: (mapping: MappingFile) => void; wrong: (path: string) => string }) {
  const t = useT();
  const set = Object.entries(mapping.fields).filter(([, rule]) => rule.constant !== undefined);
  const free = targets.filter((target) => !(target.path in mapping.fields) && (target.part !== null || PLAIN.includes(target.field.type)));
  const needed = new Set(missing.map((field) => field.name));
  const label = (target: Target) => targetLabel(target, (part) => t(`address.${part}` as Key));
  const first = (target: Target) => (target.field.type === "enum" ? (target.field.options?.[0]?.code ?? "") : target.field.type === "bool" ? "true" : "");
  const ordered = [...free].sort((a, b) => Number(needed.has(b.path)) - Number(needed.has(a.path)));
  return (
    <section className={css.constants} aria-label={t("import.constants")}>
      <div className={css.constantsHead}>
        <h3>{t("import.constants")}</h3>
        <span className="soft">{t("import.constantsText")}</span>
        <Menu
          label={t("import.addConstant")}
          align="end"
          target={
            <Button small icon="plus">
              {t("import.addConstant")}
            </Button>
          }
          items={ordered.map((target) => ({ label: label(target), note: needed.has(target.path) ? t("form.required") : undefined, act: () => onChange(setRule(mapping, target.path, { constant: first(target) })) }))}
        />
      </div>
      {set.map(([path, rule]) => {
        const field = fieldAtPath(meta, path);
        const target = targets.find((one) => one.path === path);
        if (!field || !target) return null;
        const value = String(rule.constant ?? "");
        const change = (text: string) => onChange(setRule(mapping, path, { ...rule, constant: text }));
        const error = wrong(path) || undefined;
        return (
          <div key={path} className={css.constant}>
            {field.type === "enum" ? (
              <SelectField label={label(target)} value={value} error={error} choices={(field.options ?? []).map((option) => ({ value: option.code, label: said(option.label) }))} onChange={(event) => change(event.target.value)} />
            ) : field.type === "bool" ? (
              <SelectField
                label={label(target)}
                value={value}
                error={error}
                choices={[
                  { value: "true", label: t("value.yes") },
                  { value: "false", label: t("value.no") },
                ]}
                onChange={(event) => change(event.target.value)}
              />
            ) : (
              <TextField label={label(target)} type={field.type === "date" ? "date" : "text"} value={value} error={error} onChange={(event) => change(event.target.value)} />
            )}
            <IconButton small icon="close" label={t("import.dropConstant", { field: label(target) })} onClick={() => onChange(setRule(mapping, path, null))} />
          </div>
        );
      })}
    </section>
  );
}
