// Home: what is due, how the own deals stand, and what was seen last; for those without customer data, where they can go.
// Each figure leads to the list it counts.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { call } from "~/api/client";
import { useMe } from "~/api/session";
import type { Figures, Filter, Money, RecordPage } from "~/api/types.gen";
import { useT } from "~/i18n";
import { date, number, short } from "~/i18n/format";
import { Bone } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import libCss from "~/lib/lib.module.css";
import { iconOf } from "~/model/layouts";
import { objectLabel, optionLabel, titleOf, useMetas, type Meta } from "~/model/meta";
import { setPrefs, usePrefs, type Prefs } from "~/model/prefs";
import { PageTitle } from "~/shell/PageTitle";
import { useRecents } from "~/shell/GlobalSearch";
import { workObjects } from "~/shell/Rail";
import { Trouble } from "./Trouble";
import css from "./pages.module.css";

/** Whose work is shown. */
type Whose = Prefs["whose"];

function of(whose: Whose, ...conditions: Filter[]): Filter {
  return { and: [...(whose === "all" ? [] : [{ op: whose }]), ...conditions] };
}
const OPEN_TASK: Filter = { field: "status", op: "in", value: ["planned", "in_progress", "waiting"] };
const LATE: Filter = { field: "due", op: "before_today" };
const OPEN_DEAL: Filter = { field: "stage", op: "in", value: ["prospecting", "engaging", "qualification", "proposal", "negotiation"] };
const OPEN_CASE: Filter = { field: "status", op: "in", value: ["new", "open", "pending_customer", "pending_internal", "reopened"] };
const NEW_LEAD: Filter = { field: "status", op: "in", value: ["new", "assigned"] };

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

function Tasks({ answer, meta, filter }: { answer: { data: RecordPage | undefined; error: unknown; refetch: () => void }; meta: Meta; filter: Filter }) {
  const t = useT();
  const today = new Date().toISOString().slice(0, 10);
  return (
    <section className={css.panel} aria-labelledby="tasks">
      <div className={css.panelHead}>
        <h2 id="tasks">{t("home.tasks")}</h2>
        <Link to="/o/$object" params={{ object: "activity" }} search={{ f: JSON.stringify(filter), sort: "due" }}>
          {t("home.all")}
        </Link>
      </div>
      {answer.error ? <Trouble error={answer.error} retry={answer.refetch} /> : null}
      {!answer.data && !answer.error ? [0, 1, 2].map((one) => <div key={one} className={css.row}><span /><Bone width={240} /></div>) : null}
      {answer.data?.items.length === 0 ? <p className={css.nothing}>{t("home.noTasks")}</p> : null}
      {answer.data?.items.map((record) => {
        const due = typeof record.fields["due"] === "string" ? record.fields["due"] : null;
        const late = due !== null && due.slice(0, 10) < today;
        const kind = String(record.fields["kind"] ?? "task");
        const field = meta.fields.get("kind");
        return (
          <Link key={record.id} to="/o/$object/$id" params={{ object: "activity", id: record.id }} className={css.row}>
            <Icon name={kind === "call" || kind === "meeting" || kind === "note" ? kind : "task"} />
            <span className="clip">{titleOf(meta, record)}</span>
            <span className="faint">{field ? optionLabel(field, kind) : kind}</span>
            <span className={late ? css.late : "soft num"}>
              {late ? <Icon name="warn" size={13} /> : null}
              {due ? date(due) : ""}
            </span>
          </Link>
        );
      })}
    </section>
  );
}

/** Open opportunities by stage: how many, and what they are worth, each currency by itself. */
function Deals({ meta, filter }: { meta: Meta; filter: Filter }) {
  const t = useT();
  const stage = meta.fields.get("stage");
  const { data, error, refetch } = useQuery({
    queryKey: ["list", "opportunity", "summary", filter],
    queryFn: ({ signal }) => call("record_summary", { params: { object: "opportunity" }, body: { filter, group_by: ["stage"], sums: ["amount"] }, signal }),
  });
  const groups = data?.groups ?? [];
  const amounts = (figures: Figures | undefined): Money[] => (Array.isArray(figures?.["amount"]) ? figures["amount"] : []);
  const currencies = new Set(groups.flatMap((group) => amounts(group.sums).map((amount) => amount.currency)));
  const one = currencies.size === 1;
  const size = (group: (typeof groups)[number]) => (one ? Number(amounts(group.sums)[0]?.amount ?? 0) : group.count);
  const most = Math.max(1, ...groups.map(size));
  const order = (stage?.options ?? []).map((option) => option.code);
  const sorted = [...groups].sort((x, y) => order.indexOf(String(x.key[0])) - order.indexOf(String(y.key[0])));
  return (
    <section className={css.panel} aria-labelledby="deals">
      <div className={css.panelHead}>
        <h2 id="deals">{t("home.deals")}</h2>
        <span className="soft num">{amounts(data?.total.sums).map((amount) => short(Number(amount.amount), amount.currency)).join(" · ")}</span>
        <Link to="/o/$object" params={{ object: "opportunity" }} search={{ f: JSON.stringify(filter) }}>
          {t("home.all")}
        </Link>
      </div>
      {error ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data && groups.length === 0 ? <p className={css.nothing}>{t("home.noDeals")}</p> : null}
      {sorted.map((group) => {
        const code = String(group.key[0]);
        const inside = { and: [...(filter["and"] as Filter[]).filter((part) => part["field"] !== "stage"), { field: "stage", op: "eq", value: code }] };
        return (
          <Link key={code} to="/o/$object" params={{ object: "opportunity" }} search={{ f: JSON.stringify(inside) }} className={css.bar}>
            <span className="clip">{stage ? optionLabel(stage, code) : code}</span>
            <span className={css.barTrack}>
              <span className={css.barFill} style={{ display: "block", width: `${(size(group) / most) * 100}%` }} />
            </span>
            <span className="num">{amounts(group.sums).map((amount) => short(Number(amount.amount), amount.currency)).join(" · ")}</span>
            <span className="num soft">{number(group.count)}</span>
          </Link>
        );
      })}
    </section>
  );
}

export default function Home() {
  const t = useT();
  const me = useMe();
  const metas = useMetas();
  const reads = (name: string) => metas.get(name)?.may.read === true;
  const prefs = usePrefs();
  const leads = me.roles.some((role) => role.includes("manager"));
  const whose: Whose = prefs.whose || (leads ? "my_unit_and_below" : "mine");
  const filters = {
    tasks: of(whose, OPEN_TASK),
    late: of(whose, OPEN_TASK, LATE),
    deals: of(whose, OPEN_DEAL),
    cases: of(whose, OPEN_CASE),
    leads: of(whose, NEW_LEAD),
  };
  const tasks = useList("activity", "tasks", reads("activity"), { filter: filters.tasks, fields: ["subject", "kind", "due", "priority"], sort: ["due"], limit: 12 });
  const late = useList("activity", "late", reads("activity"), { filter: filters.late, fields: ["subject"], limit: 1 });
  const deals = useList("opportunity", "deals", reads("opportunity"), { filter: filters.deals, fields: ["name"], limit: 1 });
  const cases = useList("case", "cases", reads("case"), { filter: filters.cases, fields: ["subject"], limit: 1 });
  const fresh = useList("lead", "leads", reads("lead"), { filter: filters.leads, fields: ["full_name"], limit: 1 });
  const recents = useRecents(true, 10);
  const hour = new Date().getHours();
  const activity = metas.get("activity");
  const opportunity = metas.get("opportunity");
  const work = workObjects(metas.values());
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
        <span className="soft">{date(new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString())}</span>
      </div>
      {reads("activity") || reads("opportunity") || reads("case") ? (
        <div className={css.figures}>
          {reads("activity") ? <Figure object="activity" filter={filters.late} label={t("home.late")} count={late.data?.count} bad /> : null}
          {reads("activity") ? <Figure object="activity" filter={filters.tasks} label={t("home.open")} count={tasks.data?.count} /> : null}
          {reads("opportunity") ? <Figure object="opportunity" filter={filters.deals} label={t("home.openDeals")} count={deals.data?.count} /> : null}
          {reads("case") ? <Figure object="case" filter={filters.cases} label={t("home.openCases")} count={cases.data?.count} /> : null}
          {reads("lead") ? <Figure object="lead" filter={filters.leads} label={t("home.newLeads")} count={fresh.data?.count} /> : null}
        </div>
      ) : null}
      <div className={css.columns}>
        <div>
          {activity?.may.read ? <Tasks answer={{ data: tasks.data, error: tasks.error, refetch: () => void tasks.refetch() }} meta={activity} filter={filters.tasks} /> : null}
          {!activity?.may.read ? (
            <section className={css.panel} aria-labelledby="places">
              <div className={css.panelHead}>
                <h2 id="places">{t("home.places")}</h2>
              </div>
              {work.concat(["user", "team", "unit"].flatMap((name) => metas.get(name) ?? [])).map((meta) => (
                <Link key={meta.name} to="/o/$object" params={{ object: meta.name }} className={css.row}>
                  <Icon name={iconOf(meta.name)} />
                  <span>{objectLabel(meta, true)}</span>
                </Link>
              ))}
            </section>
          ) : null}
        </div>
        <div>
          {opportunity?.may.read ? <Deals meta={opportunity} filter={filters.deals} /> : null}
          <section className={css.panel} aria-labelledby="recents">
            <div className={css.panelHead}>
              <h2 id="recents">{t("search.recents")}</h2>
            </div>
            {recents.length === 0 ? <p className={css.nothing}>{t("home.noRecents")}</p> : null}
            {recents.map((hit) => (
              <Link key={hit.id} to="/o/$object/$id" params={{ object: hit.object, id: hit.id }} className={css.row}>
                <Icon name={iconOf(hit.object)} />
                <span className="clip">{hit.title}</span>
                <span className="faint">{objectLabel(metas.get(hit.object))}</span>
                <span />
              </Link>
            ))}
          </section>
        </div>
      </div>
    </div>
  );
}
