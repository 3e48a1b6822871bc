// The first run: the steps that make an empty appliance a house, each for the administrator who has the right to it. It can be
// left at any time; what is done is kept on the server, and the step in hand stands in the address.

import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { usePeople } from "~/admin/data";
import { Bones, Denied } from "~/admin/Page";
import { errorNote, errorText } from "~/api/errors";
import { useMe } from "~/api/session";
import type { Setup } from "~/api/types.gen";
import { useT } from "~/i18n";
import { ago } from "~/i18n/format";
import { Button } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { toast } from "~/lib/toasts";
import { openSteps, postpone, takesPart, useSample, useSettings, useSetup, useStepDone, type Step } from "~/model/house";
import { PageTitle } from "~/shell/PageTitle";
import { HouseForm, RegionForm } from "./forms";
import { People } from "./People";
import { SampleData } from "./SampleData";
import { Backup, Custody } from "./steps";
import css from "./setup.module.css";

const FORM = "setup-form";
/** Steps that save a form before they are done. */
const FORMS: ReadonlySet<Step> = new Set(["organisation", "region"]);
/** Steps that are confirmed. */
const SURE: ReadonlySet<Step> = new Set(["custody", "backup"]);

function Steps({ setup, step }: { setup: Setup; step: Step }) {
  const t = useT();
  return (
    <nav className={css.steps} aria-label={t("setup.steps")}>
      <ol>
        {setup.steps.map((one, at) => {
          const state = one.done_at ? t("setup.done") : one.mine ? "" : t(one.step === "people" ? "setup.forSecurity" : "setup.forSystem");
          return (
            <li key={one.step}>
              <Link to="/setup" search={{ step: one.step }} className={css.step} data-current={one.step === step} aria-current={one.step === step ? "step" : undefined}>
                <span className={css.sign} data-done={one.done_at !== null}>
                  {one.done_at ? <Icon name="check" size={12} title={t("setup.done")} /> : at + 1}
                </span>
                <span>
                  {t(`setup.step.${one.step}`)}
                  {state && !one.done_at ? <small>{state}</small> : null}
                </span>
              </Link>
            </li>
          );
        })}
      </ol>
    </nav>
  );
}

/** What is left, and the end. */
function Finish({ setup }: { setup: Setup }) {
  const t = useT();
  const left = setup.steps.filter((one) => !one.done_at && one.step !== "finish");
  return (
    <div className={css.words}>
      {setup.finished ? null : <p>{left.length > 0 ? t("setup.left") : t("setup.all")}</p>}
      {left.length > 0 ? (
        <ul className={css.lines}>
          {left.map((one) => (
            <li key={one.step}>
              <Icon name={setup.finished ? "right" : "warn"} />
              <Link to="/setup" search={{ step: one.step }}>
                {t(`setup.step.${one.step}`)}
              </Link>
              <span className="faint">{one.mine ? "" : t(one.step === "people" ? "setup.forSecurity" : "setup.forSystem")}</span>
            </li>
          ))}
        </ul>
      ) : null}
      {setup.finished ? null : <p className="soft">{t("setup.after")}</p>}
    </div>
  );
}

function Hand({ setup, step, next }: { setup: Setup; step: Step; next: (done: Setup) => void }) {
  const t = useT();
  const settings = useSettings();
  const one = setup.steps.find((each) => each.step === step);
  const mine = one?.mine ?? false;
  const sample = useSample(step === "sample" && mine).data;
  const people = usePeople();
  const done = useStepDone();
  const me = useMe();
  const navigate = useNavigate();
  const [sure, setSure] = useState(false);
  const finish = () => done.mutate(step, { onSuccess: next, onError: (error) => toast(errorText(error), { tone: "bad", note: errorNote(error) }) });
  const later = () => {
    postpone(me.id);
    void navigate({ to: "/" });
  };
  const word = step === "finish" ? t("setup.finish") : step === "sample" && sample?.state === "none" ? t("setup.without") : FORMS.has(step) ? t("setup.save") : t("setup.next");
  const doneBy = one?.done_by ? people.get(one.done_by)?.name : undefined;
  return (
    <section className={css.hand} aria-labelledby="setup-step">
      <h2 id="setup-step" tabIndex={-1}>
        {t(`setup.step.${step}`)}
      </h2>
      {one?.done_at ? (
        <p className="soft">
          <Icon name="check" size={13} /> {doneBy ? t("setup.doneBy", { name: doneBy, when: ago(one.done_at) }) : t("setup.doneAt", { when: ago(one.done_at) })}
        </p>
      ) : null}
      {mine ? (
        <>
          {step === "organisation" ? <HouseForm settings={settings} id={FORM} onSaved={finish} /> : null}
          {step === "region" ? <RegionForm settings={settings} id={FORM} onSaved={finish} fresh={!one?.done_at} /> : null}
          {step === "people" ? <People /> : null}
          {step === "custody" ? <Custody setup={setup} sure={sure} onSure={setSure} /> : null}
          {step === "backup" ? <Backup sure={sure} onSure={setSure} /> : null}
          {step === "sample" ? (
            <div className={css.words}>
              <p>{t("setup.sampleText")}</p>
              <SampleData />
            </div>
          ) : null}
          {step === "finish" ? <Finish setup={setup} /> : null}
        </>
      ) : (
        <p>{t(step === "people" ? "setup.peopleOther" : "setup.systemOther")}</p>
      )}
      {mine || openSteps(setup).length > 0 ? null : <p>{t("setup.yours")}</p>}
      <div className={css.acts}>
        {mine && !(setup.finished && step === "finish") ? (
          <Button tone="primary" type={FORMS.has(step) ? "submit" : "button"} form={FORMS.has(step) ? FORM : undefined} busy={done.isPending} blocked={SURE.has(step) && !sure && !one?.done_at ? t("setup.confirmFirst") : undefined} onClick={FORMS.has(step) ? undefined : finish}>
            {word}
          </Button>
        ) : openSteps(setup).length > 0 && !setup.finished ? (
          <Button onClick={() => next(setup)}>{t("setup.skip")}</Button>
        ) : (
          <Button tone="primary" onClick={later}>
            {t("trouble.home")}
          </Button>
        )}
        {openSteps(setup).length > 0 && !setup.finished ? (
          <span className={css.end}>
            <Button tone="quiet" onClick={later}>
              {t("setup.later")}
            </Button>
          </span>
        ) : null}
      </div>
    </section>
  );
}

/** A change of the step moves the focus to its heading; the first sight of the page does not. */
function Focus({ step }: { step: Step }) {
  const shown = useRef(step);
  useEffect(() => {
    if (shown.current !== step) document.getElementById("setup-step")?.focus();
    shown.current = step;
  }, [step]);
  return null;
}

export default function SetupPage() {
  const t = useT();
  const me = useMe();
  const navigate = useNavigate();
  const { step: asked } = useSearch({ from: "/shell/setup" });
  const setup = useSetup();
  if (!takesPart(me.actions)) return <Denied />;
  if (!setup) return <Bones lines={8} />;
  const known = setup.steps.find((one) => one.step === asked)?.step;
  const step: Step = known ?? openSteps(setup)[0] ?? "finish";
  const next = (now: Setup) => {
    if (now.finished) {
      toast(t("setup.finished"), { tone: "good" });
      void navigate({ to: "/" });
      return;
    }
    // The next of one's own that is open, after this one and then from the beginning; when all are done the end tells what is left.
    const order = now.steps.map((one) => one.step);
    const at = order.indexOf(step);
    const open = openSteps(now);
    const after = open.find((one) => order.indexOf(one) > at) ?? open.find((one) => one !== step) ?? "finish";
    void navigate({ to: "/setup", search: { step: after } });
  };
  return (
    <div className={css.page}>
      <PageTitle title={t("setup.title")} className={css.title} />
      <p className={css.lead}>{setup.finished ? t("setup.over") : t("setup.lead")}</p>
      <div className={css.split}>
        <Steps setup={setup} step={step} />
        <Hand key={step} setup={setup} step={step} next={next} />
        <Focus step={step} />
      </div>
    </div>
  );
}
