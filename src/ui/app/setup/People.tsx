// Units and people of the first run: added line by line, each with a first password that is shown once. Many at a time come from a
// file by the command line; this page says how.

import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef, useState, type FormEvent } from "react";
import { useOffices, useRoles } from "~/admin/data";
import { beginMaking, makeUser } from "~/admin/makeUser";
import { FromFile, Once } from "~/admin/Page";
import { firstPassword } from "~/admin/passwords";
import { useUnits } from "~/admin/tree";
import admin from "~/admin/admin.module.css";
import { actKey, call } from "~/api/client";
import { errorText, fieldErrorText } from "~/api/errors";
import { refusalOf, type Refusal } from "~/api/problem";
import { manualPage } from "~/help/topics";
import { language, useT } from "~/i18n";
import { Bone, Button } from "~/lib/basics";
import { SelectField, TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { LOCALES, useSettings } from "~/model/house";
import { objectLabel, said, useMetas } from "~/model/meta";
import css from "./setup.module.css";

function Wrong({ wrong }: { wrong: Refusal | null }) {
  const rest = wrong?.errors.filter((error) => !["/code", "/name", "/username", "/display_name"].includes(error.pointer)) ?? [];
  if (!wrong || (wrong.errors.length > 0 && rest.length === 0)) return null;
  return (
    <p className={`${admin.warning} ${admin.bad}`} role="alert">
      <Icon name="warn" />
      <span>{[errorText(wrong), ...rest.map((error) => error.detail)].join(" ")}</span>
    </p>
  );
}

const said1 = (wrong: Refusal | null, field: string) => {
  const error = wrong?.of(field);
  return error ? fieldErrorText(error) : undefined;
};

function Units() {
  const t = useT();
  const client = useQueryClient();
  const { query, flat } = useUnits();
  const [name, setName] = useState("");
  const [code, setCode] = useState("");
  const [parent, setParent] = useState("");
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const [busy, setBusy] = useState(false);
  const once = useRef(actKey());
  const first = useRef<HTMLInputElement>(null);
  async function add(event: FormEvent) {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    try {
      await call("record_create", { params: { object: "unit" }, body: { name: name.trim(), code: code.trim(), type: "department", ...(parent ? { parent } : {}) }, once: once.current });
      setName("");
      setCode("");
      setWrong(null);
      await client.invalidateQueries({ queryKey: ["list", "unit"] });
      first.current?.focus();
    } catch (error) {
      setWrong(refusalOf(error));
    } finally {
      once.current = actKey();
      setBusy(false);
    }
  }
  return (
    <section className={css.block} aria-labelledby="setup-units">
      <h3 id="setup-units">{t("setup.units")}</h3>
      {query.data ? (
        <ul className={css.lines}>
          {flat.map((node) => (
            <li key={node.id}>
              <Icon name="unit" />
              <span style={{ paddingLeft: node.depth * 16 }}>{node.name}</span>
              <span className="faint">{node.code}</span>
            </li>
          ))}
        </ul>
      ) : (
        <Bone height={32} />
      )}
      <Wrong wrong={wrong} />
      <form className={css.add} onSubmit={(event) => void add(event)} noValidate>
        <TextField ref={first} label={t("setup.unitName")} value={name} maxLength={120} error={said1(wrong, "name")} onChange={(event) => setName(event.target.value)} />
        <TextField label={t("setup.unitCode")} value={code} maxLength={32} error={said1(wrong, "code")} onChange={(event) => setCode(event.target.value)} />
        <SelectField label={t("setup.unitUnder")} value={parent} empty={t("setup.atTop")} choices={flat.map((node) => ({ value: node.id, label: node.name }))} onChange={(event) => setParent(event.target.value)} />
        <div className={css.go}>
          <Button type="submit" icon="plus" busy={busy} blocked={name.trim() && code.trim() ? undefined : t("setup.unitNeeds")}>
            {t("setup.unitAdd")}
          </Button>
        </div>
      </form>
    </section>
  );
}

type Made = { id: string; name: string; login: string; role: string; password: string };

function Users() {
  const t = useT();
  const client = useQueryClient();
  const settings = useSettings();
  const offices = useOffices();
  const roles = useRoles(offices.giveRoles);
  const { flat } = useUnits();
  const [name, setName] = useState("");
  const [login, setLogin] = useState("");
  const [role, setRole] = useState("system_admin");
  const [unit, setUnit] = useState("");
  const [made, setMade] = useState<Made[]>([]);
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const [busy, setBusy] = useState(false);
  const making = useRef(beginMaking());
  const first = useRef<HTMLInputElement>(null);
  const at = unit || flat[0]?.id || "";
  const offered = (roles.data ?? []).filter((one) => one.assignable);
  async function add(event: FormEvent) {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    const password = firstPassword();
    try {
      const values = { display_name: name.trim(), username: login.trim(), status: "active", locale: LOCALES[settings.language], ...(at ? { unit: at } : {}) };
      const id = await makeUser(making.current, values, [role], password);
      setMade((before) => [...before, { id, name: name.trim(), login: login.trim(), role, password }]);
      setName("");
      setLogin("");
      setRole("seller");
      setWrong(null);
      making.current = beginMaking();
      void client.invalidateQueries({ queryKey: ["list", "user"] });
      void client.invalidateQueries({ queryKey: ["people"] });
      first.current?.focus();
    } catch (error) {
      setWrong(refusalOf(error));
    } finally {
      setBusy(false);
    }
  }
  const label = (wanted: string) => said(offered.find((one) => one.name === wanted)?.label) || wanted;
  return (
    <section className={css.block} aria-labelledby="setup-users">
      <h3 id="setup-users">{t("setup.users")}</h3>
      <p className="soft">{t("setup.usersText")}</p>
      {made.length > 0 ? (
        <>
          <ul className={css.lines} aria-label={t("setup.made")}>
            {made.map((one) => (
              <li key={one.id}>
                <Icon name="users" />
                <span>
                  {one.name} <span className="faint">{`${one.login} · ${label(one.role)}`}</span>
                </span>
                <Once text={one.password} label={t("setup.passwordOf", { name: one.name })} />
              </li>
            ))}
          </ul>
          <p className="soft">{t("setup.passwordOnce")}</p>
        </>
      ) : null}
      <Wrong wrong={wrong} />
      <form className={css.add} onSubmit={(event) => void add(event)} noValidate>
        <TextField ref={first} label={t("setup.userName")} value={name} maxLength={80} autoComplete="off" error={said1(wrong, "display_name")} onChange={(event) => setName(event.target.value)} />
        <TextField label={t("setup.userLogin")} value={login} maxLength={64} autoComplete="off" autoCapitalize="none" spellCheck={false} error={said1(wrong, "username")} onChange={(event) => setLogin(event.target.value)} />
        <SelectField label={t("setup.userRole")} value={role} choices={offered.map((one) => ({ value: one.name, label: said(one.label) }))} onChange={(event) => setRole(event.target.value)} />
        <SelectField label={t("setup.userUnit")} value={at} choices={flat.map((node) => ({ value: node.id, label: node.name }))} onChange={(event) => setUnit(event.target.value)} />
        <div>
          <Button type="submit" icon="plus" busy={busy} blocked={name.trim() && login.trim() ? undefined : t("setup.userNeeds")}>
            {t("setup.userAdd")}
          </Button>
        </div>
      </form>
    </section>
  );
}

export function People() {
  const t = useT();
  const metas = useMetas();
  return (
    <>
      <p>{t("setup.peopleText")}</p>
      <Units />
      <Users />
      <section className={css.block} aria-labelledby="setup-many">
        <h3 id="setup-many">{t("setup.many")}</h3>
        <p>
          {t("setup.manyText")} <Link to="/admin/users">{objectLabel(metas.get("user"), true)}</Link>
        </p>
        <p className={css.go}>
          {["unit", "user"].flatMap((name) => metas.get(name) ?? []).map((meta) => (
            <FromFile key={meta.name} meta={meta} named />
          ))}
        </p>
        <code className={css.code}>{"kontor import --dir /srv/kontor --object unit units.csv\nkontor import --dir /srv/kontor --object user users.csv"}</code>
        <a href={manualPage("admin/import", language())} target="_blank" rel="noreferrer">
          {t("setup.manyHelp")}
        </a>
      </section>
    </>
  );
}
