// API tokens without their secret: what they may do, until when, when they were used last. A token can be revoked, for good.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { useMe } from "~/api/session";
import type { Token } from "~/api/types.gen";
import { useT } from "~/i18n";
import { ago, moment } from "~/i18n/format";
import { Badge, Button } from "~/lib/basics";
import { toast } from "~/lib/toasts";
import { Confirm } from "./Page";
import css from "./admin.module.css";

export function stateOf(token: Token, now = Date.now()): "revoked" | "expired" | "live" {
  if (token.revoked_at) return "revoked";
  return new Date(token.expires_at).getTime() <= now ? "expired" : "live";
}

export function TokenLines({ items, user }: { items: Token[]; user: string }) {
  const t = useT();
  const me = useMe();
  const client = useQueryClient();
  const [asking, setAsking] = useState<Token | null>(null);
  const revoke = useMutation({
    mutationFn: (token: string) => (user === me.id ? call("token_revoke", { params: { token } }) : call("user_token_revoke", { params: { user, token } })),
    onError: (error) => toast(errorText(error), { tone: "bad", note: errorNote(error) }),
    onSuccess: () => {
      setAsking(null);
      void client.invalidateQueries({ queryKey: ["tokens", user] });
      toast(t("tokens.revoked"), { tone: "good" });
    },
  });
  return (
    <>
      <ul className={css.lines}>
        {items.map((token) => {
          const state = stateOf(token);
          return (
            <li key={token.id}>
              <strong>{token.name}</strong>
              <code className="faint">{token.prefix}…</code>
              {state === "live" ? <span className="soft num">{t("tokens.until", { when: moment(token.expires_at) })}</span> : <Badge tone={state === "revoked" ? "bad" : "warn"}>{t(`tokens.${state}State`)}</Badge>}
              <span className="faint">{token.last_used_at ? t("settings.seen", { when: ago(token.last_used_at) }) : t("tokens.unused")}</span>
              <span className={css.end}>
                {state === "live" ? (
                  <Button small onClick={() => setAsking(token)}>
                    {t("tokens.revoke")}
                  </Button>
                ) : null}
              </span>
              <span className={css.note} style={{ width: "100%", paddingBottom: 4 }}>
                {token.scopes.join(" · ")}
                {token.allow.length > 0 ? ` · ${t("tokens.only", { networks: token.allow.join(", ") })}` : ""}
              </span>
            </li>
          );
        })}
      </ul>
      <Confirm open={asking !== null} title={t("tokens.revokeTitle", { name: asking?.name ?? "" })} act={t("tokens.revoke")} danger busy={revoke.isPending} onClose={() => setAsking(null)} onAct={() => (asking ? revoke.mutate(asking.id) : undefined)}>
        <p>{t("tokens.revokeText")}</p>
      </Confirm>
    </>
  );
}
