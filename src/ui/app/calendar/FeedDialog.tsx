// The secret address under which a calendar program reads the own activities. It is shown once, when it is made; whoever has it
// reads them without a sign-in, so it can be taken back at any time.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { useMe } from "~/api/session";
import { HelpLink } from "~/help/HelpLink";
import { useT } from "~/i18n";
import { ago, date } from "~/i18n/format";
import { Bone, Button } from "~/lib/basics";
import { TextField } from "~/lib/fields";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { Trouble } from "~/pages/Trouble";
import css from "./calendar.module.css";

const KEY = ["calendar-feed"] as const;

export default function FeedDialog({ onClose }: { onClose: () => void }) {
  const t = useT();
  const me = useMe();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery({ queryKey: KEY, queryFn: ({ signal }) => call("calendar_feed_show", { signal }) });
  const [made, setMade] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const denied = me.actions.includes("token") ? undefined : t("feed.denied");

  async function act(work: () => Promise<void>) {
    setBusy(true);
    try {
      await work();
    } catch (wrong) {
      toast(errorText(wrong), { tone: "bad", note: errorNote(wrong) });
    } finally {
      setBusy(false);
      void client.invalidateQueries({ queryKey: KEY });
    }
  }
  const create = () => act(async () => setMade(`${location.origin}${(await call("calendar_feed_create")).path}`));
  const revoke = () =>
    act(async () => {
      await call("calendar_feed_revoke");
      setMade(null);
      toast(t("feed.revoked"), { tone: "good" });
    });
  const copy = () =>
    act(async () => {
      await navigator.clipboard.writeText(made ?? "");
      toast(t("feed.copied"), { tone: "good" });
    });
  const feed = data?.feed;
  return (
    <Dialog open onClose={onClose} title={t("feed.title")} closeLabel={t("act.close")} foot={<HelpLink topic="feed" before={onClose} />}>
      <p className="soft">{t("feed.text")}</p>
      {error ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {!data && !error ? <Bone width={260} /> : null}
      {made ? (
        <>
          <TextField label={t("feed.address")} hint={t("feed.once")} readOnly value={made} onFocus={(event) => event.currentTarget.select()} />
          <div className={css.feedActs}>
            <Button icon="copy" onClick={() => void copy()}>
              {t("feed.copy")}
            </Button>
          </div>
        </>
      ) : null}
      {feed ? (
        <p>
          {t("feed.since", { made: date(feed.created_at), until: date(feed.expires_at) })} <span className="faint">{feed.last_used_at ? t("feed.used", { when: ago(feed.last_used_at) }) : t("feed.unused")}</span>
        </p>
      ) : null}
      {data ? (
        <div className={css.feedActs}>
          {feed ? (
            <Button tone="danger" icon="trash" busy={busy} onClick={() => void revoke()}>
              {t("feed.revoke")}
            </Button>
          ) : null}
          {made ? null : (
            <Button tone={feed ? "plain" : "primary"} busy={busy} blocked={denied} onClick={() => void create()}>
              {feed ? t("feed.renew") : t("feed.create")}
            </Button>
          )}
        </div>
      ) : null}
    </Dialog>
  );
}
