// How the act of an entry ended, as a badge: refused, begun, failed, or allowed where that is to be said.

import { useT } from "~/i18n";
import { Badge } from "~/lib/basics";
import type { Entry } from "./words";

/** With `quiet` an act that went as it was asked says nothing: a list would be full of it. */
export function Ended({ entry, quiet = false }: { entry: Entry; quiet?: boolean }) {
  const t = useT();
  if (entry.decision === "deny") return <Badge tone="bad" icon="warn">{t("audit.denied")}</Badge>;
  if (entry.outcome === "failed") return <Badge tone="bad" icon="warn">{t("audit.failed")}</Badge>;
  if (entry.phase === "intent") return <Badge>{t("audit.begun")}</Badge>;
  if (entry.phase === "outcome") return <Badge tone="good" icon="check">{t("audit.done")}</Badge>;
  return quiet ? null : <Badge tone="good" icon="check">{t("audit.allowed")}</Badge>;
}
