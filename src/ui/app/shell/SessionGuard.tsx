// Watches the session: says when it is about to end, and asks for the password over the page when it has ended. The page and
// what was typed into it stay; requests that failed for it are repeated.

import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState, type FormEvent } from "react";
import { wire } from "~/api/client";
import { errorText } from "~/api/errors";
import { signIn, stay, useMe, useSessionLeft } from "~/api/session";
import { useT } from "~/i18n";
import { duration } from "~/i18n/format";
import { Button } from "~/lib/basics";
import { TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import libCss from "~/lib/lib.module.css";
import { Dialog } from "~/lib/overlays";

const WARN_MILLISECONDS = 5 * 60_000;

export function SessionGuard() {
  const t = useT();
  const me = useMe();
  const client = useQueryClient();
  const left = useSessionLeft();
  const [asking, setAsking] = useState(false);
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const waiting = useRef<(() => void)[]>([]);

  const ask = useCallback(() => {
    setAsking(true);
    return new Promise<void>((resolve) => waiting.current.push(resolve));
  }, []);
  useEffect(() => {
    wire.signInAgain = ask;
    return () => {
      wire.signInAgain = null;
    };
  }, [ask]);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    setBusy(true);
    try {
      const session = await signIn(client, me.login, String(new FormData(event.currentTarget).get("password")));
      // Somebody else must not continue in the page of the first.
      if (session.user.id !== me.id) return location.assign("/app/");
      setAsking(false);
      setWrong("");
      for (const go of waiting.current.splice(0)) go();
    } catch (error) {
      setWrong(errorText(error));
    } finally {
      setBusy(false);
    }
  }

  const ended = asking || left <= 0;
  return (
    <>
      {!ended && left < WARN_MILLISECONDS ? (
        <div className={libCss.banner} role="status">
          <Icon name="history" />
          <span>
            {t("session.ending")} <strong className="num">{duration(left / 1000)}</strong>
          </span>
          <Button small onClick={() => void stay()}>
            {t("session.stay")}
          </Button>
        </div>
      ) : null}
      <Dialog open={ended} onClose={() => undefined} title={t("session.ended")} closeLabel={t("act.close")} size="narrow" firm>
        <form onSubmit={submit} style={{ display: "grid", gap: 12 }}>
          <p className="soft">{t("session.kept")}</p>
          <TextField label={t("signin.login")} value={me.login} readOnly autoComplete="username" />
          <TextField label={t("signin.password")} name="password" type="password" autoComplete="current-password" data-autofocus error={wrong || undefined} />
          <div style={{ display: "flex", gap: 8, justifyContent: "flex-end" }}>
            <Button tone="quiet" onClick={() => location.assign("/app/sign-in")}>
              {t("session.other")}
            </Button>
            <Button tone="primary" type="submit" busy={busy}>
              {t("signin.act")}
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
