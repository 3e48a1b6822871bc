// One import, step by step: file, columns, rules, try, run. The step stands in the address; an import that has begun shows how
// it runs, whatever step somebody asks for. What it may do is the server's word.

import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { AdminPage, Bones, Confirm, Denied } from "~/admin/Page";
import { useMe } from "~/api/session";
import type { Import } from "~/api/types.gen";
import { useT } from "~/i18n";
import { bytes } from "~/i18n/format";
import { Button, Tip } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { objectLabel, useMetas } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { blockOf, isWorking, STEPS, stepOf, useForget, useImport, type Step } from "./data";
import { useMappingDraft } from "./draft";
import type { StepProps } from "./Frame";
import { StateBadge } from "./ImportLine";
import { StepFile } from "./StepFile";
import { StepMapping } from "./StepMapping";
import { StepRules } from "./StepRules";
import { StepRun } from "./StepRun";
import { StepTry } from "./StepTry";
import css from "./import.module.css";

function Steps({ one, step, go }: { one: Import; step: Step; go: (step: Step) => void }) {
  const t = useT();
  const at = STEPS.indexOf(step);
  return (
    <nav aria-label={t("import.steps")} className={css.steps}>
      <ol>
        {STEPS.map((name, index) => {
          const block = name === step ? null : blockOf(one, name);
          const why = block ? t(`import.block.${block}`) : undefined;
          return (
            <li key={name}>
              <Tip text={why}>
                <button type="button" className={css.step} aria-current={name === step ? "step" : undefined} aria-disabled={why ? true : undefined} data-done={index < at} onClick={() => (why || name === step ? undefined : go(name))}>
                  <span className={css.stepNumber}>{index < at ? <Icon name="check" size={12} title={t("import.stepDone")} /> : index + 1}</span>
                  {t(`import.step.${name}`)}
                </button>
              </Tip>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

function WizardOf({ one, wanted }: { one: Import; wanted: string | undefined }) {
  const t = useT();
  const metas = useMetas();
  const navigate = useNavigate();
  const draft = useMappingDraft(one);
  const [asked, setAsked] = useState(false);
  const forget = useForget(() => void navigate({ to: "/import" }));
  const step = stepOf(one, wanted);
  const move = (to: Step) => void navigate({ to: "/import/$id", params: { id: one.id }, search: { step: to } });
  const go = (to: Step) => {
    // Backwards loses nothing; forwards only with a mapping that fits.
    if (STEPS.indexOf(to) < STEPS.indexOf(step)) return move(to);
    void draft.save().then((fits) => (fits ? move(to) : undefined));
  };
  const props: StepProps = { one, draft, go };
  return (
    <AdminPage
      title={one.file_name}
      crumb={{ to: "/import", label: t("import.name") }}
      count={[one.object ? objectLabel(metas.get(one.object), true) : "", bytes(one.size)].filter(Boolean).join(" · ")}
      badges={<StateBadge one={one} />}
      acts={
        <Button icon="trash" tone="quiet" blocked={isWorking(one) ? t("import.block.busy") : undefined} onClick={() => setAsked(true)}>
          {t("import.forget")}
        </Button>
      }
    >
      <Steps one={one} step={step} go={go} />
      <div className={css.body} key={step}>
        {step === "file" ? <StepFile {...props} /> : null}
        {step === "mapping" ? <StepMapping {...props} /> : null}
        {step === "rules" ? <StepRules {...props} /> : null}
        {step === "try" ? <StepTry {...props} /> : null}
        {step === "run" ? <StepRun {...props} /> : null}
      </div>
      <Confirm open={asked} title={t("import.forgetTitle", { name: one.file_name })} act={t("import.forget")} danger busy={forget.isPending} onClose={() => setAsked(false)} onAct={() => forget.mutate(one.id)}>
        <p>{t("import.forgetText")}</p>
      </Confirm>
    </AdminPage>
  );
}

export default function Wizard() {
  const t = useT();
  const { id } = useParams({ from: "/shell/import/$id" });
  const { step } = useSearch({ from: "/shell/import/$id" });
  const may = useMe().actions.includes("import");
  const found = useImport(id);
  if (!may) return <Denied />;
  if (found.data) return <WizardOf key={id} one={found.data} wanted={step} />;
  return (
    <AdminPage title={t("import.name")} crumb={{ to: "/import", label: t("import.name") }}>
      {found.error ? <Trouble error={found.error} retry={() => void found.refetch()} /> : <Bones />}
      {found.error ? (
        <p className={css.lost}>
          <Link to="/import">{t("import.all")}</Link>
        </p>
      ) : null}
    </AdminPage>
  );
}
