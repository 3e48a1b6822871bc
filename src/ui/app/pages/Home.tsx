// Home: what is due, how the own deals stand, and what was seen last, in widgets that people arrange. Each figure leads to the
// list it counts.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "~/api/client";
import { useMe } from "~/api/session";
import type { Filter } from "~/api/types.gen";
import { dayOf } from "~/calendar/model";
import { LATE, NEW_LEAD, of, OPEN_CASE, OPEN_DEAL, OPEN_TASK, TIME_UP, type Whose } from "~/home/filters";
import { Widgets } from "~/home/Widgets";
import { useT } from "~/i18n";
import { date, number } from "~/i18n/format";
import { Button } from "~/lib/basics";
import libCss from "~/lib/lib.module.css";
import { useMetas } from "~/model/meta";
import { setPrefs, usePrefs } from "~/model/prefs";
import { PageTitle } from "~/shell/PageTitle";
import css from "./pages.module.css";

function useList(object: string, name: string, on: boolean, body: { filter: Filter; fields: string[]; sort?: string[]; limit: number }) {
  return useQuery({
    queryKey: ["list", object, "home", name, body.filter],
    queryFn: ({ signal }) => call("record_query", { params: { object }, body: { ...body, count: "exact" }, signal }),
    enabled: on,
  });
}

function Figure({ object, filter, label, count, bad }: { object: string; filter: Filter; label: string; count: number | undefined; bad?: boolean }) {
  return (
    <Link to="/o/$object" params={{ object }} search={{ f: JSON.stringify(filter) }} className={css.figure} data-tone={bad && count ? "bad" : undefined}>
      <strong>{count === undefined ? "–" : number(count)}</strong>
      <span>{label}</span>
    </Link>
  );
}

export default function Home() {
  const t = useT();
  const me = useMe();
  const metas = useMetas();
  const reads = (name: string) => metas.get(name)?.may.read === true;
  const clocked = reads("case") && metas.get("case")?.view.access["resolve_due"]?.filterable === true;
  const prefs = usePrefs();
  const [arranging, setArranging] = useState(false);
  const leads = me.roles.some((role) => role.includes("manager"));
  const whose: Whose = prefs.whose || (leads ? "my_unit_and_below" : "mine");
  const filters = {
    tasks: of(whose, OPEN_TASK),
    late: of(whose, OPEN_TASK, LATE),
    deals: of(whose, OPEN_DEAL),
    cases: of(whose, OPEN_CASE),
    pressing: of(whose, OPEN_CASE, TIME_UP),
    leads: of(whose, NEW_LEAD),
  };
  const tasks = useList("activity", "tasks", reads("activity"), { filter: filters.tasks, fields: ["subject", "kind", "due", "priority"], sort: ["due"], limit: 12 });
  const late = useList("activity", "late", reads("activity"), { filter: filters.late, fields: ["subject"], limit: 1 });
  const deals = useList("opportunity", "deals", reads("opportunity"), { filter: filters.deals, fields: ["name"], limit: 1 });
  const cases = useList("case", "cases", reads("case"), { filter: filters.cases, fields: ["subject"], limit: 1 });
  const pressing = useList("case", "pressing", clocked, { filter: filters.pressing, fields: ["subject"], limit: 1 });
  const fresh = useList("lead", "leads", reads("lead"), { filter: filters.leads, fields: ["full_name"], limit: 1 });
  const hour = new Date().getHours();
  return (
    <div className={css.page}>
      <div className={css.head}>
        <PageTitle title={t("rail.home")} className={css.title}>
          {t(hour < 12 ? "home.morning" : hour < 18 ? "home.afternoon" : "home.evening", { name: me.display_name })}
        </PageTitle>
        {reads("activity") || reads("opportunity") || reads("case") ? (
          <div className={css.whose} role="group" aria-label={t("home.whose")}>
            {(["mine", "my_team", "my_unit_and_below", "all"] as const).map((one) => (
              <button key={one} type="button" className={`${libCss.button} ${libCss.quiet} ${libCss.small}`} aria-pressed={whose === one} onClick={() => setPrefs({ whose: one })}>
                {one === "all" ? t("home.everybody") : t(`filter.op.${one}`)}
              </button>
            ))}
          </div>
        ) : null}
        <span className={css.headEnd}>
          <span className="soft">{date(dayOf(new Date()))}</span>
          <Button small icon="columns" aria-pressed={arranging} onClick={() => setArranging(!arranging)}>
            {t("home.arrange")}
          </Button>
        </span>
      </div>
      {reads("activity") || reads("opportunity") || reads("case") ? (
        <div className={css.figures}>
          {reads("activity") ? <Figure object="activity" filter={filters.late} label={t("home.late")} count={late.data?.count} bad /> : null}
          {reads("activity") ? <Figure object="activity" filter={filters.tasks} label={t("home.open")} count={tasks.data?.count} /> : null}
          {reads("opportunity") ? <Figure object="opportunity" filter={filters.deals} label={t("home.openDeals")} count={deals.data?.count} /> : null}
          {reads("case") ? <Figure object="case" filter={filters.cases} label={t("home.openCases")} count={cases.data?.count} /> : null}
          {clocked ? <Figure object="case" filter={filters.pressing} label={t("home.pressing")} count={pressing.data?.count} bad /> : null}
          {reads("lead") ? <Figure object="lead" filter={filters.leads} label={t("home.newLeads")} count={fresh.data?.count} /> : null}
        </div>
      ) : null}
      <Widgets whose={whose} arranging={arranging} onDone={() => setArranging(false)} />
    </div>
  );
}
