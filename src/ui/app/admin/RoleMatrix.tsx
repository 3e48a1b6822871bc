// The matrix of a role to be edited: how far each verb reaches, object by object, and how much of each field shows by its
// sensitivity. A line that is not named follows the line of its kind, and says so.

import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { exceptions, kindKey, named, SENSITIVITIES, VERBS, withLevel, withScope, type Draft, type Row } from "./rights";
import { LEVELS, levelText, SCOPES, scopeText } from "./roleWords";
import { SensitivityHead } from "./SensitivityHead";
import css from "./admin.module.css";
import own from "./roles.module.css";

type Props = { draft: Draft; before: Draft; onChange: (draft: Draft) => void };

const scopeIn = (draft: Draft, key: string, verb: string) => (draft.forbid.objects[key]?.includes(verb) ? "forbidden" : (draft.objects[key]?.[verb] ?? "none"));

/** Who works with customers changes nothing of the organisation: the server refuses it, so it is not offered. */
const isOffered = (draft: Draft, kind: string, verb: string) => draft.kind !== "business" || kind !== "organisation" || verb === "read" || verb === "reveal";

function Scope({ draft, before, onChange, row, verb }: Props & { row: Row; verb: string }) {
  const t = useT();
  const scope = scopeIn(draft, row.name, verb);
  const choices = ["none", ...SCOPES, ...(row.kind === "business" || !["organisation", "reference"].includes(row.name) ? ["forbidden"] : [])];
  return (
    <select
      className={own.cell}
      aria-label={`${row.label}: ${t(`roles.verb.${verb}` as "roles.verb.read")}`}
      value={scope}
      data-none={scope === "none"}
      data-forbidden={scope === "forbidden"}
      data-changed={scope !== scopeIn(before, row.name, verb)}
      onChange={(event) => onChange(withScope(draft, row.name, verb, event.target.value))}
    >
      {choices.map((one) => (
        <option key={one} value={one}>
          {scopeText(t, one)}
        </option>
      ))}
    </select>
  );
}

export function ScopeMatrix({ draft, before, onChange, rows, onFields }: Props & { rows: Row[]; onFields: (row: Row) => void }) {
  const t = useT();
  const kinds = draft.kind === "business" ? ["business", "organisation", "reference"] : ["organisation", "reference"];
  const kindRow = (kind: string): Row => ({ name: kindKey(kind), kind, label: t("redit.allOf", { kind: t(`roles.kind.${kind}` as "roles.kind.business") }) });
  const isOwn = (row: Row) => row.name === kindKey(row.kind) || draft.objects[row.name] !== undefined || draft.forbid.objects[row.name] !== undefined;
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t("roles.matrix")}>
      <table className={`${css.matrix} ${own.cells}`}>
        <caption>
          {t("roles.matrix")}
          <span>{t("redit.matrixText")}</span>
        </caption>
        <thead>
          <tr>
            <th scope="col">{t("roles.object")}</th>
            {VERBS.map((verb) => (
              <th key={verb} scope="col">
                {t(`roles.verb.${verb}`)}
              </th>
            ))}
          </tr>
        </thead>
        {kinds.map((kind) => (
          <tbody key={kind}>
            <tr className={css.group}>
              <th colSpan={VERBS.length + 1} scope="rowgroup">
                {t(`roles.kind.${kind}` as "roles.kind.business")}
              </th>
            </tr>
            {[kindRow(kind), ...rows.filter((row) => row.kind === kind && row.name !== "*")].map((row) => {
              const special = exceptions(draft, row.name);
              const general = row.name === kindKey(kind);
              return (
                <tr key={row.name}>
                  <th scope="row">
                    <span className={own.rowHead}>
                      <span>{row.label}</span>
                      {general ? null : (
                        <>
                          <Button small tone="quiet" aria-label={`${row.label}: ${t("redit.fields")}`} onClick={() => onFields(row)}>
                            {special > 0 ? t("redit.fieldsCount", { count: special }) : t("redit.fields")}
                          </Button>
                          <Button small tone="quiet" aria-label={`${row.label}: ${isOwn(row) ? t("redit.follow") : t("redit.own")}`} onClick={() => onChange(named(draft, row, !isOwn(row)))}>
                            {isOwn(row) ? t("redit.follow") : t("redit.own")}
                          </Button>
                        </>
                      )}
                    </span>
                  </th>
                  {VERBS.map((verb) => (
                    <td key={verb}>
                      {!isOffered(draft, kind, verb) ? (
                        <span className={own.inherited}>–</span>
                      ) : isOwn(row) ? (
                        <Scope draft={draft} before={before} onChange={onChange} row={row} verb={verb} />
                      ) : (
                        <span className={own.inherited}>{scopeText(t, scopeIn(draft, kindKey(kind), verb))}</span>
                      )}
                    </td>
                  ))}
                </tr>
              );
            })}
          </tbody>
        ))}
      </table>
    </div>
  );
}

/** The level of one sensitivity, everywhere or for one object. */
export function SensitivityLevel({ draft, before, onChange, object, sensitivity, label }: Props & { object: string | null; sensitivity: string; label: string }) {
  const t = useT();
  const of = (one: Draft) => (object === null ? (one.levels[sensitivity] ?? "none") : (one.object_levels[object]?.[sensitivity] ?? ""));
  const level = of(draft);
  return (
    <select className={own.cell} aria-label={label} value={level} data-none={level === "none"} data-changed={level !== of(before)} onChange={(event) => onChange(withLevel(draft, object, sensitivity, event.target.value))}>
      {object === null ? null : <option value="">{t("redit.asEverywhere", { level: levelText(t, draft.levels[sensitivity] ?? "none") })}</option>}
      {LEVELS.map((one) => (
        <option key={one} value={one}>
          {levelText(t, one)}
        </option>
      ))}
    </select>
  );
}

export function LevelTable(props: Props) {
  const t = useT();
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t("roles.levels")}>
      <table className={`${css.matrix} ${own.cells}`}>
        <caption>
          {t("roles.levels")}
          <span>{t("redit.levelsText")}</span>
        </caption>
        <SensitivityHead />
        <tbody>
          <tr>
            <th scope="row">{t("roles.everywhere")}</th>
            {SENSITIVITIES.map((sensitivity) => (
              <td key={sensitivity}>
                <SensitivityLevel {...props} object={null} sensitivity={sensitivity} label={`${t("roles.everywhere")}: ${sensitivity} ${t(`roles.sensitivity.${sensitivity}`)}`} />
              </td>
            ))}
          </tr>
        </tbody>
      </table>
    </div>
  );
}
