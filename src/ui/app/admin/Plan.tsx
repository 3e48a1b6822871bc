// A change of definitions is planned first: what it would do, what it costs, and every error at once. Only a plan without errors
// can be carried out, and it is carried out whole or not at all.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, type ReactNode } from "react";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { DefinitionChange, Plan } from "~/api/types.gen";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { Button } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { healthQuery } from "~/model/house";
import { objectsQuery, said } from "~/model/meta";
import css from "./admin.module.css";

function Steps({ plan }: { plan: Plan }) {
  const t = useT();
  return (
    <section aria-label={t("plan.title")} className={css.checks}>
      <h3>{t("plan.title")}</h3>
      <ul className={css.steps}>
        {plan.steps.map((step, index) => (
          <li key={index}>
            <Icon name="check" />
            <span>{said(step.text)}</span>
            <span className="faint">{step.cost === "instant" ? t("plan.instant") : t("plan.rows", { number: number(step.cost.rows) })}</span>
          </li>
        ))}
        {plan.steps.length === 0 ? (
          <li>
            <Icon name="info" />
            <span>{t("plan.nothing")}</span>
          </li>
        ) : null}
      </ul>
      {plan.notes.map((note, index) => (
        <p key={index} className={css.warning}>
          <Icon name="warn" />
          {said(note)}
        </p>
      ))}
    </section>
  );
}

function Errors({ error }: { error: unknown }) {
  const t = useT();
  const wrong = refusalOf(error);
  return (
    <div className={`${css.warning} ${css.bad}`} role="alert">
      <Icon name="warn" />
      <div>
        <strong>{errorText(wrong)}</strong>
        <p>{wrong.errors.length > 0 ? t("plan.errors", { count: wrong.errors.length }) : wrong.detail}</p>
        <ul>
          {wrong.errors.map((one, index) => (
            <li key={index}>{one.detail}</li>
          ))}
        </ul>
        <span className="faint num">{errorNote(wrong)}</span>
      </div>
    </div>
  );
}

type Props = { title: string; changes: DefinitionChange[]; blocked?: string | undefined; wide?: boolean; danger?: boolean; onClose: () => void; children?: ReactNode };

/** A dialog around a form: preview, then apply. What is previewed is what is applied; editing asks for a new preview. */
export function PlanDialog({ title, changes, blocked, wide, danger, onClose, children }: Props) {
  const t = useT();
  const id = useId();
  const client = useQueryClient();
  const now = JSON.stringify(changes);
  const plan = useMutation({ mutationFn: async (text: string) => ({ of: text, plan: await call("definitions_change", { query: { plan: true }, body: { changes: JSON.parse(text) as DefinitionChange[] } }) }) });
  const apply = useMutation({
    mutationFn: (text: string) => call("definitions_change", { body: { changes: JSON.parse(text) as DefinitionChange[] } }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: objectsQuery.queryKey });
      void client.invalidateQueries({ queryKey: healthQuery.queryKey });
      toast(t("plan.done"), { tone: "good" });
      onClose();
    },
  });
  const fresh = plan.data?.of === now ? plan.data.plan : null;
  const wrong = apply.error ?? (plan.variables === now ? plan.error : null);
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      closeLabel={t("act.close")}
      size={wide ? "wide" : "plain"}
      easy={false}
      foot={
        <>
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button type="submit" form={id} tone={fresh ? "plain" : "primary"} busy={plan.isPending} blocked={blocked}>
            {t("plan.preview")}
          </Button>
          {fresh ? (
            <Button tone={danger ? "danger" : "primary"} busy={apply.isPending} onClick={() => apply.mutate(now)}>
              {t("plan.apply")}
            </Button>
          ) : null}
        </>
      }
    >
      <form
        id={id}
        className={css.checks}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (blocked || plan.isPending) return;
          apply.reset();
          plan.mutate(now);
        }}
      >
        {children}
      </form>
      {wrong ? <Errors error={wrong} /> : null}
      {fresh ? <Steps plan={fresh} /> : null}
    </Dialog>
  );
}
