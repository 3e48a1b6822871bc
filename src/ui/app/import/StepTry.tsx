// Step 4: the whole import on trial. The server does everything and takes it all back; what is shown is what would happen.

import { useT } from "~/i18n";
import { Button, libCss } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { address } from "~/api/client";
import { operations } from "~/api/types.gen";
import { number } from "~/i18n/format";
import { dealt, useAct } from "./data";
import { Progress, Reasons, Totals } from "./Outcome";
import { Problem, StepFoot, StepHead, type StepProps } from "./Frame";
import css from "./import.module.css";

export function StepTry({ one, go }: StepProps) {
  const t = useT();
  const act = useAct(one.id);
  const working = one.state === "checking";
  const report = one.dry_run;
  const again = report !== null;
  const all = report ? dealt(report) : 0;
  return (
    <>
      <StepHead step="try" text={t("import.tryText")} />
      <Problem one={one} />
      {working ? (
        <div className={css.work}>
          <Progress one={one} label={t("import.trying")} />
          <Button icon="close" busy={act.isPending} onClick={() => act.mutate("stop")}>
            {t("import.stop")}
          </Button>
        </div>
      ) : null}
      {!working && report ? (
        <>
          <p className={report.rejected === 0 ? css.well : css.warning} role="status">
            <Icon name={report.rejected === 0 ? "check" : "warn"} />
            <span>{report.rejected === 0 ? t("import.allFit", { rows: number(all) }) : t("import.someFail", { rejected: number(report.rejected), rows: number(all) })}</span>
          </p>
          <Totals report={report} />
          <Reasons one={one} report={report} />
        </>
      ) : null}
      {!working ? (
        <div className={css.acts}>
          <Button {...(again ? {} : { tone: "primary" as const })} icon="refresh" busy={act.isPending} blocked={one.can_run ? undefined : t("import.block.unmapped")} onClick={() => act.mutate("try")}>
            {again ? t("import.tryAgain") : t("import.try")}
          </Button>
          {report && report.rejected > 0 ? (
            <a className={libCss.button} href={address(operations.import_rejected[1], { import: one.id })} download>
              <Icon name="sortdown" />
              {t("import.rejectedFirst", { count: one.first_errors.length })}
            </a>
          ) : null}
        </div>
      ) : null}
      <StepFoot back={working ? undefined : () => go("rules")}>
        <Button {...(again ? { tone: "primary" as const } : {})} blocked={working ? t("import.block.busy") : one.can_run ? undefined : t("import.block.unmapped")} onClick={() => go("run")}>
          {again ? t("import.next.run") : t("import.skipTry")}
        </Button>
      </StepFoot>
    </>
  );
}
