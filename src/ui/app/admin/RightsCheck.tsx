// Why can this person do that, or not? A question about a person, an object, perhaps a record and a field; the answer says what
// decided, entry by entry. It shows nothing of a record, and every question is in the log.

import { useMutation } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { AppAction, RecordVerb, RightsAnswer, RightsQuestion } from "~/api/types.gen";
import { useT, type Key, type T } from "~/i18n";
import { Badge, Button, libCss } from "~/lib/basics";
import { SelectField, TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { said } from "~/model/meta";
import { RecordPicker } from "~/value/RecordPicker";
import { type Picked } from "~/value/title";
import { useOffices, usePeople, useRoleObjects, useRoles, type RoleObject } from "./data";
import { AdminPage, Bones, Denied } from "./Page";
import { VERBS } from "./rights";
import { ACTS, actText, levelText, Names, scopeText, verbText } from "./roleWords";
import css from "./admin.module.css";
import own from "./roles.module.css";

const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i;

/** The record and, from an address of the interface, the object that was pasted. */
export function recordIn(text: string): { record: string; object: string } {
  const place = /\/o\/([a-z0-9_]+)\//.exec(text);
  return { record: ID.exec(text)?.[0].toLowerCase() ?? "", object: place?.[1] ?? "" };
}

type Asked = { question: RightsQuestion; answer: RightsAnswer };

/** The reason in a sentence. */
function reasonText(t: T, { question, answer }: Asked): string {
  if (answer.reason === "out_of_scope") return t(answer.decided_by !== (question.verb ?? "read") ? "rights.reason.out_of_sight" : question.record ? "rights.reason.out_of_scope" : "rights.reason.no_right");
  if (answer.reason === "field_level" && answer.level) return t("rights.reason.field_level", { level: levelText(t, answer.level) });
  if (answer.reason === "granted" && answer.level) return t("rights.reason.granted_level", { level: levelText(t, answer.level) });
  return t(`rights.reason.${answer.reason}` as Key);
}

function Rights({ asked, label, names }: { asked: Asked; label: (role: string) => string; names: Names }) {
  const t = useT();
  const { question, answer } = asked;
  const act = Boolean(question.act);
  return (
    <div className={css.scroll} tabIndex={0} role="group" aria-label={t("rights.byRole")}>
      <table className={`${css.matrix} ${own.counts}`}>
        <caption>
          {t("rights.byRole")}
          <span>{t(act ? "rights.byRoleAct" : "rights.byRoleText")}</span>
        </caption>
        <thead>
          <tr>
            <th scope="col">{t("roles.role")}</th>
            <th scope="col">{t("rights.entry")}</th>
            {act ? null : <th scope="col">{t("rights.reach")}</th>}
            {question.record ? <th scope="col">{t("rights.record")}</th> : null}
          </tr>
        </thead>
        <tbody>
          {answer.rights.map((right) => (
            <tr key={right.role} data-off={right.width === "none" || right.reaches === false}>
              <th scope="row">
                <Link to="/admin/roles" search={{ role: right.role }}>
                  {label(right.role)}
                </Link>
              </th>
              <td>{right.entry ? <code>{right.entry}</code> : t("rights.noEntry")}</td>
              {act ? null : <td>{scopeText(t, right.width)}</td>}
              {question.record ? <td>{right.reaches === null ? "–" : right.reaches ? t("rights.through", { parts: right.through.map((part) => t(`rights.part.${part}`)).join(", ") }) : t("rights.notReached")}</td> : null}
            </tr>
          ))}
          {answer.rights.length === 0 ? (
            <tr>
              <td colSpan={4}>{t("rights.noRoles")}</td>
            </tr>
          ) : null}
        </tbody>
      </table>
      {answer.forbids.length > 0 ? (
        <table className={css.matrix}>
          <caption>
            {t("redit.forbid")}
            <span>{t("rights.forbidText")}</span>
          </caption>
          <tbody>
            {answer.forbids.map((one) => (
              <tr key={`${one.role} ${one.entry}`}>
                <th scope="row">
                  <Link to="/admin/roles" search={{ role: one.role }}>
                    {label(one.role)}
                  </Link>
                </th>
                <td>{names.entry(t, one.entry)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
      {answer.levels.length > 0 ? (
        <table className={`${css.matrix} ${own.counts}`}>
          <caption>
            {t("rights.levels", { field: names.field(question.object ?? "", question.field ?? "") })}
            <span>{t("rights.levelsText")}</span>
          </caption>
          <tbody>
            {answer.levels.map((one) => (
              <tr key={one.role} data-off={!one.counts}>
                <th scope="row">{label(one.role)}</th>
                <td>{levelText(t, one.level)}</td>
                <td>{t(`rights.source.${one.source}`)}</td>
                <td>{one.counts ? "" : t("rights.doesNotCount")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </div>
  );
}

function Answer({ asked, objects }: { asked: Asked; objects: RoleObject[] }) {
  const t = useT();
  const people = usePeople();
  const roles = useRoles();
  const names = new Names(objects);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.focus({ preventScroll: false }), [asked]);
  const { question, answer } = asked;
  const label = (name: string) => {
    const found = roles.data?.find((one) => one.name === name);
    return found ? said(found.label) : name;
  };
  const what = question.act ? actText(t, question.act) : [verbText(t, question.verb ?? "read"), names.object(question.object ?? ""), question.field ? names.field(question.object ?? "", question.field) : "", question.record ? `… ${question.record.slice(-8)}` : ""].filter(Boolean).join(" · ");
  return (
    <>
      <div className={own.verdict} data-allowed={answer.allowed} ref={place} tabIndex={-1} role="status">
        <Icon name={answer.allowed ? "check" : "close"} size={20} />
        <div>
          <h2>{t(answer.allowed ? "rights.yes" : "rights.no", { who: people.get(question.user)?.name ?? question.user, what })}</h2>
          <p>{reasonText(t, asked)}</p>
          {answer.helps.length > 0 ? (
            <p>
              {t("rights.helps")}{" "}
              {answer.helps.map((role) => (
                <Badge key={role}>{label(role)}</Badge>
              ))}
            </p>
          ) : null}
        </div>
      </div>
      <Rights asked={asked} label={label} names={names} />
    </>
  );
}

function CheckOf() {
  const t = useT();
  const navigate = useNavigate();
  const search = useSearch({ from: "/shell/admin/rights" });
  const objects = useRoleObjects();
  const people = usePeople();
  const [who, setWho] = useState<Picked | null>(search.user ? { object: "user", id: search.user } : null);
  const [record, setRecord] = useState(search.record ?? "");
  const object = search.object ?? "";
  const act = search.act ?? "";
  const set = (more: { [name: string]: string }) => void navigate({ to: "/admin/rights", search: (old) => Object.fromEntries(Object.entries({ ...old, ...more }).filter(([, value]) => value)), replace: true });
  const ask = useMutation({ mutationFn: async (question: RightsQuestion): Promise<Asked> => ({ question, answer: await call("rights_check", { body: question }) }) });
  const found = objects.data?.find((one) => one.name === object);
  const id = recordIn(record).record;
  const wrongRecord = record.trim() && !id ? t("rights.recordWrong") : undefined;
  const blocked = !who ? t("rights.needPerson") : !object && !act ? t("rights.needObject") : wrongRecord;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (blocked || ask.isPending || !who) return;
    ask.mutate(act ? { user: who.id, act: act as AppAction } : { user: who.id, object, verb: (search.verb ?? "read") as RecordVerb, ...(id ? { record: id } : {}), ...(search.field ? { field: search.field } : {}) });
  };
  const error = ask.error ? refusalOf(ask.error) : null;
  return (
    <AdminPage title={t("rights.title")} lead={t("rights.lead")} acts={<a className={libCss.button} href="/docs/admin/roles" target="_blank" rel="noreferrer">{t("admin.manual")}</a>}>
      {objects.isPending ? <Bones lines={3} /> : null}
      <form className={own.ask} onSubmit={submit} noValidate>
        <div className={`${own.two} ${libCss.field}`}>
          <span className={libCss.label} aria-hidden>
            {t("audit.person")}
          </span>
          <RecordPicker
            objects={["user"]}
            value={who ? { ...who, title: who.title ?? people.get(who.id)?.name } : null}
            onChange={(picked) => {
              setWho(picked);
              set({ user: picked?.id ?? "" });
            }}
            label={t("audit.person")}
          />
        </div>
        <div className={own.two}>
          <SelectField
            label={t("roles.object")}
            value={act ? "+act" : object}
            empty="–"
            choices={[...(objects.data ?? []).map((one) => ({ value: one.name, label: said(one.plural) })), { value: "+act", label: t("roles.acts") }]}
            onChange={(event) => (event.target.value === "+act" ? set({ act: ACTS[0] ?? "", object: "", verb: "", field: "", record: "" }) : set({ object: event.target.value, act: "", field: "" }))}
          />
        </div>
        {act ? (
          <div className={own.two}>
            <SelectField label={t("rights.act")} value={act} choices={ACTS.filter((one) => one !== "export").map((one) => ({ value: one, label: actText(t, one) }))} onChange={(event) => set({ act: event.target.value })} />
          </div>
        ) : (
          <>
            <div className={own.two}>
              <SelectField label={t("rights.verb")} value={search.verb ?? "read"} choices={VERBS.map((verb) => ({ value: verb, label: verbText(t, verb) }))} onChange={(event) => set({ verb: event.target.value })} />
            </div>
            <div className={own.three}>
              <TextField
                label={t("rights.recordLabel")}
                hint={t("rights.recordHint")}
                error={wrongRecord}
                value={record}
                spellCheck={false}
                onChange={(event) => {
                  setRecord(event.target.value);
                  const pasted = recordIn(event.target.value);
                  set({ record: pasted.record, ...(pasted.object && objects.data?.some((one) => one.name === pasted.object) ? { object: pasted.object } : {}) });
                }}
              />
            </div>
            <div className={own.three}>
              <SelectField label={t("rights.field")} value={search.field ?? ""} empty={t("rights.anyField")} choices={(found?.fields ?? []).map((field) => ({ value: field.name, label: said(field.label) }))} onChange={(event) => set({ field: event.target.value })} />
            </div>
          </>
        )}
        <div className={own.askEnd}>
          <Button type="submit" tone="primary" busy={ask.isPending} blocked={blocked}>
            {t("rights.ask")}
          </Button>
          <span className="faint">{t("rights.logged")}</span>
        </div>
      </form>
      {error ? (
        <p className={`${css.warning} ${css.bad}`} role="alert">
          <Icon name="warn" />
          <span>
            {errorText(error)} <span className="faint num">{errorNote(error)}</span>
          </span>
        </p>
      ) : null}
      {ask.data && !error ? <Answer asked={ask.data} objects={objects.data ?? []} /> : null}
    </AdminPage>
  );
}

export default function RightsCheck() {
  const offices = useOffices();
  return offices.roles ? <CheckOf /> : <Denied />;
}
