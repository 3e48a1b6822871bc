// Home: what is due, how the own deals stand, and what was seen last; for those without customer data, where they can go.
// Each figure leads to the list it counts.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { call } from "~/api/client";
import { useMe } from "~/api/session";
import type { Filter, RecordPage } from "~/api/types.gen";
import { useT } from "~/i18n";
import { date, number, short } from "~/i18n/format";
import { Bone } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { iconOf } from "~/model/layouts";
import { objectLabel, optionLabel, titleOf, useMetas, type Meta } from "~/model/meta";
import { PageTitle } from "~/shell/PageTitle";
import { useRecents } from "~/shell/GlobalSearch";
import { workObjects } from "~/shell/Rail";
import { Trouble } from "./Trouble";
import css from "./pages.module.css";

const OPEN_TASK: Filter = { and: [{ op: "mine" }, { field: "status", op: "in", value: ["planned", "in_progress", "waiting"] }] };
const LATE: Filter = { and: [{ op: "mine" }, { field: "status", op: "in", value: ["planned", "in_progress", "waiting"] }, { field: "due", op: "before_today" }] };
const OPEN_DEAL: Filter = { and: [{ op: "mine" }, { field: "stage", op: "in", value: ["prospecting", "engaging", "qualification", "proposal", "negotiation"] }] };
const OPEN_CASE: Filter = { and: [{ op: "mine" }, { field: "status", op: "in", value: ["new", "open", "pending_customer", "pending_internal", "reopened"] }] };
const NEW_LEAD: Filter = { and: [{ op: "mine" }, { field: "status", op: "in", value: ["new", "assigned"] }] };

function useList(object: string, name: string, on: boolean, body: { filter: Filter; fields: string[]; sort?: string[]; limit: number }) {
  return useQuery({
    queryKey: ["list", object, "home", name],
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

function Tasks({ answer, meta }: { answer: { data: RecordPage | undefined; error: unknown; refetch: () => void }; meta: Meta }) {
  const t = useT();
  const today = new Date().toISOString().slice(0, 10);
  return (
    <section className={css.panel} aria-labelledby="tasks">
      <div className={css.panelHead}>
        <h2 id="tasks">{t("home.tasks")}</h2>
        <Link to="/o/$object" params={{ object: "activity" }} search={{ f: JSON.stringify(OPEN_TASK), sort: "due" }}>
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

function Deals({ page, meta }: { page: RecordPage; meta: Meta }) {
  const t = useT();
  const stage = meta.fields.get("stage");
  const sums = new Map<string, { count: number; sum: number; currency: string }>();
  const currencies = new Set<string>();
  for (const record of page.items) {
    const amount = record.fields["amount"] as { amount: string; currency: string } | null | undefined;
    const key = String(record.fields["stage"]);
    if (amount) currencies.add(amount.currency);
    const now = sums.get(key) ?? { count: 0, sum: 0, currency: amount?.currency ?? "" };
    sums.set(key, { count: now.count + 1, sum: now.sum + Number(amount?.amount ?? 0), currency: now.currency || (amount?.currency ?? "") });
  }
  // Amounts of different currencies are not added up; then only how many there are is shown.
  const one = currencies.size === 1;
  const most = Math.max(1, ...[...sums.values()].map((entry) => (one ? entry.sum : entry.count)));
  const codes = (stage?.options ?? []).map((option) => option.code).filter((code) => sums.has(code));
  return (
    <section className={css.panel} aria-labelledby="deals">
      <div className={css.panelHead}>
        <h2 id="deals">{t("home.deals")}</h2>
        <Link to="/o/$object" params={{ object: "opportunity" }} search={{ f: JSON.stringify(OPEN_DEAL) }}>
          {t("home.all")}
        </Link>
      </div>
      {codes.length === 0 ? <p className={css.nothing}>{t("home.noDeals")}</p> : null}
      {codes.map((code) => {
        const entry = sums.get(code);
        if (!entry || !stage) return null;
        const filter = { and: [{ op: "mine" }, { field: "stage", op: "eq", value: code }] };
        return (
          <Link key={code} to="/o/$object" params={{ object: "opportunity" }} search={{ f: JSON.stringify(filter) }} className={css.bar}>
            <span className="clip">{optionLabel(stage, code)}</span>
            <span className={css.barTrack}>
              <span className={css.barFill} style={{ display: "block", width: `${((one ? entry.sum : entry.count) / most) * 100}%` }} />
            </span>
            <span className="num">{one ? short(entry.sum, entry.currency) : ""}</span>
            <span className="num soft">{number(entry.count)}</span>
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
  const tasks = useList("activity", "tasks", reads("activity"), { filter: OPEN_TASK, fields: ["subject", "kind", "due", "priority"], sort: ["due"], limit: 12 });
  const late = useList("activity", "late", reads("activity"), { filter: LATE, fields: ["subject"], limit: 1 });
  const deals = useList("opportunity", "deals", reads("opportunity"), { filter: OPEN_DEAL, fields: ["stage", "amount"], limit: 200 });
  const cases = useList("case", "cases", reads("case"), { filter: OPEN_CASE, fields: ["subject"], limit: 1 });
  const leads = useList("lead", "leads", reads("lead"), { filter: NEW_LEAD, fields: ["full_name"], limit: 1 });
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
        <span className="soft">{date(new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString())}</span>
      </div>
      {reads("activity") || reads("opportunity") || reads("case") ? (
        <div className={css.figures}>
          {reads("activity") ? <Figure object="activity" filter={LATE} label={t("home.late")} count={late.data?.count} bad /> : null}
          {reads("activity") ? <Figure object="activity" filter={OPEN_TASK} label={t("home.open")} count={tasks.data?.count} /> : null}
          {reads("opportunity") ? <Figure object="opportunity" filter={OPEN_DEAL} label={t("home.openDeals")} count={deals.data?.count} /> : null}
          {reads("case") ? <Figure object="case" filter={OPEN_CASE} label={t("home.openCases")} count={cases.data?.count} /> : null}
          {reads("lead") ? <Figure object="lead" filter={NEW_LEAD} label={t("home.newLeads")} count={leads.data?.count} /> : null}
        </div>
      ) : null}
      <div className={css.columns}>
        <div>
          {activity?.may.read ? <Tasks answer={{ data: tasks.data, error: tasks.error, refetch: () => void tasks.refetch() }} meta={activity} /> : null}
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
          {deals.data && opportunity ? <Deals page={deals.data} meta={opportunity} /> : null}
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
