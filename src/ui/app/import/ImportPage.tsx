// Where an import begins: what a row is, and the file, by drop or by choosing. Below stand the imports of before, which can be
// gone on with, looked at and taken back. An import belongs to its reader and nobody else.

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useRef, useState } from "react";
import { AdminPage, Bones, Denied, Panel } from "~/admin/Page";
import { callUpload } from "~/api/client";
import { errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { useMe } from "~/api/session";
import { limits } from "~/api/types.gen";
import { useT } from "~/i18n";
import { bytes } from "~/i18n/format";
import { Button } from "~/lib/basics";
import { SelectField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { objectLabel, useMetas, type Meta, type Metas } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { workObjects } from "~/shell/Rail";
import { importKey, useImports } from "./data";
import { ImportLine } from "./ImportLine";
import css from "./import.module.css";

const WORKBOOKS = /\.(xlsx?|xlsm|ods|numbers)$/i;

type Sending = { name: string; part: number; stop: AbortController };

/** Sends the file and goes to its first step. */
/** What rows can become: the records of daily work, and for those who look after them units, people and teams. */
function importable(metas: Metas): Meta[] {
  const house = ["unit", "user", "team"].flatMap((name) => metas.get(name) ?? []);
  return [...workObjects(metas.values()), ...house].filter((meta) => meta.may.create);
}

function useSend(object: string) {
  const t = useT();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [sending, setSending] = useState<Sending | null>(null);
  const [wrong, setWrong] = useState("");
  async function send(file: File) {
    const refused = WORKBOOKS.test(file.name)
      ? t("import.workbook")
      : file.size > limits.IMPORT_FILE_BYTES_MAX
        ? t("files.large", { size: bytes(file.size), most: bytes(limits.IMPORT_FILE_BYTES_MAX) })
        : file.size === 0
          ? t("files.empty")
          : "";
    setWrong(refused);
    if (refused) return;
    const stop = new AbortController();
    setSending({ name: file.name, part: 0, stop });
    try {
      const one = await callUpload("import_create", {}, { file, name: file.name, signal: stop.signal, query: { object }, progress: (part) => setSending((now) => (now ? { ...now, part } : now)) });
      client.setQueryData(importKey(one.id), one);
      void client.invalidateQueries({ queryKey: ["imports"] });
      void navigate({ to: "/import/$id", params: { id: one.id }, search: { step: "file" } });
    } catch (error) {
      if (stop.signal.aborted) return;
      const refusal = refusalOf(error);
      setWrong([errorText(refusal), refusal.detail].filter(Boolean).join(" "));
    } finally {
      setSending(null);
    }
  }
  return { sending, wrong, send };
}

function Start({ object, onObject }: { object: string; onObject: (object: string) => void }) {
  const t = useT();
  const metas = useMetas();
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const { sending, wrong, send } = useSend(object);
  const objects = importable(metas);
  return (
    <section className={css.start} aria-label={t("import.start")}>
      <div className={css.startObject}>
        <SelectField label={t("import.rowsAre")} value={object} choices={objects.map((meta) => ({ value: meta.name, label: objectLabel(meta, true) }))} onChange={(event) => onObject(event.target.value)} />
      </div>
      <div
        className={css.drop}
        data-over={over}
        onDragOver={(event) => {
          if (!event.dataTransfer.types.includes("Files")) return;
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={(event) => (event.currentTarget.contains(event.relatedTarget as Node | null) ? undefined : setOver(false))}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          const file = event.dataTransfer.files[0];
          if (file && !sending) void send(file);
        }}
      >
        {sending ? (
          <div className={css.sending}>
            <strong>{sending.name}</strong>
            <progress max={1} value={sending.part} aria-label={sending.name} />
            <Button small onClick={() => sending.stop.abort()}>
              {t("import.stopSending")}
            </Button>
          </div>
        ) : (
          <>
            <Button tone="primary" icon="sortup" onClick={() => input.current?.click()}>
              {t("import.choose")}
            </Button>
            <span className="soft">{t("import.drop", { most: bytes(limits.IMPORT_FILE_BYTES_MAX) })}</span>
          </>
        )}
        <input
          ref={input}
          type="file"
          hidden
          accept=".csv,.txt,.tsv,.tab,text/csv,text/plain,text/tab-separated-values"
          aria-label={t("import.choose")}
          onChange={(event) => {
            const file = event.target.files?.[0];
            event.target.value = "";
            if (file) void send(file);
          }}
        />
      </div>
      {wrong ? (
        <p className={css.wrong} role="alert">
          <Icon name="warn" />
          <span>{wrong}</span>
        </p>
      ) : null}
      <p className="faint">{t("import.formats")}</p>
    </section>
  );
}

export default function ImportPage() {
  const t = useT();
  const metas = useMetas();
  const navigate = useNavigate();
  const { object } = useSearch({ from: "/shell/import" });
  const may = useMe().actions.includes("import");
  const imports = useImports(may);
  if (!may) return <Denied />;
  const first = importable(metas)[0]?.name ?? "";
  const chosen = object && metas.get(object)?.may.create ? object : metas.get("account")?.may.create ? "account" : first;
  const items = imports.data?.items ?? [];
  return (
    <AdminPage title={t("import.name")} lead={t("import.lead")}>
      {chosen ? <Start object={chosen} onObject={(next) => void navigate({ to: "/import", search: { object: next }, replace: true })} /> : <p className={css.lost}>{t("import.nowhere")}</p>}
      <Panel title={t("import.before")}>
        {imports.error ? <Trouble error={imports.error} retry={() => void imports.refetch()} /> : null}
        {imports.isPending ? <Bones lines={3} /> : null}
        {imports.data && items.length === 0 ? <p className="soft">{t("import.none")}</p> : null}
        <ul>
          {items.map((one) => (
            <ImportLine key={one.id} one={one} />
          ))}
        </ul>
        {items.length > 0 ? <p className="faint">{t("import.keep", { count: limits.IMPORTS_PER_USER_MAX, days: limits.IMPORT_SECONDS / 86_400 })}</p> : null}
      </Panel>
    </AdminPage>
  );
}
