// Chooses what a list is grouped by and what is added up, in one small panel.

import { useState } from "react";
import { useT, type Key } from "~/i18n";
import { Button } from "~/lib/basics";
import { CheckField, SelectField } from "~/lib/fields";
import { Popover } from "~/lib/overlays";
import { said, type Meta } from "~/model/meta";
import { canAdd, canGroup } from "~/model/summary";
import type { ListState } from "./state";
import css from "./list.module.css";

const LENGTHS = ["year", "quarter", "month", "week", "day"] as const;

export function GroupMenu({ meta, state }: { meta: Meta; state: ListState }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  const [name = "", length] = (state.by ?? "").split(":");
  const fields = [...meta.fields.values()];
  const groups = fields.filter((field) => canGroup(meta, field));
  const sums = fields.filter((field) => canAdd(meta, field));
  const dated = ["date", "timestamp"].includes(meta.fields.get(name)?.type ?? "");
  const choose = (chosen: string) => {
    const type = meta.fields.get(chosen)?.type ?? "";
    // Money is what people want to see in groups; it is there at once and can be taken away.
    const money = state.sums.length === 0 && chosen ? sums.filter((field) => field.type === "money" && !field.read_only).slice(0, 1) : [];
    state.set({ by: chosen ? (["date", "timestamp"].includes(type) ? `${chosen}:month` : chosen) : "", ...(money[0] ? { sums: money[0].name } : {}) });
  };
  const label = state.by ? t("group.by", { field: said(meta.fields.get(name)?.label) }) : t("group.none");
  return (
    <Popover
      open={open}
      onOpen={setOpen}
      align="end"
      width={260}
      label={t("group.label")}
      target={
        <Button small tone={state.by ? "plain" : "quiet"} icon="density" aria-expanded={open} onClick={() => setOpen(!open)}>
          <span className={css.hideSmall}>{label}</span>
        </Button>
      }
    >
      <div className={css.chooser}>
        <SelectField label={t("group.label")} empty={t("group.nothing")} value={name} choices={groups.map((field) => ({ value: field.name, label: said(field.label) }))} onChange={(event) => choose(event.target.value)} />
        {dated ? <SelectField label={t("group.length")} value={length ?? "month"} choices={LENGTHS.map((one) => ({ value: one, label: t(`group.${one}` as Key) }))} onChange={(event) => state.set({ by: `${name}:${event.target.value}` })} /> : null}
        {sums.length > 0 ? (
          <fieldset className={css.chooserChecks}>
            <legend className="sr">{t("group.sums")}</legend>
            <span className="faint">{t("group.sums")}</span>
            {sums.map((field) => (
              <CheckField key={field.name} label={said(field.label)} checked={state.sums.includes(field.name)} onChange={(on) => state.set({ sums: (on ? [...state.sums, field.name].slice(-8) : state.sums.filter((one) => one !== field.name)).join(",") })} />
            ))}
          </fieldset>
        ) : null}
      </div>
    </Popover>
  );
}
