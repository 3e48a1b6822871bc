// How the file writes dates, numbers and amounts, for all its columns at once. Only what the mapping has a use for is asked.

import { useT } from "~/i18n";
import { SelectField, TextField } from "~/lib/fields";
import type { Meta } from "~/model/meta";
import { DATE_FORMATS, FIRST_DEFAULTS, formatExample, kindsOf, NUMBER_STYLES, numberStyle, type Defaults, type MappingFile } from "./mapping";
import css from "./import.module.css";

export function Habits({ meta, mapping, onChange }: { meta: Meta; mapping: MappingFile; onChange: (mapping: MappingFile) => void }) {
  const t = useT();
  const kinds = kindsOf(meta, mapping);
  const now = mapping.defaults ?? FIRST_DEFAULTS;
  const set = (change: Partial<Defaults>) => {
    const { currency, ...rest } = { ...now, ...change };
    onChange({ ...mapping, defaults: { ...rest, ...(currency ? { currency } : {}) } });
  };
  const numbers = ["integer", "decimal", "money"].some((kind) => kinds.has(kind));
  const dates = kinds.has("date") || kinds.has("timestamp");
  if (!numbers && !dates) return null;
  return (
    <section className={css.habits} aria-label={t("import.habits")}>
      <h3>{t("import.habits")}</h3>
      {dates ? <SelectField label={t("import.dates")} hint={t("import.datesHint")} value={now.date_formats[0] ?? ""} empty={t("import.findIt")} choices={DATE_FORMATS.map((format) => ({ value: format, label: formatExample(format) }))} onChange={(event) => set({ date_formats: event.target.value ? [event.target.value] : [] })} /> : null}
      {numbers ? (
        <SelectField
          label={t("import.numbers")}
          value={numberStyle(now.decimal, now.thousands)}
          choices={NUMBER_STYLES.map((one) => ({ value: one.id, label: one.example }))}
          onChange={(event) => {
            const style = NUMBER_STYLES.find((one) => one.id === event.target.value);
            if (style) set({ decimal: style.decimal, thousands: style.thousands });
          }}
        />
      ) : null}
      {kinds.has("money") ? <TextField label={t("import.currency")} hint={t("import.currencyHint")} value={now.currency ?? ""} maxLength={3} spellCheck={false} onChange={(event) => set({ currency: event.target.value.toUpperCase().replace(/[^A-Z]/g, "") })} /> : null}
    </section>
  );
}
