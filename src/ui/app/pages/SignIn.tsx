// The sign-in page. It says nothing about the installation that a stranger should not know.

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { signIn } from "~/api/session";
import { errorText } from "~/api/errors";
import { refusalOf, type Refusal } from "~/api/problem";
import { useLanguage, useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { TextField } from "~/lib/fields";
import { Icon, Mark } from "~/lib/icons";
import { setPrefs } from "~/model/prefs";
import { PageTitle } from "~/shell/PageTitle";
import css from "./SignIn.module.css";

export default function SignIn() {
  const t = useT();
  const spoken = useLanguage();
  const client = useQueryClient();
  const router = useRouter();
  const navigate = useNavigate();
  const { to } = useSearch({ from: "/sign-in" });
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  const alert = useRef<HTMLDivElement>(null);

  useEffect(() => first.current?.focus(), []);
  useEffect(() => {
    if (wrong) alert.current?.focus();
  }, [wrong]);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setBusy(true);
    try {
      await signIn(client, String(form.get("login")).trim(), String(form.get("password")), String(form.get("code") ?? "").trim());
      // Only addresses of this interface; the address bar is no place to send people elsewhere from.
      if (to && /^\/[^/\\]/.test(to)) router.history.push(`/app${to}`);
      else await navigate({ to: "/" });
    } catch (error) {
      setWrong(refusalOf(error));
      setBusy(false);
    }
  }

  const other = spoken === "zh" ? "en" : "zh";
  return (
    <div className={css.page}>
      <main className={css.sheet} id="main">
        <div className={css.mark}>
          <Mark size={36} />
          <span>Kontor</span>
        </div>
        <PageTitle title={t("signin.title")} className={css.title} />
        <form onSubmit={submit} className={css.form} noValidate>
          {wrong ? (
            <div ref={alert} tabIndex={-1} role="alert" className={css.wrong}>
              <Icon name="warn" />
              <span>
                {errorText(wrong)}
                {wrong.retryAfterSeconds ? ` ${t("signin.wait", { seconds: wrong.retryAfterSeconds })}` : ""}
              </span>
            </div>
          ) : null}
          <TextField ref={first} label={t("signin.login")} name="login" autoComplete="username" autoCapitalize="none" spellCheck={false} maxLength={64} />
          <TextField label={t("signin.password")} name="password" type="password" autoComplete="current-password" maxLength={256} />
          <details className={css.more}>
            <summary>{t("signin.second")}</summary>
            <TextField label={t("signin.code")} name="code" inputMode="numeric" autoComplete="one-time-code" maxLength={32} />
          </details>
          <Button tone="primary" type="submit" busy={busy}>
            {busy ? t("signin.busy") : t("signin.act")}
          </Button>
        </form>
        <p className={css.note}>{t("signin.note")}</p>
      </main>
      <footer className={css.foot}>
        <button
          type="button"
          lang={other === "zh" ? "zh-CN" : "en"}
          onClick={() => setPrefs({ language: other })}
        >
          {other === "zh" ? "中文" : "English"}
        </button>
        <a href="/docs">{t("shell.help")}</a>
      </footer>
    </div>
  );
}
