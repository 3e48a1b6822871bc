// What every step of an import has: its head, which takes the focus, what stopped the import, and the foot with back and on.

import { useEffect, useRef, type ReactNode } from "react";
import type { Import } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import type { Step } from "./data";
import type { MappingDraft } from "./draft";
import css from "./import.module.css";

export type StepProps = { one: Import; draft: MappingDraft; go: (step: Step) => void };

/** The head of a step takes the focus when one comes to it. */
export function StepHead({ step, text, end }: { step: Step; text: string; end?: ReactNode }) {
  const t = useT();
  const place = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    place.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div className={css.stepHead}>
      <h2 ref={place} tabIndex={-1}>
        {t(`import.title.${step}`)}
      </h2>
      <p className="soft">{text}</p>
      {end ? <div className={css.stepEnd}>{end}</div> : null}
    </div>
  );
}

/** Why the import stopped, if it did. */
export function Problem({ one }: { one: Import }) {
  if (!one.problem) return null;
  return (
    <p className={css.wrong} role="alert">
      <Icon name="warn" />
      <span>{one.problem.detail}</span>
    </p>
  );
}

/** Back and on, always at the foot. */
export function StepFoot({ back, children }: { back?: (() => void) | undefined; children?: ReactNode }) {
  const t = useT();
  return (
    <div className={css.foot}>
      {back ? (
        <Button icon="left" onClick={back}>
          {t("act.back")}
        </Button>
      ) : null}
      <div className={css.footEnd}>{children}</div>
    </div>
  );
}
