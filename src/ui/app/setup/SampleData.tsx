// Sample data: how much there is, loading it, and removing all of it. What people changed or added since is shown before it goes.

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { usePeople } from "~/admin/data";
import { Confirm } from "~/admin/Page";
import admin from "~/admin/admin.module.css";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import type { Sample } from "~/api/types.gen";
import { useT } from "~/i18n";
import { ago, moment, number } from "~/i18n/format";
import { Badge, Bone, Button } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { toast } from "~/lib/toasts";
import { settingsQuery, useSample } from "~/model/house";
import { objectLabel, useMetas } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import css from "./setup.module.css";

function Bar({ sample }: { sample: Sample }) {
  const t = useT();
  const part = sample.total > 0 ? Math.round((sample.done / sample.total) * 100) : 0;
  const words = sample.total === 0 ? t("sample.preparing") : t(sample.state === "loading" ? "sample.loading" : "sample.removing", { done: number(sample.done), total: number(sample.total) });
  return (
    <div role="status">
      <div className={css.track} role="progressbar" aria-label={words} aria-valuenow={part} aria-valuemin={0} aria-valuemax={100}>
        <span style={{ width: `${part}%` }} />
      </div>
      <p className="soft">{words}</p>
    </div>
  );
}

function Counts({ sample }: { sample: Sample }) {
  const metas = useMetas();
  const total = sample.objects.reduce((sum, one) => sum + one.count, 0);
  const t = useT();
  return (
    <>
      <p>
        <Badge tone="brass">{t("record.sample")}</Badge> {t("sample.there", { count: total, number: number(total) })} {sample.loaded_at ? <span className="faint">{`· ${t("sample.since", { when: moment(sample.loaded_at) })}`}</span> : null}
      </p>
      <ul className={css.counts}>
        {sample.objects.map((one) => (
          <li key={one.object}>
            <span>{objectLabel(metas.get(one.object), true) || one.object}</span>
            <span className="num">{number(one.count)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** What people did since, by object, person and time: no values, for who runs the appliance opens no customer data. */
function Since({ sample }: { sample: Sample }) {
  const t = useT();
  const metas = useMetas();
  const people = usePeople();
  const line = (one: { object: string; id: string; at: string; by: string | null }, words: string) => (
    <li key={`${one.id}${words}`}>
      <strong>{objectLabel(metas.get(one.object)) || one.object}</strong> <span>{words}</span> <span className="faint">{[one.by ? people.get(one.by)?.name : "", ago(one.at)].filter(Boolean).join(" · ")}</span>
    </li>
  );
  const more = sample.changed_total + sample.added_total - sample.changed.length - sample.added.length;
  return (
    <ul className={css.since}>
      {sample.changed.map((one) => line(one, t("sample.changed")))}
      {sample.added.map((one) => line(one, one.goes ? t("sample.goes") : t("sample.stays")))}
      {sample.files > 0 ? <li>{t("sample.files", { count: sample.files })}</li> : null}
      {more > 0 ? <li className="faint">{t("sample.more", { count: more })}</li> : null}
    </ul>
  );
}

function Removal({ sample, onClose, onAct, busy }: { sample: Sample; onClose: () => void; onAct: () => void; busy: boolean }) {
  const t = useT();
  const touched = sample.changed_total + sample.added_total + sample.files > 0;
  return (
    <Confirm open title={t("sample.removeTitle")} act={touched ? t("sample.removeAll") : t("sample.remove")} danger busy={busy} onClose={onClose} onAct={onAct}>
      <p>{t("sample.removeText")}</p>
      {sample.you ? <p>{t("sample.you")}</p> : null}
      {touched ? (
        <>
          <p className={admin.warning}>
            <Icon name="warn" />
            <span>{t("sample.touched")}</span>
          </p>
          <Since sample={sample} />
        </>
      ) : null}
    </Confirm>
  );
}

export function SampleData() {
  const t = useT();
  const client = useQueryClient();
  const query = useSample();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const state = query.data?.state;
  const before = useRef(state);
  useEffect(() => {
    const was = before.current;
    before.current = state;
    if (!state || !was || was === state) return;
    if (state === "present" || state === "none") {
      // Every list, count and title may be another now.
      void client.invalidateQueries();
      toast(t(state === "present" ? "sample.loaded" : "sample.removed"), { tone: "good" });
    }
  }, [state, client, t]);

  async function act(what: "sample_load" | "sample_remove") {
    setBusy(true);
    try {
      const answer = what === "sample_load" ? await call("sample_load") : await call("sample_remove", { query: { confirmed: true } });
      setAsking(false);
      before.current = answer.state;
      client.setQueryData(["sample"], answer);
      await client.invalidateQueries({ queryKey: ["sample"] });
    } catch (error) {
      toast(errorText(error), { tone: "bad", note: errorNote(error) });
      await client.invalidateQueries({ queryKey: ["sample"] });
      void client.invalidateQueries({ queryKey: settingsQuery.queryKey });
    } finally {
      setBusy(false);
    }
  }

  if (query.error) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Bone height={90} />;
  const sample = query.data;
  return (
    <div className={css.sample}>
      {sample.error ? (
        <p className={`${admin.warning} ${admin.bad}`} role="alert">
          <Icon name="warn" />
          <span>{sample.error}</span>
        </p>
      ) : null}
      {sample.state === "loading" || sample.state === "removing" ? <Bar sample={sample} /> : null}
      {sample.state === "none" ? (
        <>
          <p>{t("sample.none")}</p>
          <div>
            <Button busy={busy} onClick={() => void act("sample_load")}>
              {t("sample.load")}
            </Button>
          </div>
        </>
      ) : null}
      {sample.state === "present" || sample.state === "interrupted" ? (
        <>
          {sample.state === "interrupted" ? <p>{t("sample.interrupted")}</p> : null}
          <Counts sample={sample} />
          <div>
            <Button tone="danger" icon="trash" busy={busy} onClick={() => setAsking(true)}>
              {t("sample.remove")}
            </Button>
          </div>
        </>
      ) : null}
      {asking ? <Removal sample={sample} busy={busy} onClose={() => setAsking(false)} onAct={() => void act("sample_remove")} /> : null}
    </div>
  );
}
