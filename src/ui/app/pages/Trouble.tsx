// Pages that say what is wrong: not found, no permission, sealed, unreachable, and errors of the interface itself. Each says
// what happened, what was kept and what to do, with an id to quote.

import { Link, useRouter, type ErrorComponentProps } from "@tanstack/react-router";
import { errorNote, errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { useT } from "~/i18n";
import { Button, State, libCss } from "~/lib/basics";
import { PageTitle } from "~/shell/PageTitle";

export function NotFound() {
  const t = useT();
  return (
    <div>
      <PageTitle title={t("trouble.lost.title")} quiet />
      <State icon="search" title={t("trouble.lost.title")} text={t("trouble.lost.text")}>
        <Link className={libCss.button} to="/">
          {t("trouble.home")}
        </Link>
      </State>
    </div>
  );
}

/** The same where there is no frame around it. */
export function LostPage() {
  return (
    <main id="main">
      <NotFound />
    </main>
  );
}

/** What to show in place of something that could not be read. */
export function Trouble({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const t = useT();
  const wrong = refusalOf(error);
  if (wrong.status === 403) return <State icon="seal" title={t("trouble.denied.title")} text={t("trouble.denied.text")} quote={errorNote(wrong)} />;
  if (wrong.status === 404) return <State icon="search" title={t("trouble.gone.title")} text={t("trouble.gone.text")} quote={errorNote(wrong)} />;
  const text = wrong.code === "sealed" ? t("trouble.sealed.text") : wrong.unreachable ? t("trouble.unreachable.text") : wrong.code === "interface" ? t("trouble.interface.text") : wrong.detail;
  return (
    <State icon={wrong.unreachable ? "offline" : "warn"} title={errorText(wrong)} text={text} quote={wrong.code === "interface" ? wrong.message : errorNote(wrong)}>
      {retry ? (
        <Button icon="refresh" onClick={retry}>
          {t("trouble.retry")}
        </Button>
      ) : null}
    </State>
  );
}

export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <main id="main">
      <h1 className="sr">Kontor</h1>
      <Trouble
        error={error}
        retry={() => {
          reset();
          void router.invalidate();
        }}
      />
    </main>
  );
}
