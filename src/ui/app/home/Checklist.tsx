// First days in a role: a few things to have done, each with the place where it is done. What can be known from facts ticks itself;
// the rest ticks when one goes there, or by hand. Kept with the person; who is through, or has no use for it, sends it away.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useId } from "react";
import { useMe } from "~/api/session";
import { useT, type Key } from "~/i18n";
import { Button } from "~/lib/basics";
import { healthQuery, useSettings, useSetup } from "~/model/house";
import { useMetas } from "~/model/meta";
import { setPrefs, usePrefs } from "~/model/prefs";
import own from "./home.module.css";

type Item = { id: string; words: Key; to: string; search?: { [name: string]: string }; known?: boolean | undefined };
export type Office = "sales" | "service" | "manager" | "system" | "security" | "auditor";

/** Whose list it is; administrators before people who sell, for they do not. */
export function officeOf(roles: readonly string[]): Office | null {
  const order: [string, Office][] = [["system_admin", "system"], ["security_admin", "security"], ["audit_admin", "auditor"], ["sales_manager", "manager"], ["service_agent", "service"], ["seller", "sales"]];
  return order.find(([role]) => roles.includes(role))?.[1] ?? null;
}

/** The list of a role, with what is known of it. */
export function useChecklist(): Item[] {
  const me = useMe();
  const prefs = usePrefs();
  const metas = useMetas();
  const settings = useSettings();
  const setup = useSetup();
  const office = officeOf(me.roles);
  const seen = (object: string) => prefs.recents.some((one) => one.object === object) || undefined;
  const health = useQuery({ ...healthQuery, enabled: office === "system" });
  const backup = health.data?.checks.find((check) => check.name === "backup");
  const copies = backup ? backup.state !== "backup_none" || undefined : undefined;
  const done = (step: string) => setup?.steps.some((one) => one.step === step && one.done_at !== null) || setup?.finished || undefined;
  const look: Item = { id: "look", words: "start.look", to: "/settings", known: prefs.language !== null || prefs.currency !== "" || undefined };
  const star: Item = { id: "star", words: "start.star", to: "/o/account", known: prefs.favourites.length > 0 || undefined };
  const all: { [name in Office]: Item[] } = {
    sales: [
      look,
      { id: "customer", words: "start.customer", to: "/o/account", known: seen("account") },
      { id: "board", words: "start.board", to: "/o/opportunity", search: { as: "board" } },
      { id: "deal", words: "start.deal", to: "/o/opportunity", known: seen("opportunity") },
      { id: "day", words: "start.day", to: "/o/activity", search: { as: "calendar" } },
      star,
    ],
    service: [
      look,
      { id: "case", words: "start.case", to: "/o/case", known: seen("case") },
      { id: "queue", words: "start.queue", to: "/o/case", search: { as: "board" } },
      { id: "person", words: "start.person", to: "/o/contact", known: seen("contact") },
      star,
    ],
    manager: [
      look,
      { id: "team", words: "start.team", to: "/o/opportunity", search: { as: "board" } },
      { id: "sums", words: "start.sums", to: "/o/opportunity", search: { by: "owner", sums: "amount" } },
      { id: "view", words: "start.view", to: "/o/opportunity", known: prefs.favourites.some((one) => one.kind === "view") || undefined },
      { id: "customer", words: "start.customer", to: "/o/account", known: seen("account") },
      star,
    ],
    system: [
      { id: "house", words: "start.house", to: "/admin/appliance", known: settings.organisation !== "" || undefined },
      { id: "custody", words: "start.custody", to: "/setup", search: { step: "custody" }, known: done("custody") },
      { id: "health", words: "start.health", to: "/admin/health" },
      { id: "objects", words: "start.objects", to: "/admin/objects", known: [...metas.values()].some((meta) => meta.name.startsWith("x_") || [...meta.fields.keys()].some((name) => name.startsWith("x_"))) || undefined },
      { id: "copies", words: "start.copies", to: "/setup", search: { step: "backup" }, known: copies },
      { id: "sample", words: "start.sample", to: "/admin/appliance", known: !settings.sample || undefined },
    ],
    security: [
      { id: "people", words: "start.people", to: "/admin/users", known: done("people") },
      { id: "units", words: "start.units", to: "/admin/units" },
      { id: "second", words: "start.second", to: "/admin/roles", search: { role: "security_admin" } },
      { id: "matrix", words: "start.matrix", to: "/admin/roles", search: { role: "seller" } },
      { id: "keys", words: "start.custody", to: "/setup", search: { step: "custody" }, known: done("custody") },
    ],
    auditor: [
      { id: "denied", words: "start.denied", to: "/audit", search: { denied: "1" } },
      { id: "prove", words: "start.prove", to: "/audit" },
      { id: "checkpoint", words: "start.checkpoint", to: "/audit", search: { tab: "log" } },
      { id: "rights", words: "start.rights", to: "/admin/roles" },
    ],
  };
  const places = office ? all[office] : [];
  return places.filter((item) => !item.to.startsWith("/o/") || metas.get(item.to.slice(3))?.may.read);
}

export function Checklist() {
  const t = useT();
  const id = useId();
  const prefs = usePrefs();
  const items = useChecklist();
  const ticked = new Set(prefs.started);
  const isDone = (item: Item) => item.known === true || ticked.has(item.id);
  const count = items.filter(isDone).length;
  const tick = (name: string, on: boolean) => setPrefs({ started: on ? [...new Set([...prefs.started, name])] : prefs.started.filter((one) => one !== name) });
  const words = t("start.progress", { done: count, total: items.length });
  return (
    <>
      <div className={own.progress}>
        <span className={own.track} role="progressbar" aria-label={words} aria-valuenow={count} aria-valuemin={0} aria-valuemax={items.length}>
          <span style={{ width: `${(count / Math.max(1, items.length)) * 100}%` }} />
        </span>
        <span className="soft num">{words}</span>
      </div>
      <ul>
        {items.map((item) => (
          <li key={item.id} className={own.item} data-done={isDone(item) || undefined}>
            <input id={`${id}${item.id}`} type="checkbox" aria-labelledby={`${id}${item.id}-words`} checked={isDone(item)} disabled={item.known === true} onChange={(event) => tick(item.id, event.target.checked)} />
            <Link id={`${id}${item.id}-words`} to={item.to} {...(item.search ? { search: item.search as never } : {})} className={own.name} onClick={() => tick(item.id, true)}>
              {t(item.words)}
            </Link>
          </li>
        ))}
      </ul>
      <div className={own.under}>
        <span className="soft">{count === items.length ? t("start.all") : ""}</span>
        <Button small tone="quiet" onClick={() => setPrefs({ startOver: true })}>
          {t("start.dismiss")}
        </Button>
      </div>
    </>
  );
}
