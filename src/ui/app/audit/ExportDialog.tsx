// Takes what was found along as a file. Says before what it will hold, reads page by page with the count in sight, and can be
// stopped; what came until then can still be kept.

import { useRef, useState } from "react";
import { errorText } from "~/api/errors";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { Button } from "~/lib/basics";
import { SelectField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { usePeople } from "~/admin/data";
import css from "~/admin/admin.module.css";
import { csvOf, EXPORT_MAX, jsonOf, readAll, saveFile, type Found } from "./exporting";

export function ExportDialog({ query, denied, onClose }: { query: Found; denied: boolean; onClose: () => void }) {
  const t = useT();
  const people = usePeople();
  const [kind, setKind] = useState<"csv" | "json">("csv");
  const [read, setRead] = useState<number | null>(null);
  const [wrong, setWrong] = useState("");
  const stop = useRef<AbortController | null>(null);

  async function run() {
    const now = new AbortController();
    stop.current = now;
    setWrong("");
    setRead(0);
    try {
      const { entries, complete } = await readAll(query, (entry) => !denied || entry.decision === "deny", now.signal, setRead);
      const name = `kontor-log-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.${kind}`;
      if (kind === "csv") saveFile(name, "text/csv;charset=utf-8", csvOf(entries, (user) => people.get(user)?.name ?? ""));
      else saveFile(name, "application/json", jsonOf(entries, { ...query, ...(denied ? { decision: "deny" } : {}) }));
      toast(t("audit.exported", { number: number(entries.length) }), { tone: "good", ...(complete ? {} : { note: t("audit.cut", { number: number(EXPORT_MAX) }) }) });
      onClose();
    } catch (error) {
      if (!now.signal.aborted) setWrong(errorText(error));
    } finally {
      setRead(null);
    }
  }
  const close = () => {
    stop.current?.abort();
    onClose();
  };
  return (
    <Dialog
      open
      onClose={close}
      title={t("audit.export")}
      closeLabel={t("act.close")}
      size="narrow"
      foot={
        <>
          <Button onClick={close}>{t("act.cancel")}</Button>
          <Button tone="primary" busy={read !== null} onClick={() => void run()}>
            {t("audit.take")}
          </Button>
        </>
      }
    >
      <SelectField label={t("audit.format")} value={kind} choices={[{ value: "csv", label: "CSV (UTF-8)" }, { value: "json", label: "JSON" }]} onChange={(event) => setKind(event.target.value as "csv")} />
      <p>{t("audit.exportText", { number: number(EXPORT_MAX) })}</p>
      <p className="soft">{t("audit.exportNote")}</p>
      {read !== null ? <p role="status" className="num">{t("audit.reading", { number: number(read) })}</p> : null}
      {wrong ? (
        <p className={`${css.warning} ${css.bad}`} role="alert">
          <Icon name="warn" />
          {wrong}
        </p>
      ) : null}
    </Dialog>
  );
}
