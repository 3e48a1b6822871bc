// Gives a role to somebody, for good or between two times. What the role reaches is said before; a role that may not be held
// together with another is refused by the server, with the reason at its place.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { call } from "~/api/client";
import { errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { SelectField, TextField } from "~/lib/fields";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { said } from "~/model/meta";
import { RecordPicker } from "~/value/RecordPicker";
import { type Picked } from "~/value/title";
import { useRoles } from "./data";
import css from "./admin.module.css";

type Props = { user?: string; name?: string; role?: string; has?: string[]; onClose: () => void };

const utc = (local: string) => (local ? new Date(local).toISOString() : null);

export function GrantRole({ user, name, role: preset = "", has = [], onClose }: Props) {
  const t = useT();
  const client = useQueryClient();
  const roles = useRoles();
  const [role, setRole] = useState(preset);
  const [who, setWho] = useState<Picked | null>(user ? { object: "user", id: user, title: name } : null);
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const grant = useMutation({
    mutationFn: () => call("role_grant", { params: { user: who?.id ?? "" }, body: { role, ...(from ? { valid_from: utc(from) } : {}), ...(to ? { valid_to: utc(to) } : {}) } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["user-roles"] });
      void client.invalidateQueries({ queryKey: ["user-sessions", who?.id] });
      toast(t("users.granted"), { tone: "good" });
      onClose();
    },
  });
  const chosen = roles.data?.find((one) => one.name === role);
  const wrong = grant.error ? (refusalOf(grant.error).errors[0]?.detail ?? errorText(grant.error)) : undefined;
  const blocked = !role || !who ? t("bulk.pick") : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!blocked && !grant.isPending) grant.mutate();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={user ? t("users.grantTo", { name: name ?? "" }) : t("roles.give")}
      closeLabel={t("act.close")}
      foot={
        <>
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button tone="primary" type="submit" form="grant-role" busy={grant.isPending} blocked={blocked}>
            {t("users.grant")}
          </Button>
        </>
      }
    >
      <form id="grant-role" className={css.grid} onSubmit={submit}>
        {user ? null : (
          <div className={css.full}>
            <RecordPicker objects={["user"]} value={who} onChange={setWho} label={t("audit.person")} autoFocus />
          </div>
        )}
        <div className={css.full}>
          <SelectField
            label={t("roles.role")}
            value={role}
            empty="–"
            error={wrong}
            hint={chosen ? said(chosen.description) : undefined}
            choices={(roles.data ?? []).filter((one) => one.assignable && !has.includes(one.name)).map((one) => ({ value: one.name, label: said(one.label) }))}
            onChange={(event) => {
              setRole(event.target.value);
              grant.reset();
            }}
          />
        </div>
        <TextField label={t("users.validFrom")} type="datetime-local" value={from} onChange={(event) => setFrom(event.target.value)} />
        <TextField label={t("users.validTo")} type="datetime-local" value={to} onChange={(event) => setTo(event.target.value)} />
      </form>
      <p className="soft">{t("users.grantText")}</p>
    </Dialog>
  );
}
