// One user: facts that are edited in their place; roles, teams, sessions and tokens; password and lock. What ends sessions or
// takes rights away says so before it is done.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { call } from "~/api/client";
import { errorNote, errorText, fieldErrorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { useMe } from "~/api/session";
import { limits, type Json, type RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { ago, moment } from "~/i18n/format";
import { Badge, Button, IconButton, libCss } from "~/lib/basics";
import { TextField } from "~/lib/fields";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { optionLabel, said, titleOf, useMetas, type Meta } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { Facts } from "~/record/Facts";
import { useChange, useRecord } from "~/record/data";
import { RecordPicker } from "~/value/RecordPicker";
import { type Picked } from "~/value/title";
import { useOffices, useRoles, userRolesQuery } from "./data";
import { GrantRole } from "./GrantRole";
import { AdminPage, Bones, Confirm, Denied, Panel } from "./Page";
import { firstPassword } from "./passwords";
import { TokenLines } from "./TokenLines";
import { STATUS_TONES } from "./Users";
import css from "./admin.module.css";

function complain(error: unknown): void {
  const first = refusalOf(error).errors[0];
  toast(errorText(error), { tone: "bad", note: first?.detail ?? errorNote(error) });
}

function Roles({ user, name }: { user: string; name: string }) {
  const t = useT();
  const me = useMe();
  const client = useQueryClient();
  const offices = useOffices();
  const roles = useRoles(offices.roles);
  const mine = useQuery(userRolesQuery(user));
  const [granting, setGranting] = useState(false);
  const [revoking, setRevoking] = useState<string | null>(null);
  const revoke = useMutation({
    mutationFn: (role: string) => call("role_revoke", { params: { user, role } }),
    onError: complain,
    onSuccess: () => {
      setRevoking(null);
      void client.invalidateQueries({ queryKey: ["user-roles", user] });
      void client.invalidateQueries({ queryKey: ["user-sessions", user] });
      toast(t("users.revoked"), { tone: "good" });
    },
  });
  const label = (role: string) => {
    const found = roles.data?.find((one) => one.name === role);
    return found ? said(found.label) : role;
  };
  const blocked = user === me.id ? t("users.noSelf") : offices.giveRoles ? undefined : t("users.noRoles");
  return (
    <Panel
      title={t("users.roles")}
      end={
        <Button small icon="plus" blocked={blocked} onClick={() => setGranting(true)}>
          {t("users.grant")}
        </Button>
      }
    >
      {mine.error ? <p className="soft">{errorText(mine.error)}</p> : null}
      {mine.data?.roles.length === 0 ? <p className="soft">{t("users.noneRoles")}</p> : null}
      <ul className={css.lines}>
        {mine.data?.roles.map((one) => (
          <li key={one.role}>
            {offices.roles ? <Link to="/admin/roles" search={{ role: one.role }}>{label(one.role)}</Link> : <span>{label(one.role)}</span>}
            {one.valid_from ? <span className="soft">{t("users.from", { when: moment(one.valid_from) })}</span> : null}
            {one.valid_to ? <span className="soft">{t("users.until", { when: moment(one.valid_to) })}</span> : null}
            <span className={css.end}>
              <IconButton small icon="close" label={t("users.revoke", { role: label(one.role) })} blocked={blocked} onClick={() => setRevoking(one.role)} />
            </span>
          </li>
        ))}
      </ul>
      {granting ? <GrantRole user={user} name={name} has={mine.data?.roles.map((one) => one.role) ?? []} onClose={() => setGranting(false)} /> : null}
      <Confirm open={revoking !== null} title={t("users.revoke", { role: label(revoking ?? "") })} act={t("users.take")} danger busy={revoke.isPending} onClose={() => setRevoking(null)} onAct={() => (revoking ? revoke.mutate(revoking) : undefined)}>
        <p>{t("users.revokeText", { name })}</p>
      </Confirm>
    </Panel>
  );
}

function Teams({ user }: { user: string }) {
  const t = useT();
  const client = useQueryClient();
  const metas = useMetas();
  const team = metas.get("team");
  const [adding, setAdding] = useState(false);
  const links = useQuery({ queryKey: ["links", "user", user, "teams"], queryFn: ({ signal }) => call("record_links", { params: { object: "user", id: user, relation: "teams" }, signal }), retry: false });
  const refresh = () => {
    void client.invalidateQueries({ queryKey: ["links"] });
  };
  const join = useMutation({ mutationFn: (picked: Picked) => call("record_link", { params: { object: "team", id: picked.id, relation: "members" }, body: { record: user, role: "member" } }), onError: complain, onSuccess: () => { setAdding(false); refresh(); } });
  const leave = useMutation({ mutationFn: (id: string) => call("record_unlink", { params: { object: "team", id, relation: "members", other: user } }), onError: complain, onSuccess: refresh });
  const role = (code: string | null) => {
    const link = team?.view.definition.links?.find((one) => one.name === "members");
    const found = link?.roles?.find((one) => one.code === code);
    return found ? said(found.label) : "";
  };
  const blocked = team?.may.update ? undefined : t("record.readOnly");
  return (
    <Panel
      title={said(team?.view.definition.plural)}
      end={
        <Button small icon="plus" blocked={blocked} onClick={() => setAdding(!adding)} aria-expanded={adding}>
          {t("users.join")}
        </Button>
      }
    >
      {adding ? <RecordPicker objects={["team"]} value={null} autoFocus label={t("users.join")} onChange={(picked) => (picked ? join.mutate(picked) : undefined)} /> : null}
      {links.data?.items.length === 0 && !adding ? <p className="soft">{t("users.noTeams")}</p> : null}
      <ul className={css.lines}>
        {links.data?.items.map((one) => (
          <li key={one.record.id}>
            <Link to="/admin/teams" search={{ team: one.record.id }}>{team ? titleOf(team, one.record) : one.record.id}</Link>
            <span className="faint">{role(one.role)}</span>
            <span className={css.end}>
              <IconButton small icon="close" label={t("related.remove", { name: team ? titleOf(team, one.record) : "" })} blocked={blocked} onClick={() => leave.mutate(one.record.id)} />
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Sessions({ user, name }: { user: string; name: string }) {
  const t = useT();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const sessions = useQuery({ queryKey: ["user-sessions", user], queryFn: ({ signal }) => call("user_sessions", { params: { user }, signal }), retry: false });
  const end = useMutation({
    mutationFn: () => call("user_sessions_end", { params: { user } }),
    onError: complain,
    onSuccess: () => {
      setAsking(false);
      void client.invalidateQueries({ queryKey: ["user-sessions", user] });
      toast(t("users.ended"), { tone: "good" });
    },
  });
  const items = sessions.data?.items ?? [];
  return (
    <Panel
      title={t("users.sessions")}
      end={
        items.length > 0 ? (
          <Button small onClick={() => setAsking(true)}>
            {t("users.endAll")}
          </Button>
        ) : null
      }
    >
      {sessions.error ? <p className="soft">{errorText(sessions.error)}</p> : null}
      {sessions.data && items.length === 0 ? <p className="soft">{t("users.noSessions")}</p> : null}
      <ul className={css.lines}>
        {items.map((one) => (
          <li key={one.id}>
            <span className="num">{one.source ?? t("settings.unknown")}</span>
            <span className="soft">{t("settings.seen", { when: ago(one.last_seen_at) })}</span>
            <span className="faint num">{t("settings.since", { when: moment(one.created_at) })}</span>
            {one.current ? <Badge tone="brass">{t("settings.this")}</Badge> : null}
          </li>
        ))}
      </ul>
      <Confirm open={asking} title={t("users.endAll")} act={t("users.endAll")} danger busy={end.isPending} onClose={() => setAsking(false)} onAct={() => end.mutate()}>
        <p>{t("users.endText", { name })}</p>
      </Confirm>
    </Panel>
  );
}

function Tokens({ user }: { user: string }) {
  const t = useT();
  const tokens = useQuery({ queryKey: ["tokens", user], queryFn: ({ signal }) => call("user_tokens", { params: { user }, signal }), retry: false });
  return (
    <Panel title={t("tokens.title")}>
      {tokens.error ? <p className="soft">{errorText(tokens.error)}</p> : null}
      {tokens.data?.items.length === 0 ? <p className="soft">{t("tokens.none")}</p> : null}
      <TokenLines items={tokens.data?.items ?? []} user={user} />
    </Panel>
  );
}

function NewPassword({ user, name, onClose }: { user: string; name: string; onClose: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const [password, setPassword] = useState(firstPassword);
  const set = useMutation({
    mutationFn: () => call("password_set", { params: { user }, body: { password } }),
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: ["user-sessions", user] });
      toast(t("users.passwordSet", { name }), { tone: "good" });
      onClose();
    },
  });
  const first = set.error ? refusalOf(set.error).errors[0] : undefined;
  const short = password.length < limits.PASSWORD_CHARS_MIN ? t("users.short", { count: limits.PASSWORD_CHARS_MIN }) : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!short && !set.isPending) set.mutate();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("users.password")}
      closeLabel={t("act.close")}
      size="narrow"
      easy={false}
      foot={
        <>
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button tone="primary" type="submit" form="new-password" busy={set.isPending} blocked={short}>
            {t("users.password")}
          </Button>
        </>
      }
    >
      <form id="new-password" onSubmit={submit}>
        <TextField data-autofocus label={t("users.first")} hint={t("users.passwordHint")} value={password} autoComplete="off" spellCheck={false} maxLength={limits.PASSWORD_CHARS_MAX} error={short ?? (first ? (first.detail ?? fieldErrorText(first)) : set.error ? errorText(set.error) : undefined)} onChange={(event) => setPassword(event.target.value)} />
      </form>
      <div className={css.lines}>
        <Button icon="copy" onClick={() => void navigator.clipboard.writeText(password).then(() => toast(t("admin.copied")))}>
          {t("admin.copy")}
        </Button>
      </div>
    </Dialog>
  );
}

function useLock(meta: Meta, record: RecordView | undefined, id: string) {
  const t = useT();
  const client = useQueryClient();
  const change = useChange(meta, id);
  return useMutation({
    mutationFn: async (status: string) => {
      await change.mutateAsync({ fields: { status }, version: record?.version ?? 0 });
      if (status !== "active") await call("user_sessions_end", { params: { user: id } });
    },
    onError: complain,
    onSuccess: (_, status) => {
      void client.invalidateQueries({ queryKey: ["user-sessions", id] });
      void client.invalidateQueries({ queryKey: ["people"] });
      toast(t(status === "active" ? "users.unlocked" : "users.locked"), { tone: "good" });
    },
  });
}

function UserOf({ meta, id }: { meta: Meta; id: string }) {
  const t = useT();
  const me = useMe();
  const metas = useMetas();
  const offices = useOffices();
  const { data: record, error, refetch } = useRecord(meta, metas, id);
  const change = useChange(meta, id);
  const lock = useLock(meta, record, id);
  const [asking, setAsking] = useState<"lock" | "password" | null>(null);
  if (error && !record) return <Trouble error={error} retry={() => void refetch()} />;
  const name = record ? titleOf(meta, record) : "";
  const status = String(record?.fields["status"] ?? "");
  const states = meta.fields.get("status");
  const open = status === "active" || status === "invited";
  const noUpdate = !meta.may.update ? t("record.readOnly") : id === me.id ? t("users.noSelfLock") : undefined;
  const save = async (field: string, value: Json) => {
    await change.mutateAsync({ fields: { [field]: value }, version: record?.version ?? 0 });
  };
  return (
    <AdminPage
      title={name}
      crumb={{ to: "/admin/users", label: said(meta.view.definition.plural) }}
      badges={
        <>
          {states && status ? <Badge tone={STATUS_TONES[status] ?? "plain"}>{optionLabel(states, status)}</Badge> : null}
          {record?.fields["is_sample"] === true ? <Badge>{t("record.sample")}</Badge> : null}
        </>
      }
      acts={
        <>
          {offices.audit ? (
            <Link className={libCss.button} to="/audit" search={{ user: id }}>
              {t("users.log")}
            </Link>
          ) : null}
          <Link className={libCss.button} to="/o/$object/$id" params={{ object: "user", id }}>
            {t("users.record")}
          </Link>
          <Button onClick={() => setAsking("password")} blocked={id === me.id ? t("users.ownPassword") : undefined}>
            {t("users.password")}
          </Button>
          {open ? (
            <Button tone="danger" icon="seal" blocked={noUpdate} onClick={() => setAsking("lock")}>
              {t("users.lock")}
            </Button>
          ) : (
            <Button icon="check" blocked={noUpdate} busy={lock.isPending} onClick={() => lock.mutate("active")}>
              {t("users.unlock")}
            </Button>
          )}
        </>
      }
    >
      <div className={css.columns}>
        <div>{record ? <Facts meta={meta} record={record} save={meta.may.update ? save : null} /> : <Bones />}</div>
        <div>
          <Roles user={id} name={name} />
          <Teams user={id} />
          <Sessions user={id} name={name} />
          <Tokens user={id} />
        </div>
      </div>
      {asking === "password" ? <NewPassword user={id} name={name} onClose={() => setAsking(null)} /> : null}
      <Confirm
        open={asking === "lock"}
        title={t("users.lockTitle", { name })}
        act={t("users.lock")}
        danger
        busy={lock.isPending}
        onClose={() => setAsking(null)}
        onAct={() => lock.mutate("locked", { onSuccess: () => setAsking(null) })}
      >
        <p>{t("users.lockText")}</p>
      </Confirm>
    </AdminPage>
  );
}

export default function UserPage() {
  const { id } = useParams({ from: "/shell/admin/users/$id" });
  const meta = useMetas().get("user");
  const offices = useOffices();
  if (!meta || !offices.users) return <Denied />;
  return <UserOf key={id} meta={meta} id={id} />;
}
