// How a rule of the mapping is said in a few words, in the language of the interface.

import type { FieldDef } from "~/api/types.gen";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { said, useMetas } from "~/model/meta";
import { columnsOf, formatExample, type Rule } from "./mapping";

/** What a rule does beside taking the text; empty when that is all. */
export function useRuleWords() {
  const t = useT();
  const metas = useMetas();
  return (field: FieldDef, rule: Rule): string => {
    const parts: string[] = [];
    if (columnsOf(rule).length > 1) parts.push(t("import.say.joined", { columns: columnsOf(rule).join(" + ") }));
    const values = Object.keys(rule.values ?? {}).length;
    if (values > 0) parts.push(t("import.say.values", { count: values }));
    if (rule.format) parts.push(t("import.say.format", { example: formatExample(rule.format) }));
    if (rule.decimal || rule.thousands) parts.push(t("import.say.decimal", { mark: rule.decimal ?? "." }));
    if (rule.scale !== undefined && rule.scale !== 1) parts.push(t("import.say.scale", { factor: number(rule.scale) }));
    if (rule.currency) parts.push(rule.currency);
    if (rule.currency_column) parts.push(t("import.say.currency", { column: rule.currency_column }));
    if (field.type === "reference" && rule.reference) {
      const other = metas.get(rule.reference.object ?? field.targets?.[0] ?? "");
      const by = rule.reference.by === "external_id" ? (rule.reference.system ?? "") : said(other?.fields.get(rule.reference.by)?.label) || rule.reference.by;
      parts.push(t("import.say.by", { by }));
      if (rule.reference.create_missing) parts.push(t("import.say.made"));
    }
    if (rule.transform?.length) parts.push(t("import.say.changed"));
    if (rule.when_empty === "clear") parts.push(t("import.say.clear"));
    if (rule.when_empty === "reject") parts.push(t("import.say.reject"));
    return parts.join(" · ");
  };
}
