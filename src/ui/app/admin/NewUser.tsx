// A new user: facts, roles, and a first password that the user changes at the first sign-in. What was done before a refusal stays
// done; the dialog says so.

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useRef, useState, type FormEvent } from "react";
import { errorNote, errorText, fieldErrorText } from "~/api/errors";
import { refusalOf, type Refusal } from "~/api/problem";
import { limits, type Json } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { CheckField, Framed, TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { LOCALES, useSettings } from "~/model/house";
import { canSet, said, type Meta } from "~/model/meta";
import { FieldInput } from "~/value/FieldInput";
import { useOffices, useRoles } from "./data";
import { beginMaking, makeUser } from "./makeUser";
import { firstPassword } from "./passwords";
import css from "./admin.module.css";

const FIELDS = ["display_name", "username", "email", "employee_no", "title", "unit", "manager", "locale"];

export function NewUser({ meta, onClose }: { meta: Meta; onClose: () => void }) {
  const t = useT();
  const id = useId();
  const client = useQueryClient();
  const navigate = useNavigate();
  const offices = useOffices();
  const house = useSettings();
  const roles = useRoles(offices.giveRoles);
  const [values, setValues] = useState<{ [field: string]: Json }>(() => ({ locale: LOCALES[house.language] }));
  const [chosen, setChosen] = useState<string[]>([]);
  const [password, setPassword] = useState(firstPassword);
  const [wrong, setWrong] = useState<Refusal | null>(null);
  const [busy, setBusy] = useState(false);
  const [made, setMade] = useState("");
  const making = useRef(beginMaking());
  const fields = FIELDS.flatMap((name) => meta.fields.get(name) ?? []).filter((field) => canSet(meta, field));
  const short = password.length < limits.PASSWORD_CHARS_MIN;

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (busy || short) return;
    setBusy(true);
    setWrong(null);
    try {
      const user = await makeUser(making.current, values, chosen, password);
      void client.invalidateQueries({ queryKey: ["list", "user"] });
      void client.invalidateQueries({ queryKey: ["people"] });
      onClose();
      toast(t("users.made", { name: String(values["display_name"] ?? "") }), { tone: "good" });
      void navigate({ to: "/admin/users/$id", params: { id: user } });
    } catch (error) {
      setMade(making.current.user);
      setWrong(refusalOf(error));
      void client.invalidateQueries({ queryKey: ["list", "user"] });
    } finally {
      setBusy(false);
    }
  }
  const known = (pointer: string) => fields.some((field) => pointer.startsWith(`/${field.name}`));
  const others = wrong ? wrong.errors.filter((error) => !known(error.pointer)) : [];
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("users.new")}
      closeLabel={t("act.close")}
      size="wide"
      easy={false}
      foot={
        <>
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button tone="primary" type="submit" form={id} busy={busy} blocked={short ? t("users.short", { count: limits.PASSWORD_CHARS_MIN }) : undefined}>
            {made ? t("users.goOn") : t("users.make")}
          </Button>
        </>
      }
    >
      <form id={id} className={css.grid} onSubmit={(event) => void submit(event)} noValidate>
        {wrong ? (
          <div className={`${css.full} ${css.warning} ${css.bad}`} role="alert">
            <Icon name="warn" />
            <div>
              {errorText(wrong)}
              {others.map((error) => (
                <div key={error.pointer}>{error.detail}</div>
              ))}
              {made ? <div>{t("users.half")}</div> : null}
              <div className="faint num">{errorNote(wrong)}</div>
            </div>
          </div>
        ) : null}
        {fields.map((field) => {
          const error = wrong?.of(field.name);
          return (
            <Framed key={field.name} label={said(field.label)} required={field.required ? t("form.required") : undefined} error={error ? fieldErrorText(error) : undefined}>
              {({ id: inputId, describedBy }) => <FieldInput id={inputId} describedBy={describedBy} invalid={Boolean(error)} field={field} value={values[field.name]} label={said(field.label)} onChange={(value) => setValues({ ...values, [field.name]: value })} />}
            </Framed>
          );
        })}
        {roles.data ? (
          <fieldset className={`${css.full} ${css.checks}`}>
            <legend className="soft">{t("users.roles")}</legend>
            {roles.data
              .filter((role) => role.assignable)
              .map((role) => (
                <CheckField
                  key={role.name}
                  checked={chosen.includes(role.name)}
                  onChange={(on) => setChosen(on ? [...chosen, role.name] : chosen.filter((name) => name !== role.name))}
                  label={
                    <>
                      {said(role.label)} <span className="faint">{said(role.description)}</span>
                    </>
                  }
                />
              ))}
          </fieldset>
        ) : null}
        <div>
          <TextField label={t("users.first")} hint={t("users.firstHint")} value={password} autoComplete="off" spellCheck={false} maxLength={limits.PASSWORD_CHARS_MAX} error={short ? t("users.short", { count: limits.PASSWORD_CHARS_MIN }) : undefined} onChange={(event) => setPassword(event.target.value)} />
        </div>
        <div className={css.beside}>
          <Button icon="copy" onClick={() => void navigator.clipboard.writeText(password).then(() => toast(t("admin.copied")))}>
            {t("admin.copy")}
          </Button>
          <Button icon="refresh" onClick={() => setPassword(firstPassword())}>
            {t("users.another")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
