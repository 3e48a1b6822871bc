// Widgets of figures: the pipeline by stage and by person, as bars with their numbers or as a table; and for those who keep the
// house the state of the appliance.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Filter } from "~/api/types.gen";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { checkName, checkState } from "~/admin/data";
import { Bone, Button, Typed } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { healthQuery } from "~/model/house";
import { optionLabel, said, type Meta } from "~/model/meta";
import { amountsOf, figureText, shortAmounts, useSummary } from "~/model/summary";
import { Trouble } from "~/pages/Trouble";
import css from "~/pages/pages.module.css";
import own from "./home.module.css";

/** Open opportunities by stage or by owner: how many, and what they are worth, each currency by itself. */
export function Pipeline({ meta, filter, by }: { meta: Meta; filter: Filter; by: "stage" | "owner" }) {
  const t = useT();
  const [table, setTable] = useState(false);
  const field = meta.fields.get(by);
  const { data, error, refetch } = useSummary("opportunity", { filter, group_by: [by], sums: ["amount"], limit: 50 });
  if (error && !data) return <Trouble error={error} retry={() => void refetch()} />;
  if (!data) return <Bone height={120} />;
  if (data.groups.length === 0) return <p className={css.nothing}>{t("home.noDeals")}</p>;
  const currencies = new Set(data.groups.flatMap((group) => amountsOf(group.sums, "amount").map((amount) => amount.currency)));
  const size = (group: (typeof data.groups)[number]) => (currencies.size === 1 ? Number(amountsOf(group.sums, "amount")[0]?.amount ?? 0) : group.count);
  const most = Math.max(1, ...data.groups.map(size));
  const order = (field?.options ?? []).map((option) => option.code);
  const rows = [...data.groups].sort((x, y) => (by === "stage" ? order.indexOf(String(x.key[0])) - order.indexOf(String(y.key[0])) : size(y) - size(x))).slice(0, 10);
  const name = (group: (typeof rows)[number]) => (by === "stage" && field ? optionLabel(field, String(group.key[0])) : (group.label[0] ?? t("value.hidden")));
  const inside = (group: (typeof rows)[number]) => JSON.stringify({ and: [...(filter["and"] as Filter[]).filter((part) => part["field"] !== by), group.key[0] === null ? { field: by, op: "empty", value: true } : { field: by, op: "eq", value: group.key[0] }] });
  return (
    <>
      {table ? (
        <table className={own.table}>
          <thead>
            <tr>
              <th scope="col">{said(field?.label)}</th>
              <th scope="col">{said(meta.fields.get("amount")?.label)}</th>
              <th scope="col">{t("home.number")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((group) => (
              <tr key={String(group.key[0])}>
                <th scope="row">{name(group)}</th>
                <td>{figureText(group.sums, "amount") || "–"}</td>
                <td>{number(group.count)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{t("group.totals")}</th>
              <td>{figureText(data.total.sums, "amount") || "–"}</td>
              <td>{number(data.total.count)}</td>
            </tr>
          </tfoot>
        </table>
      ) : (
        rows.map((group) => (
          <Link key={String(group.key[0])} to="/o/$object" params={{ object: "opportunity" }} search={{ f: inside(group), ...(by === "owner" ? { as: "board" } : {}) }} className={css.bar}>
            <span className="clip">{name(group)}</span>
            <span className={css.barTrack}>
              <span className={css.barFill} style={{ display: "block", width: `${(size(group) / most) * 100}%` }} />
            </span>
            <span className="num">{shortAmounts(amountsOf(group.sums, "amount"))}</span>
            <span className="num soft">{number(group.count)}</span>
          </Link>
        ))
      )}
      <div className={own.under}>
        <span className="soft num">{shortAmounts(amountsOf(data.total.sums, "amount"))}</span>
        <Button small tone="quiet" onClick={() => setTable(!table)}>
          {table ? t("home.asBars") : t("home.asTable")}
        </Button>
      </div>
    </>
  );
}

export function Health() {
  const t = useT();
  const { data, error, refetch } = useQuery(healthQuery);
  if (error) return <Trouble error={error} retry={() => void refetch()} />;
  if (!data) return <Bone height={90} />;
  return (
    <ul>
      {data.checks.map((check) => (
        <li key={check.name} className={`${css.row} ${own.health}`}>
          <Icon name={check.ok ? "check" : "warn"} />
          <span>{checkName(t, check.name)}</span>
          <span className={check.ok ? "soft" : own.bad}>
            <Typed text={checkState(t, check)} />
          </span>
          <span className={check.ok ? own.good : css.late}>{check.ok ? t("health.good") : t("health.wrong")}</span>
        </li>
      ))}
    </ul>
  );
}
