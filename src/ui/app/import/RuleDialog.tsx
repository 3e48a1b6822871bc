// How the texts of one column become values of its field: what words stand for, how dates and numbers are written, how another
// record is named, what an empty cell means. Only what fits the field is asked.

import { useId, useState, type FormEvent } from "react";
import type { FieldDef, Import } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button, IconButton } from "~/lib/basics";
import { CheckField, SelectField, TextField } from "~/lib/fields";
import { Dialog } from "~/lib/overlays";
import { objectLabel, isSealed, said, useMetas, type Meta } from "~/model/meta";
import { columnIndex, columnsOf, DATE_FORMATS, fieldAtPath, formatExample, NUMBER_STYLES, textsOf, unknownTexts, without, type Rule } from "./mapping";
import css from "./import.module.css";

type Part = { field: FieldDef; rule: Rule; set: (change: Partial<Rule>) => void };

/** Words of the file and the options they stand for. */
function Values({ field, rule, set, texts }: Part & { texts: string[] }) {
  const t = useT();
  const [more, setMore] = useState("");
  const values = rule.values ?? {};
  const offered = unknownTexts(field, { ...rule, values_default: undefined } as unknown as Rule, texts).slice(0, 40);
  const shown = [...Object.keys(values), ...offered];
  const options = (field.options ?? []).map((option) => ({ value: option.code, label: said(option.label) }));
  const choose = (text: string, code: string) => {
    set({ values: code === "" ? without(values, text) : { ...values, [text]: code } });
  };
  const add = () => {
    const text = more.trim();
    if (text && !(text in values)) set({ values: { ...values, [text]: options[0]?.value ?? "" } });
    setMore("");
  };
  return (
    <fieldset className={css.values}>
      <legend>{t("import.values")}</legend>
      <p className="soft">{shown.length > 0 ? t("import.valuesText") : t("import.valuesKnown")}</p>
      {shown.map((text) => (
        <div key={text} className={css.value}>
          <span>{text}</span>
          <SelectField hideLabel label={t("import.standsFor", { text })} value={values[text] ?? ""} empty={t("import.notSaid")} choices={options} onChange={(event) => choose(text, event.target.value)} />
          {text in values ? <IconButton small icon="close" label={t("import.dropValue", { text })} onClick={() => choose(text, "")} /> : <span />}
        </div>
      ))}
      <div className={css.value}>
        <TextField
          hideLabel
          label={t("import.otherText")}
          placeholder={t("import.otherText")}
          value={more}
          onChange={(event) => setMore(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
            event.preventDefault();
            add();
          }}
        />
        <Button small icon="plus" blocked={more.trim() ? undefined : t("import.typeFirst")} onClick={add}>
          {t("import.addValue")}
        </Button>
      </div>
      <SelectField
        label={t("import.valuesElse")}
        value={rule.values_default ?? "keep"}
        choices={[{ value: "keep", label: t("import.elseKeep") }, { value: "reject", label: t("import.elseReject") }, ...options.map((option) => ({ value: option.value, label: t("import.elseOption", { option: option.label }) }))]}
        onChange={(event) => set({ values_default: event.target.value === "keep" ? undefined : event.target.value } as Partial<Rule>)}
      />
    </fieldset>
  );
}

function DateFormat({ rule, set }: Part) {
  const t = useT();
  const known = (DATE_FORMATS as readonly string[]).includes(rule.format ?? "");
  const [own, setOwn] = useState(rule.format !== undefined && !known);
  return (
    <>
      <SelectField
        label={t("import.dates")}
        hint={t("import.datesHint")}
        value={own ? "own" : (rule.format ?? "")}
        empty={t("import.findIt")}
        choices={[...DATE_FORMATS.map((format) => ({ value: format, label: formatExample(format) })), { value: "own", label: t("import.ownFormat") }]}
        onChange={(event) => {
          setOwn(event.target.value === "own");
          set({ format: event.target.value === "own" ? rule.format : event.target.value || undefined } as Partial<Rule>);
        }}
      />
      {own ? <TextField label={t("import.ownFormat")} hint={rule.format ? formatExample(rule.format) : t("import.ownFormatHint")} value={rule.format ?? ""} spellCheck={false} maxLength={60} onChange={(event) => set({ format: event.target.value })} /> : null}
    </>
  );
}

function Numbers({ field, rule, set, columns, path }: Part & { columns: string[]; path: string }) {
  const t = useT();
  const style = NUMBER_STYLES.find((one) => one.decimal === rule.decimal && one.thousands === (rule.thousands ?? ""));
  const named = columns.flatMap((name, index) => (name && columns.indexOf(name) === index ? [{ value: name, label: name }] : []));
  return (
    <>
      <SelectField
        label={t("import.numbers")}
        value={style?.id ?? ""}
        empty={t("import.asAll")}
        choices={NUMBER_STYLES.map((one) => ({ value: one.id, label: one.example }))}
        onChange={(event) => {
          const next = NUMBER_STYLES.find((one) => one.id === event.target.value);
          set({ decimal: next?.decimal, thousands: next?.thousands } as Partial<Rule>);
        }}
      />
      <SelectField
        label={t("import.scale")}
        value={String(rule.scale ?? 1)}
        choices={[1, 1000, 10_000, 1_000_000, 100_000_000].map((factor) => ({ value: String(factor), label: t(`import.scale.${factor}` as "import.scale.1") }))}
        onChange={(event) => set({ scale: event.target.value === "1" ? undefined : Number(event.target.value) } as Partial<Rule>)}
      />
      {field.type === "money" ? (
        <>
          <TextField id={`${path}-currency`} label={t("import.currency")} hint={t("import.currencyHint")} value={rule.currency ?? ""} maxLength={3} spellCheck={false} onChange={(event) => set({ currency: event.target.value.toUpperCase().replace(/[^A-Z]/g, "") || undefined, currency_column: undefined } as Partial<Rule>)} />
          <SelectField label={t("import.currencyColumn")} value={rule.currency_column ?? ""} empty={t("import.noColumn")} choices={named} onChange={(event) => set({ currency_column: event.target.value || undefined, currency: undefined } as Partial<Rule>)} />
        </>
      ) : null}
    </>
  );
}

function Reference({ field, rule, set }: Part) {
  const t = useT();
  const metas = useMetas();
  const objects = field.targets ?? [];
  const chosen = rule.reference?.object ?? objects[0] ?? "";
  const other = metas.get(chosen);
  const by = rule.reference?.by ?? other?.titleField ?? "name";
  const say = (change: Partial<NonNullable<Rule["reference"]>>) => set({ reference: Object.fromEntries(Object.entries({ by, ...rule.reference, ...change }).filter(([, value]) => value !== undefined && value !== "")) as NonNullable<Rule["reference"]> });
  const fields = [...(other?.fields.values() ?? [])].filter((one) => !isSealed(one) && ["text", "email", "phone", "url"].includes(one.type));
  return (
    <>
      {objects.length > 1 ? <SelectField label={t("import.refObject")} value={rule.reference?.object ?? ""} empty={t("import.refAny")} choices={objects.map((name) => ({ value: name, label: objectLabel(metas.get(name)) || name }))} onChange={(event) => say({ object: event.target.value || undefined } as { object?: string })} /> : null}
      <SelectField
        label={t("import.refBy")}
        value={by}
        choices={[...fields.map((one) => ({ value: one.name, label: said(one.label) })), { value: "external_id", label: t("import.refExternal") }]}
        onChange={(event) => say({ by: event.target.value, ...(event.target.value === "external_id" ? { create_missing: undefined } : { system: undefined }) } as Partial<NonNullable<Rule["reference"]>>)}
      />
      {by === "external_id" ? <TextField label={t("import.system")} hint={t("import.refSystemHint")} value={rule.reference?.system ?? ""} maxLength={60} onChange={(event) => say({ system: event.target.value })} /> : null}
      {by !== "external_id" && other?.may.create && (objects.length === 1 || rule.reference?.object) ? <CheckField label={t("import.refMake", { object: objectLabel(other) })} checked={rule.reference?.create_missing !== undefined} onChange={(on) => set({ reference: { by, ...(rule.reference?.object ? { object: rule.reference.object } : {}), ...(on ? { create_missing: {} } : {}) } })} /> : null}
    </>
  );
}

export function RuleDialog({ meta, path, rule: first, one, onClose, onSave }: { meta: Meta; path: string; rule: Rule; one: Import; onClose: () => void; onSave: (rule: Rule) => void }) {
  const t = useT();
  const form = useId();
  const [rule, setRule] = useState(first);
  const field = fieldAtPath(meta, path);
  if (!field) return null;
  const columns = one.sample?.columns ?? [];
  const [column] = columnsOf(rule);
  const texts = column === undefined ? [] : textsOf(one.sample?.rows ?? [], columnIndex(columns, column));
  const set = (change: Partial<Rule>) => setRule((before) => ({ ...before, ...change }));
  const part: Part = { field, rule, set };
  const many = columnsOf(rule).length > 1;
  const plain = ["text", "long_text", "email", "phone", "url"].includes(field.type);
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("import.ruleTitle", { column: columnsOf(rule).join(" + "), field: said(field.label) })}
      closeLabel={t("act.close")}
      easy={false}
      foot={
        <>
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button tone="primary" type="submit" form={form}>
            {t("import.takeRule")}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className={css.rule}
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          onSave(rule);
        }}
      >
        {texts.length > 0 ? (
          <p className={css.texts}>
            {t("import.samples")} {texts.slice(0, 5).join(" · ")}
          </p>
        ) : null}
        {many ? <TextField label={t("import.join")} hint={t("import.joinHint")} value={rule.join ?? " "} maxLength={20} onChange={(event) => set({ join: event.target.value })} /> : null}
        {field.type === "enum" || field.type === "multi_enum" ? <Values {...part} texts={texts} /> : null}
        {field.type === "multi_enum" ? <TextField label={t("import.separator")} hint={t("import.separatorHint")} value={rule.separator ?? ""} maxLength={5} onChange={(event) => set({ separator: event.target.value || undefined } as Partial<Rule>)} /> : null}
        {field.type === "date" || field.type === "timestamp" ? <DateFormat {...part} /> : null}
        {["integer", "decimal", "money"].includes(field.type) ? <Numbers {...part} columns={columns} path={form} /> : null}
        {field.type === "reference" ? <Reference {...part} /> : null}
        {plain ? (
          <SelectField
            label={t("import.change")}
            value={rule.transform?.[0] ?? ""}
            empty={t("import.change.none")}
            choices={(["single_spaces", "lower", "upper", "digits", "first_word", "after_first_word"] as const).map((name) => ({ value: name, label: t(`import.change.${name}`) }))}
            onChange={(event) => set({ transform: event.target.value ? [event.target.value, ...(rule.transform ?? []).slice(1)] : [] })}
          />
        ) : null}
        <SelectField label={t("import.whenEmpty")} value={rule.when_empty ?? "skip"} choices={(["skip", "clear", "reject"] as const).map((what) => ({ value: what, label: t(`import.whenEmpty.${what}`) }))} onChange={(event) => set({ when_empty: event.target.value as "skip" })} />
      </form>
    </Dialog>
  );
}
