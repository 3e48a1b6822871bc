// The settings of the house as two small forms: who we are, and how we count. Used by the first run and by the page of settings.

import { useState, type FormEvent, type ReactNode } from "react";
import { errorText, fieldErrorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { limits, type Settings, type SettingsChange } from "~/api/types.gen";
import { locale, useT } from "~/i18n";
import { SelectField, TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { useSettingsChange, zones } from "~/model/house";
import admin from "~/admin/admin.module.css";

/** Draws the values, sends what changed, and says beside each field what is wrong with it. */
function useDraft(settings: Settings, onSaved: () => void) {
  const change = useSettingsChange();
  const [draft, setDraft] = useState<SettingsChange>({});
  const refusal = change.error ? refusalOf(change.error) : null;
  const values = { ...settings, ...draft };
  const wrong = (name: string) => {
    const error = refusal?.errors.find((one) => one.pointer === `/${name}`);
    return error ? fieldErrorText(error) : undefined;
  };
  const send = (event: FormEvent, guessed: SettingsChange = {}) => {
    event.preventDefault();
    if (change.isPending) return;
    const saved = () => {
      setDraft({});
      onSaved();
    };
    change.mutate({ version: settings.version, change: { ...guessed, ...draft } }, { onSuccess: saved });
  };
  const trouble = refusal && refusal.errors.length === 0 ? errorText(refusal) : "";
  return { values, set: (part: SettingsChange) => setDraft({ ...draft, ...part }), wrong, send, trouble, busy: change.isPending };
}

type FormProps = { settings: Settings; id: string; onSaved: () => void };

function Trouble({ text }: { text: string }): ReactNode {
  return text ? (
    <div className={`${admin.full} ${admin.warning} ${admin.bad}`} role="alert">
      <Icon name="warn" />
      <span>{text}</span>
    </div>
  ) : null;
}

function months(): { value: string; label: string }[] {
  const name = new Intl.DateTimeFormat(locale(), { month: "long", timeZone: "UTC" });
  return Array.from({ length: 12 }, (_, month) => ({ value: String(month + 1), label: name.format(Date.UTC(2024, month, 1)) }));
}

export function HouseForm({ settings, id, onSaved }: FormProps) {
  const t = useT();
  const draft = useDraft(settings, onSaved);
  return (
    <form id={id} className={admin.grid} onSubmit={draft.send} noValidate>
      <Trouble text={draft.trouble} />
      <TextField label={t("house.organisation")} hint={t("house.organisationHint")} value={draft.values.organisation} maxLength={limits.SETTING_CHARS_MAX} autoComplete="organization" error={draft.wrong("organisation")} onChange={(event) => draft.set({ organisation: event.target.value })} />
      <SelectField label={t("house.fiscal")} hint={t("house.fiscalHint")} value={String(draft.values.fiscal_start)} choices={months()} error={draft.wrong("fiscal_start")} onChange={(event) => draft.set({ fiscal_start: Number(event.target.value) })} />
    </form>
  );
}

export function RegionForm({ settings, id, onSaved, fresh = false }: FormProps & { fresh?: boolean }) {
  const t = useT();
  // What this browser knows is a good first guess for a house that has said nothing yet.
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const draft = useDraft(settings, onSaved);
  const zone = fresh && draft.values.time_zone === "UTC" && here ? here : draft.values.time_zone;
  return (
    <form
      id={id}
      className={admin.grid}
      noValidate
      onSubmit={(event) => draft.send(event, { time_zone: zone })}
    >
      <Trouble text={draft.trouble} />
      <SelectField
        label={t("house.language")}
        hint={t("house.languageHint")}
        value={draft.values.language}
        choices={[
          { value: "en", label: "English" },
          { value: "zh", label: "中文" },
        ]}
        onChange={(event) => draft.set({ language: event.target.value as "en" | "zh" })}
      />
      <TextField label={t("house.currency")} hint={t("house.currencyHint")} value={draft.values.currency} maxLength={3} spellCheck={false} autoCapitalize="characters" error={draft.wrong("currency")} onChange={(event) => draft.set({ currency: event.target.value.toUpperCase() })} />
      <SelectField label={t("house.zone")} hint={t("house.zoneHint")} value={zone} choices={zones(zone).map((name) => ({ value: name, label: name }))} error={draft.wrong("time_zone")} onChange={(event) => draft.set({ time_zone: event.target.value })} />
    </form>
  );
}

export function RibbonForm({ settings, id, onSaved }: FormProps) {
  const t = useT();
  const draft = useDraft(settings, onSaved);
  const { ribbon } = draft.values;
  return (
    <form id={id} className={admin.grid} onSubmit={draft.send} noValidate>
      <Trouble text={draft.trouble} />
      <SelectField
        label={t("house.ribbonKind")}
        hint={t("house.ribbonHint")}
        value={ribbon.kind}
        choices={(["none", "test", "training", "recovery_copy"] as const).map((kind) => ({ value: kind, label: t(`ribbon.${kind}`) }))}
        onChange={(event) => draft.set({ ribbon: { ...ribbon, kind: event.target.value as typeof ribbon.kind } })}
      />
      {ribbon.kind === "none" ? null : <TextField label={t("house.ribbonText")} value={ribbon.text ?? ""} maxLength={limits.RIBBON_CHARS_MAX} error={draft.wrong("ribbon/text")} onChange={(event) => draft.set({ ribbon: { ...ribbon, text: event.target.value } })} />}
    </form>
  );
}
