// How much of one object's fields a role shows: by sensitivity, and field by field where that is not right. A field that is
// forbidden is hidden whatever other roles show.

import { useState } from "react";
import { useT } from "~/i18n";
import { Badge, Button } from "~/lib/basics";
import { TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { Dialog } from "~/lib/overlays";
import { said } from "~/model/meta";
import type { RoleObject } from "./data";
import { levelFor, SENSITIVITIES, withField, type Draft } from "./rights";
import { SensitivityLevel } from "./RoleMatrix";
import { LEVELS, levelText } from "./roleWords";
import own from "./roles.module.css";
import css from "./admin.module.css";

type Props = { object: RoleObject; draft: Draft; before: Draft; onChange: (draft: Draft) => void; onClose: () => void };

export function RoleFields({ object, draft, before, onChange, onClose }: Props) {
  const t = useT();
  const [text, setText] = useState("");
  const wanted = text.trim().toLowerCase();
  const fields = object.fields.filter((field) => !wanted || `${field.name} ${field.label.en} ${field.label.zh}`.toLowerCase().includes(wanted));
  const stateIn = (one: Draft, path: string) => (one.forbid.fields.includes(path) ? "forbidden" : (one.fields[path] ?? ""));
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("redit.fieldsOf", { object: said(object.plural) })}
      closeLabel={t("act.close")}
      size="wide"
      foot={
        <Button tone="primary" onClick={onClose}>
          {t("redit.ready")}
        </Button>
      }
    >
      <div className={own.byKind}>
        {SENSITIVITIES.map((sensitivity) => (
          <div key={sensitivity}>
            <span className="soft">
              {sensitivity} · {t(`roles.sensitivity.${sensitivity}`)}
            </span>
            <SensitivityLevel draft={draft} before={before} onChange={onChange} object={object.name} sensitivity={sensitivity} label={`${said(object.plural)}: ${sensitivity} ${t(`roles.sensitivity.${sensitivity}`)}`} />
          </div>
        ))}
      </div>
      <TextField label={t("redit.findField")} type="search" value={text} onChange={(event) => setText(event.target.value)} />
      {fields.length === 0 ? <p className="soft">{t("redit.noField")}</p> : null}
      <ul className={css.checks}>
        {fields.map((field) => {
          const path = `${object.name}.${field.name}`;
          const state = stateIn(draft, path);
          const general = levelFor({ object_levels: draft.object_levels, levels: draft.levels }, object.name, field.sensitivity);
          return (
            <li key={field.name} className={own.fieldRow}>
              <label htmlFor={`level-${path}`}>
                <span className="clip">{said(field.label)}</span>
                {field.sealed ? <Icon name="seal" size={12} title={t("redit.sealed")} /> : null}
                <code>{field.name}</code>
              </label>
              <Badge tone={field.sensitivity === "S3" ? "warn" : "plain"}>{`${field.sensitivity} ${t(`roles.sensitivity.${field.sensitivity}`)}`}</Badge>
              <select id={`level-${path}`} className={own.cell} value={state} data-none={state === "none"} data-forbidden={state === "forbidden"} data-changed={state !== stateIn(before, path)} onChange={(event) => onChange(withField(draft, path, event.target.value))}>
                <option value="">{t("redit.asSensitivity", { level: levelText(t, general) })}</option>
                {LEVELS.map((one) => (
                  <option key={one} value={one}>
                    {levelText(t, one)}
                  </option>
                ))}
                <option value="forbidden">{t("roles.forbidden")}</option>
              </select>
            </li>
          );
        })}
      </ul>
    </Dialog>
  );
}
