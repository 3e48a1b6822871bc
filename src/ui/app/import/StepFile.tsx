// Step 1: what was found out about the file, and its first rows. A wrong guess is corrected here, while the rows show at once
// whether it is right.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "~/api/client";
import { errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { Import } from "~/api/types.gen";
import { language, useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { SelectField, TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { objectLabel, useMetas } from "~/model/meta";
import { workObjects } from "~/shell/Rail";
import { blockOf, detectionOf, importKey, isOpen } from "./data";
import { mappingOf, wireOf, type MappingFile } from "./mapping";
import { Problem, StepFoot, StepHead, type StepProps } from "./Frame";
import css from "./import.module.css";

const ENCODINGS = ["utf-8", "gb18030", "big5", "utf-16le", "utf-16be", "windows-1252"] as const;
const DELIMITERS = [",", ";", "\t", "|"] as const;
const DELIMITER_NAMES: { [sign: string]: "comma" | "semicolon" | "tab" | "pipe" } = { ",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe" };

type Reading = { object?: string; encoding?: string; delimiter?: string; header?: boolean; header_line?: number };

/** How the file is to be read, without any column: the server then proposes the columns anew. */
function useReading(one: Import, drop: () => void) {
  const client = useQueryClient();
  const now: Partial<MappingFile> = one.mapping ? mappingOf(one.mapping) : {};
  return useMutation({
    mutationFn: (change: Reading) => {
      const said: Reading = { encoding: now.encoding, delimiter: now.delimiter, header: now.header, header_line: now.header_line, ...change } as Reading;
      const known = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined && value !== ""));
      const object = change.object ?? one.object ?? "";
      const mapping = wireOf({ kontor_mapping: 1, fields: {}, ...known, object } as MappingFile);
      return call("import_change", { params: { import: one.id }, body: { mapping } });
    },
    onSuccess: (answer) => {
      drop();
      client.setQueryData(importKey(one.id), answer);
    },
  });
}

export function SampleTable({ one }: { one: Import }) {
  const t = useT();
  const sample = one.sample;
  if (!sample) return null;
  return (
    <div className={css.sample} role="region" aria-label={t("import.sample")} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {sample.columns.map((name, index) => (
              <th key={index} scope="col">
                {name || <span className="faint">{t("import.unnamed", { number: index + 1 })}</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sample.rows.slice(0, 8).map((row, at) => (
            <tr key={at}>
              {sample.columns.map((_, index) => (
                <td key={index}>{row[index] ?? ""}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function StepFile({ one, draft, go }: StepProps) {
  const t = useT();
  const metas = useMetas();
  const reading = useReading(one, draft.drop);
  const found = detectionOf(one);
  const now: Partial<MappingFile> = one.mapping ? mappingOf(one.mapping) : {};
  const objects = workObjects(metas.values()).filter((meta) => meta.may.create);
  const english = language() === "en";
  const named = ENCODINGS.find((name) => name === now.encoding?.toLowerCase());
  const set = (change: Reading) => reading.mutate(change);
  const wrong = reading.error ? refusalOf(reading.error) : null;
  const sure = found ? t(`import.sure.${found.confidence}`) : "";
  const delimiterFound = found ? (Object.values(DELIMITER_NAMES) as string[]).includes(found.delimiter) ? t(`import.delimiter.${found.delimiter as "comma"}`) : found.delimiter : "";
  const block = blockOf(one, "mapping");
  return (
    <>
      <StepHead step="file" text={t("import.fileText")} />
      <Problem one={one} />
      {wrong ? (
        <p className={css.wrong} role="alert">
          <Icon name="warn" />
          <span>{[errorText(wrong), wrong.detail].filter(Boolean).join(" ")}</span>
        </p>
      ) : null}
      <fieldset className={css.reading} disabled={reading.isPending || !isOpen(one)}>
        <legend className="sr">{t("import.reading")}</legend>
        <SelectField label={t("import.rowsAre")} value={one.object ?? ""} empty={one.object ? undefined : "–"} choices={objects.map((meta) => ({ value: meta.name, label: objectLabel(meta, true) }))} onChange={(event) => set({ object: event.target.value })} />
        <SelectField
          label={t("import.encoding")}
          value={named ?? ""}
          empty={found ? t("import.found", { what: found.encoding, sure }) : t("import.findIt")}
          hint={english && found && !now.encoding ? found.encoding_how : undefined}
          choices={ENCODINGS.map((name) => ({ value: name, label: t(`import.encoding.${name}`) }))}
          onChange={(event) => set({ encoding: event.target.value })}
        />
        <SelectField
          label={t("import.delimiter")}
          value={now.delimiter ?? ""}
          empty={found ? t("import.foundPlain", { what: delimiterFound }) : t("import.findIt")}
          hint={english && found && !now.delimiter ? found.delimiter_how : undefined}
          choices={DELIMITERS.map((sign) => ({ value: sign, label: t(`import.delimiter.${DELIMITER_NAMES[sign] ?? "comma"}`) }))}
          onChange={(event) => set({ delimiter: event.target.value })}
        />
        <SelectField
          label={t("import.header")}
          value={now.header === false ? "no" : now.header_line !== undefined ? "line" : ""}
          empty={found?.header_line ? t("import.foundPlain", { what: t("import.headerLine", { line: found.header_line }) }) : t("import.findIt")}
          hint={found && found.title_lines > 0 ? t("import.titleLines", { count: found.title_lines }) : undefined}
          choices={[
            { value: "no", label: t("import.noHeader") },
            { value: "line", label: t("import.headerAt") },
          ]}
          onChange={(event) => set(event.target.value === "no" ? { header: false, header_line: undefined as never } : event.target.value === "line" ? { header: undefined as never, header_line: found?.header_line ?? 1 } : { header: undefined as never, header_line: undefined as never })}
        />
        {now.header_line !== undefined ? (
          <TextField
            label={t("import.headerAt")}
            type="number"
            min={1}
            max={1000}
            defaultValue={now.header_line}
            onBlur={(event) => {
              const line = Number(event.target.value);
              if (Number.isInteger(line) && line > 0 && line !== now.header_line) set({ header_line: line });
            }}
          />
        ) : null}
      </fieldset>
      {found?.confidence === "low" ? (
        <p className={css.warning}>
          <Icon name="warn" />
          <span>{t("import.guess")}</span>
        </p>
      ) : null}
      <SampleTable one={one} />
      <p className="faint">{t("import.anew")}</p>
      <StepFoot>
        <Button tone="primary" busy={reading.isPending} blocked={block ? t(`import.block.${block}`) : undefined} onClick={() => go("mapping")}>
          {t("import.next.mapping")}
        </Button>
      </StepFoot>
    </>
  );
}
