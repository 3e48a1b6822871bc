// Step 2: each column of the file and the field it goes to. Found by the headers where they say enough; what is left over stands
// out until somebody chose. A mapping can be kept as a file, taken from one, or from an earlier import.

import { useState } from "react";
import { saveFile } from "~/audit/exporting";
import { call } from "~/api/client";
import { errorText } from "~/api/errors";
import { limits } from "~/api/types.gen";
import { useT, type Key } from "~/i18n";
import { Badge, Button, libCss } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { Menu } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { said, useMetas, type Meta } from "~/model/meta";
import { NotFound } from "~/pages/Trouble";
import { detectionOf, useImports, type Detection } from "./data";
import { Constants } from "./Constants";
import { Habits } from "./Habits";
import { adopt, assign, canJoin, fieldAtPath, isIgnored, leaveOut, mappingOf, missingFields, parseMapping, pathsOf, setRule, targetLabel, targetsOf, textsOf, tidy, unknownTexts, withStreets, type MappingFile, type Rule, type Target } from "./mapping";
import { RuleDialog } from "./RuleDialog";
import { useRuleWords } from "./words";
import { StepFoot, StepHead, type StepProps } from "./Frame";
import css from "./import.module.css";

const LEFT_OUT = "-";

type RowProps = { index: number; name: string; rows: string[][]; meta: Meta; mapping: MappingFile; columns: string[]; targets: Target[]; found: Detection | null; onField: (path: string) => void; onRule: (path: string) => void; wrong: (path: string) => string };

function ColumnRow({ index, name, rows, meta, mapping, columns, targets, found, onField, onRule, wrong }: RowProps) {
  const t = useT();
  const words = useRuleWords();
  const paths = pathsOf(mapping, columns, index);
  const [path] = paths;
  const rule = path !== undefined ? mapping.fields[path] : undefined;
  const field = path !== undefined ? fieldAtPath(meta, path) : undefined;
  const ignored = isIgnored(mapping, columns, index);
  const texts = textsOf(rows, index);
  const unknown = field && rule ? unknownTexts(field, rule, texts) : [];
  const column = found?.columns[index];
  const shown = name || t("import.unnamed", { number: index + 1 });
  const error = path !== undefined ? wrong(path) : "";
  const proposal = found?.proposals.find((one) => one.applied && one.column === name && one.field === path);
  const doubtful = path === undefined ? found?.proposals.find((one) => !one.applied && one.column === name && targets.some((target) => target.path === one.field) && !(one.field in mapping.fields)) : undefined;
  const label = (target: Target) => {
    const text = targetLabel(target, (part) => t(`address.${part}` as Key));
    const taken = mapping.fields[target.path];
    if (!taken || target.path === path || taken.constant !== undefined) return text;
    return canJoin(target.field) ? t("import.joins", { field: text }) : t("import.moves", { field: text });
  };
  return (
    <tr data-open={path === undefined && !ignored} data-bad={error !== ""}>
      <th scope="row">
        <strong>{shown}</strong>
        <span className={css.texts}>{texts.slice(0, 3).join(" · ") || t("import.noTexts")}</span>
      </th>
      <td>
        <select className={libCss.input} aria-label={t("import.goesTo", { column: shown })} aria-invalid={error ? true : undefined} value={path ?? (ignored ? LEFT_OUT : "")} onChange={(event) => onField(event.target.value)}>
          <option value="">{t("import.choose.field")}</option>
          <option value={LEFT_OUT}>{t("import.leaveOut")}</option>
          <optgroup label={t("import.fields")}>
            {targets.map((target) => (
              <option key={target.path} value={target.path}>
                {label(target)}
              </option>
            ))}
          </optgroup>
        </select>
        {error ? <span className={css.rowError}>{error}</span> : null}
      </td>
      <td>
        {path !== undefined && rule && field ? (
          <div className={css.how}>
            <Button small tone="quiet" icon="settings" aria-label={t("import.howOf", { column: shown })} onClick={() => onRule(path)}>
              {words(field, rule) || t("import.how")}
            </Button>
            {unknown.length > 0 ? (
              <Button small tone="quiet" onClick={() => onRule(path)}>
                <Badge tone="warn" icon="warn">
                  {t("import.unknownTexts", { count: unknown.length })}
                </Badge>
              </Button>
            ) : null}
            {proposal && unknown.length === 0 ? <span className="faint">{t(`import.because.${proposal.reason}`)}</span> : null}
          </div>
        ) : ignored ? (
          <span className="faint">{t("import.leftOut")}</span>
        ) : (
          <div className={css.how}>
            {column && column.filled > 0 ? (
              <Badge tone="warn" icon="warn">
                {t("import.undecided")}
              </Badge>
            ) : (
              <span className="faint">{t("import.noTexts")}</span>
            )}
            {doubtful ? (
              <Button small tone="quiet" onClick={() => onField(doubtful.field)}>
                {t("import.perhaps", { field: said(fieldAtPath(meta, doubtful.field)?.label) })}
              </Button>
            ) : null}
          </div>
        )}
      </td>
    </tr>
  );
}

/** Keeps and takes mappings: as files of the command line's format, or from imports of before. */
function Keeping({ id, mapping, columns, onTake }: { id: string; mapping: MappingFile; columns: string[]; onTake: (mapping: MappingFile) => void }) {
  const t = useT();
  const imports = useImports();
  const others = (imports.data?.items ?? []).filter((one) => one.id !== id && one.object === mapping.object && one.state !== "new").slice(0, 8);
  const take = (found: MappingFile | null) => {
    if (!found) return void toast(t("import.noMapping"), { tone: "bad" });
    if (found.object !== mapping.object) return void toast(t("import.otherObject"), { tone: "bad" });
    const { mapping: fitting, lost } = adopt(found, columns);
    if (Object.keys(fitting.fields).length === 0) return void toast(t("import.noneFit"), { tone: "bad" });
    onTake({ ...fitting, ...Object.fromEntries((["encoding", "delimiter", "header", "header_line"] as const).flatMap((name) => (mapping[name] === undefined ? [] : [[name, mapping[name]]]))) });
    toast(lost.length > 0 ? t("import.takenPartly", { columns: lost.join(", ") }) : t("import.taken"), { tone: "good" });
  };
  const fromFile = () => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = ".json,application/json";
    input.onchange = () => {
      const file = input.files?.[0];
      if (file && file.size <= limits.IMPORT_MAPPING_BYTES_MAX) void file.text().then((text) => take(parseMapping(text)));
      else if (file) take(null);
    };
    input.click();
  };
  const fromImport = (other: string) =>
    void call("import_open", { params: { import: other } })
      .then((one) => take(one.mapping ? mappingOf(one.mapping) : null))
      .catch((error: unknown) => toast(errorText(error), { tone: "bad" }));
  return (
    <Menu
      label={t("import.keeping")}
      align="end"
      target={
        <Button icon="copy">
          {t("import.keeping")}
        </Button>
      }
      items={[
        { label: t("import.saveMapping"), icon: "sortdown", act: () => saveFile(`${mapping.object}.mapping.json`, "application/json", `${JSON.stringify(mapping, null, 2)}\n`) },
        { label: t("import.loadMapping"), icon: "sortup", act: fromFile },
        ...(others.length > 0 ? [{ kind: "rule" as const }, { kind: "group" as const, label: t("import.fromImport") }, ...others.map((one) => ({ label: one.file_name, act: () => fromImport(one.id) }))] : []),
      ]}
    />
  );
}

export function StepMapping({ one, draft, go }: StepProps) {
  const t = useT();
  const metas = useMetas();
  const [open, setOpen] = useState<string | null>(null);
  const meta = metas.get(one.object ?? "");
  if (!meta || !draft.mapping || !one.sample) return <NotFound />;
  const mapping = withStreets(draft.mapping, meta);
  const { columns, rows } = one.sample;
  const targets = targetsOf(meta);
  const missing = missingFields(meta, mapping);
  const undecided = columns.flatMap((_, index) => (pathsOf(mapping, columns, index).length === 0 && !isIgnored(mapping, columns, index) ? [index] : []));
  const mapped = columns.length - undecided.length - columns.filter((_, index) => isIgnored(mapping, columns, index)).length;
  const choose = (index: number, path: string) => draft.set(path === "" || path === LEFT_OUT ? leaveOut(mapping, columns, index, path === LEFT_OUT) : assign(mapping, columns, index, path, meta, metas));
  const errors = draft.wrong?.errors ?? [];
  const wrongAt = (path: string) => errors.filter((error) => error.pointer === `/fields/${path}` || error.pointer.startsWith(`/fields/${path}/`)).map((error) => error.detail).join(" ");
  const elsewhere = errors.filter((error) => !Object.keys(mapping.fields).some((path) => error.pointer === `/fields/${path}` || error.pointer.startsWith(`/fields/${path}/`)));
  const leaveAll = () => draft.set(undecided.reduce((now, index) => leaveOut(now, columns, index, true), mapping));
  const rule = open !== null ? mapping.fields[open] : undefined;
  const blocked = Object.keys(mapping.fields).length === 0 ? t("import.block.unmapped") : undefined;
  return (
    <>
      <StepHead step="mapping" text={t("import.mappingText", { mapped, count: columns.length })} end={<Keeping id={one.id} mapping={mapping} columns={columns} onTake={draft.set} />} />
      {draft.wrong ? (
        <div className={css.wrong} role="alert">
          <Icon name="warn" />
          <div>
            {errorText(draft.wrong)}
            {(elsewhere.length > 0 ? elsewhere.map((error) => error.detail) : errors.length === 0 ? [draft.wrong.detail] : []).map((text) => (
              <p key={text}>{text}</p>
            ))}
          </div>
        </div>
      ) : null}
      {missing.length > 0 ? (
        <p className={css.warning}>
          <Icon name="warn" />
          <span>{t("import.missing", { fields: missing.map((field) => said(field.label)).join(", ") })}</span>
        </p>
      ) : null}
      <div className={css.mapScroll}>
        <table className={css.map}>
          <thead>
            <tr>
              <th scope="col">{t("import.column")}</th>
              <th scope="col">{t("import.field")}</th>
              <th scope="col">{t("import.readAs")}</th>
            </tr>
          </thead>
          <tbody>
            {columns.map((name, index) => (
              <ColumnRow key={index} index={index} name={name} rows={rows} meta={meta} mapping={mapping} columns={columns} targets={targets} found={detectionOf(one)} onField={(path) => choose(index, path)} onRule={setOpen} wrong={wrongAt} />
            ))}
          </tbody>
        </table>
      </div>
      {undecided.length > 0 ? (
        <div className={css.rest}>
          <span className="soft">{t("import.rest", { count: undecided.length })}</span>
          <Button small onClick={leaveAll}>
            {t("import.leaveRest")}
          </Button>
        </div>
      ) : null}
      <Constants meta={meta} mapping={mapping} targets={targets} missing={missing} onChange={draft.set} wrong={wrongAt} />
      <Habits meta={meta} mapping={mapping} onChange={draft.set} />
      <StepFoot back={() => go("file")}>
        <Button tone="primary" busy={draft.saving} blocked={blocked} onClick={() => go("rules")}>
          {t("import.next.rules")}
        </Button>
      </StepFoot>
      {open !== null && rule ? (
        <RuleDialog
          key={open}
          meta={meta}
          path={open}
          rule={rule}
          one={one}
          onClose={() => setOpen(null)}
          onSave={(next: Rule) => {
            draft.set(setRule(mapping, open, tidy(next)));
            setOpen(null);
          }}
        />
      ) : null}
    </>
  );
}
