// Names a view and says who sees it. Sharing needs a right; without it the choice is there and says why it cannot be made.

import { useQuery } from "@tanstack/react-query";
import { useId, useState, type FormEvent } from "react";
import { call } from "~/api/client";
import { errorNote, errorText, fieldErrorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { useMe } from "~/api/session";
import type { View } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { CheckField, SelectField, TextField } from "~/lib/fields";
import { Dialog } from "~/lib/overlays";
import { said } from "~/model/meta";
import css from "./views.module.css";

export type ViewDraft = { name: string; shared: View["shared"]; roles: string[]; default_roles: string[]; default: boolean };

export function ViewDialog({ view, busy, onSave, onClose }: { view: View | null; busy: boolean; onSave: (draft: ViewDraft) => Promise<unknown>; onClose: () => void }) {
  const t = useT();
  const me = useMe();
  const id = useId();
  const mayShare = me.actions.includes("views");
  const [draft, setDraft] = useState<ViewDraft>({ name: view?.name ?? "", shared: view?.shared ?? "private", roles: view?.roles ?? [], default_roles: view?.default_roles ?? [], default: view?.default ?? false });
  const [wrong, setWrong] = useState<unknown>(null);
  const [asked, setAsked] = useState(false);
  const roles = useQuery({ queryKey: ["roles"], queryFn: ({ signal }) => call("role_list", { signal }), enabled: mayShare && draft.shared === "roles", staleTime: 5 * 60_000 });
  const refused = wrong ? refusalOf(wrong) : null;
  const nameError = asked && !draft.name.trim() ? t("error.field_required") : refused?.of("name") ? fieldErrorText(refused.of("name") ?? { pointer: "", code: "", detail: "" }) : undefined;
  const rolesError = asked && draft.shared === "roles" && draft.roles.length === 0 ? t("view.needsRoles") : undefined;

  async function submit(event: FormEvent) {
    event.preventDefault();
    setAsked(true);
    if (!draft.name.trim() || (draft.shared === "roles" && draft.roles.length === 0)) return;
    const roleNames = draft.shared === "roles" ? draft.roles : [];
    setWrong(await onSave({ ...draft, name: draft.name.trim(), roles: roleNames, default_roles: draft.default_roles.filter((role) => roleNames.includes(role)) }));
  }

  return (
    <Dialog
      open
      onClose={onClose}
      title={view ? t("view.edit") : t("view.saveAs")}
      closeLabel={t("act.close")}
      size="narrow"
      easy={false}
      foot={
        <>
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button tone="primary" type="submit" form={id} busy={busy}>
            {t("act.save")}
          </Button>
        </>
      }
    >
      <form id={id} className={css.form} onSubmit={(event) => void submit(event)} noValidate>
        {refused && !nameError ? (
          <p role="alert" className={css.wrong}>
            {errorText(refused)}. {refused.errors[0]?.detail ?? refused.detail} {errorNote(refused)}
          </p>
        ) : null}
        <TextField label={t("view.name")} required={t("form.required")} value={draft.name} error={nameError} autoFocus maxLength={80} onChange={(event) => setDraft({ ...draft, name: event.target.value })} />
        <SelectField
          label={t("view.who")}
          hint={mayShare ? undefined : t("view.mayNotShare")}
          disabled={!mayShare}
          value={draft.shared}
          choices={[
            { value: "private", label: t("view.private") },
            { value: "roles", label: t("view.roles") },
            { value: "all", label: t("view.everybody") },
          ]}
          onChange={(event) => setDraft({ ...draft, shared: event.target.value as View["shared"] })}
        />
        {draft.shared === "roles" && mayShare ? (
          <fieldset className={css.roles}>
            <legend className="sr">{t("view.roles")}</legend>
            {roles.data?.items.map(({ role }) => (
              <CheckField key={role.name} label={said(role.label)} checked={draft.roles.includes(role.name)} onChange={(on) => setDraft({ ...draft, roles: on ? [...draft.roles, role.name] : draft.roles.filter((one) => one !== role.name) })} />
            ))}
            {roles.isPending ? <span className="faint">{t("state.loading")}</span> : null}
            {rolesError ? <span className={css.wrong}>{rolesError}</span> : null}
          </fieldset>
        ) : null}
        {draft.shared === "roles" && mayShare ? <CheckField label={t("view.rolesOpen")} checked={draft.default_roles.length > 0} onChange={(on) => setDraft({ ...draft, default_roles: on ? draft.roles : [] })} /> : null}
        <CheckField label={t("view.opens")} checked={draft.default} onChange={(on) => setDraft({ ...draft, default: on })} />
      </form>
    </Dialog>
  );
}
