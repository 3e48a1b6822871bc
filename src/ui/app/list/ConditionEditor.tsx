// Edits one condition: which field, how, and what with. Used by the filter bar and by the builder of nested filters.

import { useMemo, useState } from "react";
import type { FieldDef, Json } from "~/api/types.gen";
import { useT, type Key } from "~/i18n";
import { SelectField } from "~/lib/fields";
import libCss from "~/lib/lib.module.css";
import { choices, fieldAt, isComplete, leafOf, needsValue, operators, RELATIVE, shownOp, type Leaf } from "~/model/filter";
import { optionLabel, useMetas, type Meta } from "~/model/meta";
import { FieldInput } from "~/value/FieldInput";
import css from "./list.module.css";

/** A field as a filter asks about it: an option is chosen from many, a reference is one record. */
export function OperandInput({ field, op, value, onChange, autoFocus }: { field: FieldDef; op: string; value: Json | undefined; onChange: (value: Json) => void; autoFocus?: boolean }) {
  const t = useT();
  if (!needsValue(op)) return null;
  if (op === "relative") {
    return <SelectField hideLabel label={t("filter.when")} autoFocus={autoFocus} value={String(value ?? "last_7_days")} onChange={(event) => onChange(event.target.value)} choices={RELATIVE.map((name) => ({ value: name, label: t(`filter.when.${name}` as Key) }))} />;
  }
  if (op === "in") {
    const chosen = new Set(Array.isArray(value) ? value.map(String) : []);
    return (
      <div role="group" aria-label={t("filter.values")} className={css.fieldList} style={{ margin: 0, maxHeight: 220 }}>
        {field.options?.map((option) => (
          <label key={option.code} className={libCss.item}>
            <input
              type="checkbox"
              className={libCss.check}
              checked={chosen.has(option.code)}
              onChange={(event) => {
                const next = new Set(chosen);
                if (event.target.checked) next.add(option.code);
                else next.delete(option.code);
                onChange([...next]);
              }}
            />
            {optionLabel(field, option.code)}
          </label>
        ))}
      </div>
    );
  }
  const single = field.type === "multi_enum" ? ({ ...field, type: "enum" } as FieldDef) : field;
  if (op === "between") {
    const [low, high] = Array.isArray(value) ? value : [null, null];
    return (
      <div className={css.editor}>
        <FieldInput field={single} value={low} label={t("filter.from")} autoFocus={autoFocus ?? false} onChange={(one) => onChange([one, high ?? null])} />
        <FieldInput field={single} value={high} label={t("filter.to")} onChange={(one) => onChange([low ?? null, one])} />
      </div>
    );
  }
  return <FieldInput field={{ ...single, required: false }} value={value} label={t("filter.value")} autoFocus={autoFocus ?? false} onChange={onChange} />;
}

/** What a condition starts with. */
export function firstLeaf(field: FieldDef, path: string): { op: string; value: Json | undefined } {
  const op = operators(field)[0] ?? "empty";
  void path;
  return { op, value: op === "relative" ? "last_7_days" : op === "in" ? [] : undefined };
}

export function operandOf(leaf: Leaf): Json | undefined {
  return shownOp(leaf) === "relative" ? leaf.op : leaf.value;
}

/** Field, operator and value in one line of the builder; tells when the condition is complete. */
export function ConditionLine({ meta, leaf, onChange }: { meta: Meta; leaf: Leaf; onChange: (leaf: Leaf) => void }) {
  const t = useT();
  const metas = useMetas();
  const all = useMemo(() => choices(meta, metas), [meta, metas]);
  const path = leaf.field ?? all[0]?.path ?? "";
  const field = fieldAt(meta, metas, path);
  const op = shownOp(leaf);
  const [value, setValue] = useState<Json | undefined>(operandOf(leaf));
  if (!field) return null;
  return (
    <>
      <select
        className={libCss.input}
        aria-label={t("filter.field")}
        value={path}
        onChange={(event) => {
          const next = fieldAt(meta, metas, event.target.value);
          if (!next) return;
          const first = firstLeaf(next, event.target.value);
          setValue(first.value);
          onChange(leafOf(event.target.value, first.op, first.value));
        }}
      >
        {[...new Set(all.map((one) => one.group))].map((group) => {
          const options = all.filter((one) => one.group === group).map((one) => (
            <option key={one.path} value={one.path}>
              {one.label}
            </option>
          ));
          return group ? <optgroup key={group} label={group}>{options}</optgroup> : options;
        })}
      </select>
      <select className={libCss.input} aria-label={t("filter.how")} value={op} onChange={(event) => onChange(leafOf(path, event.target.value, event.target.value === "relative" ? "last_7_days" : value))}>
        {operators(field).map((one) => (
          <option key={one} value={one}>
            {t(`filter.op.${one}` as Key)}
          </option>
        ))}
      </select>
      <div>
        <OperandInput
          field={field}
          op={op}
          value={op === "relative" ? leaf.op : value}
          onChange={(next) => {
            setValue(next);
            onChange(leafOf(path, op, next));
          }}
        />
        {isComplete(op, op === "relative" ? leaf.op : value) ? null : <span className={libCss.hint}>{t("filter.incomplete")}</span>}
      </div>
    </>
  );
}
