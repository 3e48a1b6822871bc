// The password that somebody else set is changed before anything else.

import { useQueryClient } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { call } from "~/api/client";
import { errorText, fieldErrorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { sessionQuery, signOut } from "~/api/session";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { TextField } from "~/lib/fields";
import { Mark } from "~/lib/icons";
import { PageTitle } from "~/shell/PageTitle";
import css from "./SignIn.module.css";

export default function FirstPassword() {
  const t = useT();
  const client = useQueryClient();
  const router = useRouter();
  const { to } = useSearch({ from: "/password" });
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const wanted = String(data.get("new"));
    if (wanted !== data.get("again")) return setWrong(t("settings.differ"));
    setBusy(true);
    try {
      // The token of the session is needed for the change, also when the page was just loaded.
      await client.ensureQueryData(sessionQuery);
      await call("password_change", { body: { old: String(data.get("old")), new: wanted } });
      await client.fetchQuery({ ...sessionQuery, staleTime: 0 });
      router.history.push(to && /^\/[^/\\]/.test(to) ? `/app${to}` : "/app/");
    } catch (error) {
      const refusal = refusalOf(error);
      const first = refusal.errors[0];
      setWrong(first ? fieldErrorText(first) : errorText(refusal));
      setBusy(false);
    }
  }

  return (
    <div className={css.page}>
      <main className={css.sheet} id="main">
        <div className={css.mark}>
          <Mark size={36} />
          <span>Kontor</span>
        </div>
        <PageTitle title={t("password.title")} className={css.title} />
        <p className={css.note}>{t("password.text")}</p>
        <form onSubmit={submit} className={css.form} noValidate>
          <TextField label={t("settings.old")} name="old" type="password" autoComplete="current-password" maxLength={256} />
          <TextField label={t("settings.new")} name="new" type="password" autoComplete="new-password" maxLength={256} hint={t("settings.newHint")} error={wrong || undefined} />
          <TextField label={t("settings.again")} name="again" type="password" autoComplete="new-password" maxLength={256} />
          <Button tone="primary" type="submit" busy={busy}>
            {t("settings.change")}
          </Button>
        </form>
      </main>
      <footer className={css.foot}>
        <button type="button" onClick={() => void signOut()}>
          {t("bar.signout")}
        </button>
      </footer>
    </div>
  );
}
