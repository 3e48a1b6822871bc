// What people set for themselves: look, language, keys, password, and where they are signed in.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { call } from "~/api/client";
import { errorText, fieldErrorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { useMe } from "~/api/session";
import { useLanguage, useT } from "~/i18n";
import { ago, moment } from "~/i18n/format";
import { Badge, Button } from "~/lib/basics";
import { CheckField, SelectField, TextField } from "~/lib/fields";
import { toast } from "~/lib/toasts";
import { setPrefs, usePrefs, type Density, type Theme } from "~/model/prefs";
import { PageTitle } from "~/shell/PageTitle";
import { THEMES } from "~/shell/TopBar";
import { Trouble } from "./Trouble";
import css from "./pages.module.css";

function Look() {
  const t = useT();
  const prefs = usePrefs();
  const spoken = useLanguage();
  return (
    <section className={css.block} aria-labelledby="look">
      <h2 id="look">{t("settings.look")}</h2>
      <div className={css.pair}>
        <SelectField label={t("settings.theme")} value={prefs.theme} onChange={(event) => setPrefs({ theme: event.target.value as Theme })} choices={THEMES.map((one) => ({ value: one.theme, label: t(one.key) }))} />
        <SelectField
          label={t("settings.language")}
          value={spoken}
          onChange={(event) => setPrefs({ language: event.target.value as "en" | "zh" })}
          choices={[
            { value: "en", label: "English" },
            { value: "zh", label: "中文" },
          ]}
        />
        <SelectField label={t("settings.density")} value={prefs.density} onChange={(event) => setPrefs({ density: event.target.value as Density })} choices={(["compact", "standard", "comfortable"] as const).map((one) => ({ value: one, label: t(`density.${one}`) }))} />
        <TextField label={t("settings.currency")} hint={t("settings.currencyHint")} value={prefs.currency} maxLength={3} onChange={(event) => setPrefs({ currency: event.target.value.toUpperCase() })} />
      </div>
      <CheckField label={t("keys.off")} checked={prefs.keysOff} onChange={(keysOff) => setPrefs({ keysOff })} />
    </section>
  );
}

function Password() {
  const t = useT();
  const [error, setError] = useState("");
  const change = useMutation({ mutationFn: (body: { old: string; new: string }) => call("password_change", { body }) });
  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const wanted = { old: String(data.get("old")), new: String(data.get("new")) };
    if (wanted.new !== data.get("again")) return setError(t("settings.differ"));
    setError("");
    change.mutate(wanted, {
      onSuccess: () => {
        form.reset();
        toast(t("settings.changed"), { tone: "good" });
      },
      onError: (wrong) => {
        const first = refusalOf(wrong).errors[0];
        setError(first ? fieldErrorText(first) : errorText(wrong));
      },
    });
  }
  return (
    <section className={css.block} aria-labelledby="password">
      <h2 id="password">{t("settings.password")}</h2>
      <form className={css.pair} onSubmit={submit}>
        <TextField label={t("settings.old")} name="old" type="password" autoComplete="current-password" />
        <span />
        <TextField label={t("settings.new")} name="new" type="password" autoComplete="new-password" hint={t("settings.newHint")} error={error || undefined} />
        <TextField label={t("settings.again")} name="again" type="password" autoComplete="new-password" />
        <div>
          <Button type="submit" busy={change.isPending}>
            {t("settings.change")}
          </Button>
        </div>
      </form>
    </section>
  );
}

function Sessions() {
  const t = useT();
  const client = useQueryClient();
  const { data, error, refetch } = useQuery({ queryKey: ["sessions"], queryFn: ({ signal }) => call("session_list", { signal }) });
  const end = useMutation({
    mutationFn: (session: string) => call("session_end", { params: { session } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["sessions"] }),
    onError: (wrong) => toast(errorText(wrong), { tone: "bad" }),
  });
  return (
    <section className={css.block} aria-labelledby="sessions">
      <h2 id="sessions">{t("settings.sessions")}</h2>
      {error ? <Trouble error={error} retry={() => void refetch()} /> : null}
      <ul className={css.lines}>
        {data?.items.map((one) => (
          <li key={one.id}>
            <span className="num">{one.source ?? t("settings.unknown")}</span>
            <span className="soft">{t("settings.seen", { when: ago(one.last_seen_at) })}</span>
            <span className="faint num">{t("settings.since", { when: moment(one.created_at) })}</span>
            <span className={css.end}>{one.current ? <Badge tone="brass">{t("settings.this")}</Badge> : <Button small onClick={() => end.mutate(one.id)}>{t("settings.end")}</Button>}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Tokens have a page of their own. */
function Tokens() {
  const t = useT();
  return (
    <section className={css.block} aria-labelledby="tokens">
      <h2 id="tokens">{t("tokens.title")}</h2>
      <p className="soft">
        {t("tokens.lead")} <Link to="/tokens">{t("tokens.manage")}</Link>
      </p>
    </section>
  );
}

export default function Settings() {
  const t = useT();
  const me = useMe();
  return (
    <div className={css.page}>
      <PageTitle title={t("rail.settings")} className={css.title} />
      <p className="soft">
        {me.display_name} · {me.login}
      </p>
      <Look />
      <Password />
      <Sessions />
      <Tokens />
    </div>
  );
}
