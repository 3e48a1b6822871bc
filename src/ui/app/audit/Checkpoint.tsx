// The signed state of the log: size, root, signature; whether an older one that somebody kept is still its beginning; and how to
// verify without us.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { errorText } from "~/api/errors";
import { manualPage } from "~/help/topics";
import { language, useT } from "~/i18n";
import { number } from "~/i18n/format";
import { Button } from "~/lib/basics";
import { TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { Bones, FileButton, Panel } from "~/admin/Page";
import { saveFile } from "./exporting";
import { fetchCheckpoint, readCheckpoint, signatureHolds, stillBegins } from "./proof";
import css from "~/admin/admin.module.css";

type Verdict = { tone: "good" | "bad" | "plain"; text: string } | null;

function Said({ verdict }: { verdict: Verdict }) {
  if (!verdict) return null;
  return (
    <p className={`${css.warning} ${verdict.tone === "bad" ? css.bad : verdict.tone === "good" ? css.well : ""}`} role="status">
      <Icon name={verdict.tone === "good" ? "check" : verdict.tone === "bad" ? "warn" : "info"} />
      {verdict.text}
    </p>
  );
}

export function Checkpoint() {
  const t = useT();
  const [key, setKey] = useState("");
  const [signed, setSigned] = useState<Verdict>(null);
  const [begins, setBegins] = useState<Verdict>(null);
  const [busy, setBusy] = useState(false);
  // Reading the log is logged: it is read when somebody asks, not each minute.
  const { data, error, refetch, isFetching } = useQuery({ queryKey: ["checkpoint"], queryFn: ({ signal }) => fetchCheckpoint(signal), staleTime: Infinity, refetchOnWindowFocus: false, retry: false });

  async function checkKey() {
    if (!data) return;
    const verdict = await signatureHolds(data, key);
    const said = { holds: { tone: "good", text: t("audit.signature.holds", { size: number(data.size) }) }, wrong: { tone: "bad", text: t("audit.signature.wrong") }, cannot: { tone: "plain", text: t("audit.signature.cannot") }, noKey: { tone: "bad", text: t("audit.signature.noKey") } } as const;
    setSigned(said[verdict]);
  }
  async function compare(file: File) {
    setBusy(true);
    setBegins(null);
    try {
      const old = file.size < 10_000 ? readCheckpoint(await file.text()) : null;
      if (!old) return setBegins({ tone: "bad", text: t("audit.older.none") });
      if (data && old.origin !== data.origin) return setBegins({ tone: "bad", text: t("audit.older.other", { origin: old.origin }) });
      const { holds, size } = await stillBegins(old);
      setBegins(holds ? { tone: "good", text: t("audit.older.holds", { old: number(old.size), size: number(size) }) } : { tone: "bad", text: t("audit.older.wrong", { old: number(old.size) }) });
    } catch (wrong) {
      setBegins({ tone: "bad", text: errorText(wrong) });
    } finally {
      setBusy(false);
    }
  }
  return (
    <Panel
      title={t("audit.checkpoint")}
      end={
        <span style={{ display: "flex", gap: 4 }}>
          <Button small icon="refresh" busy={isFetching} onClick={() => void refetch()}>
            {t("list.refresh")}
          </Button>
          <Button small blocked={data ? undefined : t("state.loading")} onClick={() => (data ? saveFile(`checkpoint-${data.size}`, "text/plain", data.text) : undefined)}>
            {t("audit.keep")}
          </Button>
        </span>
      }
    >
      {error ? <p className="soft">{errorText(error)}</p> : null}
      {!data && !error ? <Bones lines={3} /> : null}
      {data ? (
        <dl className={css.facts}>
          <dt>{t("audit.origin")}</dt>
          <dd>
            <code>{data.origin}</code>
          </dd>
          <dt>{t("audit.size")}</dt>
          <dd className="num">{number(data.size)}</dd>
          <dt>{t("audit.root")}</dt>
          <dd>
            <code>{data.root}</code>
          </dd>
          <dt>{t("audit.signedBy")}</dt>
          <dd>{data.signed.map((one) => one.name).join(", ")}</dd>
        </dl>
      ) : null}
      <p className="soft">{t("audit.checkpointText")}</p>
      <form
        className={css.bar}
        style={{ padding: 0 }}
        onSubmit={(event) => {
          event.preventDefault();
          void checkKey();
        }}
      >
        <div style={{ flex: "1 1 320px" }}>
          <TextField label={t("audit.key")} hint={t("audit.keyHint")} value={key} spellCheck={false} autoComplete="off" onChange={(event) => setKey(event.target.value)} />
        </div>
        <div style={{ alignSelf: "center", minWidth: 0 }}>
          <Button type="submit" blocked={key.trim() ? undefined : t("audit.needKey")}>
            {t("audit.checkKey")}
          </Button>
        </div>
      </form>
      <Said verdict={signed} />
      <div>
        <FileButton label={t("audit.older")} busy={busy} onFile={(file) => void compare(file)} />
      </div>
      <Said verdict={begins} />
      <p>
        {t("audit.tools")}{" "}
        <a href={manualPage("auditor/verify", language())} target="_blank" rel="noreferrer">
          {t("audit.toolsVerify")}
        </a>
        {" · "}
        <a href={manualPage("auditor/log-format", language())} target="_blank" rel="noreferrer">
          {t("audit.toolsFormat")}
        </a>
      </p>
    </Panel>
  );
}
