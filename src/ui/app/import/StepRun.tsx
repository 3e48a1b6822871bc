// Step 5: the import itself. It goes on by itself on the server: the page may be left, loaded again or closed. It can be paused,
// stopped and taken back; before that is said what will go.

import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { Confirm } from "~/admin/Page";
import { address } from "~/api/client";
import { operations, type Import } from "~/api/types.gen";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { Button, libCss } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { objectLabel, useMetas } from "~/model/meta";
import { dealt, hasBegun, isWorking, useAct } from "./data";
import { Progress, Reasons, Totals, undoneWords } from "./Outcome";
import { Problem, StepFoot, StepHead, type StepProps } from "./Frame";
import css from "./import.module.css";

/** What will be taken back, before it is. */
function UndoDialog({ one, open, busy, onClose, onAct }: { one: Import; open: boolean; busy: boolean; onClose: () => void; onAct: () => void }) {
  const t = useT();
  const { created, updated, related } = one.progress;
  return (
    <Confirm open={open} title={t("import.undoTitle")} act={t("import.undo")} danger busy={busy} onClose={onClose} onAct={onAct}>
      <ul className={css.preview}>
        {created > 0 ? <li>{t("import.undoCreated", { count: created, number: number(created) })}</li> : null}
        {updated > 0 ? <li>{t("import.undoUpdated", { count: updated, number: number(updated) })}</li> : null}
        {related > 0 ? <li>{t("import.undoRelated", { count: related, number: number(related) })}</li> : null}
      </ul>
      <p className="soft">{t("import.undoStays")}</p>
    </Confirm>
  );
}

function Undone({ one }: { one: Import }) {
  const t = useT();
  const metas = useMetas();
  const { undo } = one;
  if (!undo || one.state === "undoing") return null;
  return (
    <>
      <p className={undo.failed > 0 ? css.warning : css.well} role="status">
        <Icon name={undo.failed > 0 ? "warn" : "undo"} />
        <span>
          {undoneWords(undo, t)} {undo.failed > 0 ? t("import.undoFailed", { count: undo.failed, number: number(undo.failed) }) : ""}
        </span>
      </p>
      {undo.failures.length > 0 ? (
        <ul className={css.reasons} aria-label={t("import.undoLeft")}>
          {undo.failures.slice(0, 50).map((failure) => (
            <li key={failure.id}>
              <Link to="/o/$object/$id" params={{ object: failure.object, id: failure.id }} search={{}}>
                {objectLabel(metas.get(failure.object))} {failure.id.slice(0, 8)}
              </Link>
              <span>{failure.code === "version_conflict" ? t("import.undoTouched") : failure.detail}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </>
  );
}

/** Lists show new rows once it has ended. */
function useFreshLists(one: Import) {
  const client = useQueryClient();
  const before = useRef(one.state);
  useEffect(() => {
    if (before.current !== one.state && !isWorking(one)) void client.invalidateQueries({ queryKey: ["list"] });
    before.current = one.state;
  }, [client, one]);
}

export function StepRun({ one, go }: StepProps) {
  const t = useT();
  const metas = useMetas();
  const act = useAct(one.id);
  const [asked, setAsked] = useState<"stop" | "undo" | null>(null);
  useFreshLists(one);
  const objects = objectLabel(metas.get(one.object ?? ""), true);
  const { progress, state } = one;
  const begun = hasBegun(one);
  const run = (what: "run" | "pause" | "resume" | "stop" | "undo") => {
    setAsked(null);
    act.mutate(what);
  };
  const working = isWorking(one);
  const made = progress.created + progress.updated + progress.unchanged > 0;
  return (
    <>
      <StepHead step="run" text={begun ? t(`import.runText.${state as "running"}`) : t("import.runFirst", { objects })} />
      <Problem one={one} />
      {!begun ? (
        <>
          {one.dry_run ? <Totals report={one.dry_run} /> : null}
          {one.dry_run ? null : (
            <p className={css.warning}>
              <Icon name="warn" />
              <span>{t("import.untried")}</span>
            </p>
          )}
        </>
      ) : null}
      {begun && state !== "done" && state !== "undone" ? (
        <div className={css.work}>
          <Progress one={one} label={state === "running" ? t("import.running", { objects }) : t(`import.state.${state}`)} />
          {state === "running" ? (
            <>
              <Button busy={act.isPending} onClick={() => run("pause")}>
                {t("import.pause")}
              </Button>
              <Button tone="danger" onClick={() => setAsked("stop")}>
                {t("import.stop")}
              </Button>
            </>
          ) : null}
          {one.can_resume ? (
            <>
              <Button tone="primary" busy={act.isPending} onClick={() => run("resume")}>
                {t("import.resume")}
              </Button>
              <Button tone="danger" onClick={() => setAsked("stop")}>
                {t("import.stop")}
              </Button>
            </>
          ) : null}
        </div>
      ) : null}
      <Undone one={one} />
      {state === "done" && !one.undo ? (
        <p className={progress.rejected > 0 ? css.warning : css.well} role="status">
          <Icon name={progress.rejected > 0 ? "warn" : "check"} />
          <span>{progress.rejected > 0 ? t("import.doneSome", { rows: number(dealt(progress) - progress.rejected), rejected: number(progress.rejected) }) : t("import.doneAll", { rows: number(dealt(progress)) })}</span>
        </p>
      ) : null}
      {begun ? <Totals report={progress} /> : null}
      {begun && !working ? (
        <div className={css.acts}>
          {made && one.object && state !== "undone" ? (
            <Link className={libCss.button} to="/o/$object" params={{ object: one.object }} search={{ f: JSON.stringify({ field: "import_job", op: "eq", value: one.id }) }}>
              <Icon name="right" />
              {t("import.show", { objects })}
            </Link>
          ) : null}
          {progress.rejected > 0 ? (
            <a className={libCss.button} href={address(operations.import_rejected[1], { import: one.id })} download>
              <Icon name="sortdown" />
              {t("import.rejected", { count: progress.rejected, number: number(progress.rejected) })}
            </a>
          ) : null}
          {one.can_undo ? (
            <Button tone="danger" icon="undo" busy={act.isPending} onClick={() => setAsked("undo")}>
              {t("import.undo")}
            </Button>
          ) : null}
        </div>
      ) : null}
      {begun && !working && state !== "undone" ? <Reasons one={one} report={progress} /> : null}
      {!begun ? (
        <StepFoot back={() => go("try")}>
          <Button tone="primary" busy={act.isPending} blocked={one.can_run ? undefined : t("import.block.unmapped")} onClick={() => run("run")}>
            {one.dry_run ? t("import.runRows", { count: dealt(one.dry_run), number: number(dealt(one.dry_run) - one.dry_run.rejected) }) : t("import.run")}
          </Button>
        </StepFoot>
      ) : null}
      <Confirm open={asked === "stop"} title={t("import.stopTitle")} act={t("import.stop")} danger busy={act.isPending} onClose={() => setAsked(null)} onAct={() => run("stop")}>
        <p>{t("import.stopText")}</p>
      </Confirm>
      <UndoDialog one={one} open={asked === "undo"} busy={act.isPending} onClose={() => setAsked(null)} onAct={() => run("undo")} />
    </>
  );
}
