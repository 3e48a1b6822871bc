// Step 3: how a row finds the record that is there already, and what becomes of it then. Without a way to find it, a second run
// makes everything a second time; that is said.

import { useId } from "react";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { CheckField, SelectField, TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import libCss from "~/lib/lib.module.css";
import { objectLabel, said, useMetas } from "~/model/meta";
import { NotFound } from "~/pages/Trouble";
import { columnRef, keyFields, without, type MappingFile } from "./mapping";
import { StepFoot, StepHead, type StepProps } from "./Frame";
import css from "./import.module.css";

type Way = "none" | "match" | "external";

const wayOf = (mapping: MappingFile): Way => (mapping.external_id ? "external" : (mapping.match ?? []).length > 0 ? "match" : "none");

export function StepRules({ one, draft, go }: StepProps) {
  const t = useT();
  const id = useId();
  const metas = useMetas();
  const meta = metas.get(one.object ?? "");
  const { mapping } = draft;
  if (!meta || !mapping || !one.sample) return <NotFound />;
  const { columns } = one.sample;
  const keys = keyFields(meta, mapping);
  const way = wayOf(mapping);
  const choose = (next: Way) => {
    const bare: MappingFile = without(mapping, "match", "external_id");
    if (next === "none") return draft.set(bare);
    if (next === "match") return draft.set({ ...bare, match: [(keys.find((field) => field.unique) ?? keys.find((field) => field.name === meta.titleField) ?? keys[0])?.name ?? ""].filter(Boolean) });
    const guess = columns.findIndex((name) => /(^|[\s_-])(id|no|nr|number|code)$|编号|编码|代码|id$/i.test(name));
    draft.set({ ...bare, external_id: { system: "", column: columnRef(columns, Math.max(guess, 0)) } });
  };
  const match = mapping.match ?? [];
  const toggle = (name: string, on: boolean) => draft.set({ ...mapping, match: on ? [...match, name] : match.filter((one) => one !== name) });
  const external = mapping.external_id;
  const ways: { way: Way; label: string; text: string; blocked?: string | undefined }[] = [
    { way: "match", label: t("import.byFields"), text: t("import.byFieldsText"), blocked: keys.length === 0 ? t("import.noKeys") : undefined },
    { way: "external", label: t("import.byNumber"), text: t("import.byNumberText") },
    { way: "none", label: t("import.byNothing"), text: t("import.byNothingText") },
  ];
  const blocked = way === "external" && !external?.system.trim() ? t("import.needSystem") : way === "match" && match.length === 0 ? t("import.needKey") : undefined;
  return (
    <>
      <StepHead step="rules" text={t("import.rulesText", { objects: objectLabel(meta, true) })} />
      <fieldset className={css.ways}>
        <legend className="sr">{t("import.title.rules")}</legend>
        {ways.map((entry) => (
          <div key={entry.way} className={css.way} data-on={way === entry.way}>
            <input type="radio" id={`${id}-${entry.way}`} name={`${id}-way`} className={libCss.check} checked={way === entry.way} disabled={Boolean(entry.blocked)} aria-describedby={`${id}-${entry.way}-text`} onChange={() => choose(entry.way)} />
            <div>
              <label htmlFor={`${id}-${entry.way}`}>{entry.label}</label>
              <p id={`${id}-${entry.way}-text`} className="soft">
                {entry.blocked ?? entry.text}
              </p>
              {way === "match" && entry.way === "match" ? (
                <div className={css.keys} role="group" aria-label={t("import.byFields")}>
                  {keys.map((field) => (
                    <CheckField key={field.name} label={said(field.label)} checked={match.includes(field.name)} onChange={(on) => toggle(field.name, on)} />
                  ))}
                </div>
              ) : null}
              {way === "external" && entry.way === "external" && external ? (
                <div className={css.pair}>
                  <TextField label={t("import.system")} hint={t("import.systemHint")} value={external.system} maxLength={60} spellCheck={false} onChange={(event) => draft.set({ ...mapping, external_id: { ...external, system: event.target.value } })} />
                  <SelectField label={t("import.numberColumn")} value={external.column ?? ""} choices={columns.map((name, index) => ({ value: columnRef(columns, index), label: name || t("import.unnamed", { number: index + 1 }) }))} onChange={(event) => draft.set({ ...mapping, external_id: { system: external.system, column: event.target.value } })} />
                </div>
              ) : null}
            </div>
          </div>
        ))}
      </fieldset>
      {way === "none" ? (
        <p className={css.warning}>
          <Icon name="warn" />
          <span>{t("import.twice")}</span>
        </p>
      ) : (
        <div className={css.pair}>
          <SelectField label={t("import.onExisting")} value={mapping.on_existing ?? "update"} choices={(["update", "skip", "reject"] as const).map((what) => ({ value: what, label: t(`import.existing.${what}`) }))} onChange={(event) => draft.set({ ...mapping, on_existing: event.target.value as "update" })} />
        </div>
      )}
      {draft.wrong ? (
        <p className={css.wrong} role="alert">
          <Icon name="warn" />
          <span>{draft.wrong.errors.map((error) => error.detail).join(" ") || draft.wrong.detail}</span>
        </p>
      ) : null}
      <StepFoot back={() => go("mapping")}>
        <Button tone="primary" busy={draft.saving} blocked={blocked} onClick={() => go("try")}>
          {t("import.next.try")}
        </Button>
      </StepFoot>
    </>
  );
}
