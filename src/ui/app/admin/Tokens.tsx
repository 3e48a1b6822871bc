// One's own API tokens: made with scopes, an end and, if wanted, the networks they may come from. The secret is shown once.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { call } from "~/api/client";
import { errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { useMe } from "~/api/session";
import { limits, type TokenCreated } from "~/api/types.gen";
import { useT } from "~/i18n";
import { moment } from "~/i18n/format";
import { Badge, Button, IconButton, State } from "~/lib/basics";
import { SelectField, TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { Dialog } from "~/lib/overlays";
import { objectLabel, useMetas } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { AdminPage, Bones, Once } from "./Page";
import { TokenLines } from "./TokenLines";
import css from "./admin.module.css";

const VERBS = ["read", "create", "update", "delete", "import", "*"] as const;
const DAYS = [7, 30, 90, 180, 365] as const;

/** Networks as people type them: by blanks, commas or lines. */
export function networks(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean);
}

function Made({ token, onClose }: { token: TokenCreated; onClose: () => void }) {
  const t = useT();
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("tokens.made", { name: token.name })}
      closeLabel={t("act.close")}
      easy={false}
      foot={
        <Button tone="primary" onClick={onClose}>
          {t("tokens.kept")}
        </Button>
      }
    >
      <Once text={token.token} label={t("tokens.secret")} />
      <p>{t("tokens.once")}</p>
      <p className="soft">{t("tokens.until", { when: moment(token.expires_at) })} · {token.scopes.join(" · ")}</p>
    </Dialog>
  );
}

function NewToken({ onClose, onMade }: { onClose: () => void; onMade: (token: TokenCreated) => void }) {
  const t = useT();
  const metas = useMetas();
  const client = useQueryClient();
  const me = useMe();
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [scopes, setScopes] = useState<string[]>([]);
  const [object, setObject] = useState("records");
  const [verb, setVerb] = useState<string>("read");
  const [allow, setAllow] = useState("");
  const make = useMutation({
    mutationFn: () => call("token_create", { body: { name: name.trim(), scopes, expires_at: new Date(Date.now() + Number(days) * 86_400_000).toISOString(), ...(allow.trim() ? { allow: networks(allow) } : {}) } }),
    onSuccess: (token) => {
      void client.invalidateQueries({ queryKey: ["tokens", me.id] });
      onMade(token);
    },
  });
  const wrong = make.error ? refusalOf(make.error) : null;
  const of = (field: string) => wrong?.of(field)?.detail;
  const blocked = !name.trim() ? t("tokens.needName") : scopes.length === 0 ? t("tokens.needScope") : undefined;
  const add = () => {
    const scope = `${object}:${verb}`;
    if (!scopes.includes(scope) && scopes.length < limits.TOKEN_SCOPES_MAX) setScopes([...scopes, scope]);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!blocked && !make.isPending) make.mutate();
  };
  const objects = [{ value: "records", label: t("tokens.allRecords") }, ...[...metas.values()].filter((meta) => meta.may.read).map((meta) => ({ value: meta.name, label: objectLabel(meta, true) }))];
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("tokens.new")}
      closeLabel={t("act.close")}
      easy={false}
      foot={
        <>
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button tone="primary" type="submit" form="new-token" busy={make.isPending} blocked={blocked}>
            {t("tokens.make")}
          </Button>
        </>
      }
    >
      <form id="new-token" className={css.grid} onSubmit={submit}>
        {wrong && !of("name") && !of("scopes") && !of("allow") && !of("expires_at") ? (
          <p className={`${css.full} ${css.warning} ${css.bad}`} role="alert">
            <Icon name="warn" />
            {errorText(wrong)}
          </p>
        ) : null}
        <TextField label={t("tokens.name")} hint={t("tokens.nameHint")} value={name} maxLength={limits.TOKEN_NAME_CHARS_MAX} error={of("name")} data-autofocus onChange={(event) => setName(event.target.value)} />
        <SelectField label={t("tokens.life")} value={days} error={of("expires_at")} choices={DAYS.map((count) => ({ value: String(count), label: t("tokens.days", { count }) }))} onChange={(event) => setDays(event.target.value)} />
        <fieldset className={`${css.full} ${css.checks}`}>
          <legend className="soft">{t("tokens.scopes")}</legend>
          <div className={css.bar} style={{ padding: 0 }}>
            <SelectField label={t("tokens.on")} value={object} choices={objects} onChange={(event) => setObject(event.target.value)} />
            <SelectField label={t("tokens.may")} value={verb} choices={VERBS.map((one) => ({ value: one, label: t(`tokens.verb.${one === "*" ? "any" : one}`) }))} onChange={(event) => setVerb(event.target.value)} />
            <Button icon="plus" onClick={add}>
              {t("tokens.add")}
            </Button>
          </div>
          {of("scopes") ? <p role="alert">{of("scopes")}</p> : null}
          <div className={css.scopes} style={{ padding: 0 }}>
            {scopes.length === 0 ? <span>{t("tokens.noScopes")}</span> : null}
            {scopes.map((scope) => (
              <span key={scope} style={{ display: "inline-flex", alignItems: "center" }}>
                <Badge>{scope}</Badge>
                <IconButton small icon="close" label={t("related.remove", { name: scope })} onClick={() => setScopes(scopes.filter((one) => one !== scope))} />
              </span>
            ))}
          </div>
        </fieldset>
        <div className={css.full}>
          <TextField label={t("tokens.allow")} hint={t("tokens.allowHint")} value={allow} error={of("allow")} onChange={(event) => setAllow(event.target.value)} />
        </div>
      </form>
      <p className="soft">{t("tokens.text")}</p>
    </Dialog>
  );
}

export default function Tokens() {
  const t = useT();
  const me = useMe();
  const may = me.actions.includes("token");
  const [creating, setCreating] = useState(false);
  const [made, setMade] = useState<TokenCreated | null>(null);
  const tokens = useQuery({ queryKey: ["tokens", me.id], queryFn: ({ signal }) => call("token_list", { signal }) });
  const items = tokens.data?.items ?? [];
  return (
    <AdminPage
      title={t("tokens.title")}
      crumb={{ to: "/settings", label: t("rail.settings") }}
      lead={t("tokens.lead")}
      acts={
        <Button tone="primary" icon="plus" blocked={may ? undefined : t("tokens.denied")} onClick={() => setCreating(true)}>
          {t("tokens.new")}
        </Button>
      }
    >
      {tokens.error ? <Trouble error={tokens.error} retry={() => void tokens.refetch()} /> : null}
      {tokens.isPending ? <Bones lines={4} /> : null}
      {tokens.data && items.length === 0 ? <State icon="link" title={t("tokens.none")} text={may ? t("tokens.noneText") : t("tokens.denied")} /> : null}
      {items.length > 0 ? (
        <div className={css.panel}>
          <TokenLines items={items} user={me.id} />
        </div>
      ) : null}
      {creating ? (
        <NewToken
          onClose={() => setCreating(false)}
          onMade={(token) => {
            setCreating(false);
            setMade(token);
          }}
        />
      ) : null}
      {made ? <Made token={made} onClose={() => setMade(null)} /> : null}
    </AdminPage>
  );
}
