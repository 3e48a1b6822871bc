// The foot of a list: how many there are and the sums that were asked for, over all that match, not only over what is loaded.

import { useMemo } from "react";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import type { Meta } from "~/model/meta";
import { useSummary } from "~/model/summary";
import { Figures, groupRequest } from "./Grouped";
import type { ListState } from "./state";
import css from "./list.module.css";

export default function Totals({ meta, state }: { meta: Meta; state: ListState }) {
  const t = useT();
  const request = useMemo(() => groupRequest(state), [state]);
  const { data } = useSummary(meta.name, request);
  if (!data) return null;
  return (
    <div className={css.totals} role="group" aria-label={t("group.totals")}>
      <strong>{t("group.totals")}</strong>
      <span className="num">{t("list.count", { number: number(data.total.count) })}</span>
      <Figures meta={meta} sums={state.sums} figures={data.total.sums} />
    </div>
  );
}
