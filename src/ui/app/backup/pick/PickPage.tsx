// A look into a backup set: which one, what it holds as far as the reader may see it, one record beside what it is now, and a
// whole object compared. Nothing is written before somebody says so.

import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, type ReactNode } from "react";
import type { Picks } from "~/api/types.gen";
import { useOffices } from "~/admin/data";
import { AdminPage, Bones, Denied, Panel } from "~/admin/Page";
import { HelpLink } from "~/help/HelpLink";
import { useT } from "~/i18n";
import { bytes, moment, number, time } from "~/i18n/format";
import { Button, cx, State } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { Trouble } from "~/pages/Trouble";
import { Beside } from "./Beside";
import { usePickAct, usePicks } from "./data";
import { Found } from "./Found";
import adminCss from "~/admin/admin.module.css";
import backupCss from "../backup.module.css";
import css from "./pick.module.css";

type Search = { set?: string; object?: string; q?: string; id?: string };

function Told({ children, bad }: { children: ReactNode; bad?: boolean }) {
  return (
    <p className={cx(adminCss.warning, bad && adminCss.bad, backupCss.told)} role={bad ? "alert" : undefined}>
      <Icon name="warn" />
      <span>{children}</span>
    </p>
  );
}

/** The sets that can be opened. */
function Choose({ data, busy, onOpen }: { data: Picks; busy: boolean; onOpen: (set: { sequence: number; target: string }) => void }) {
  const t = useT();
  if (data.sets.length === 0) return <State icon="history" title={t("pick.noSets")} text={t("pick.noSetsText")} />;
  return (
    <Panel title={t("pick.choose")} end={<HelpLink topic="picks" />}>
      <ul className={adminCss.lines}>
        {data.sets.map((set) => (
          <li key={`${set.sequence} ${set.target}`}>
            <strong className="num">{number(set.sequence)}</strong>
            <span>{moment(set.made_at)}</span>
            <span className="soft">{set.target}</span>
            <span className={adminCss.end}>
              <Button small busy={busy} blocked={data.own_key ? undefined : t("pick.notOwn")} aria-label={t("pick.openNamed", { number: set.sequence, target: set.target })} onClick={() => onOpen(set)}>
                {t("pick.browse")}
              </Button>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function Opening({ open, onStop, busy }: { open: NonNullable<Picks["open"]>; onStop: () => void; busy: boolean }) {
  const t = useT();
  const part = open.total > 0 ? Math.min(100, Math.round((open.done / open.total) * 100)) : 0;
  return (
    <div className={backupCss.running} role="status">
      <Icon name="system" />
      <span>{t("pick.opening", { number: open.sequence, when: moment(open.made_at) })}</span>
      <span className={backupCss.track} role="progressbar" aria-label={t("pick.progress")} aria-valuenow={part} aria-valuemin={0} aria-valuemax={100}>
        <span style={{ width: `${part}%` }} />
      </span>
      <span className="num soft">{t("backup.of", { done: bytes(open.done), total: bytes(open.total) })}</span>
      <Button small busy={busy} onClick={onStop}>
        {t("backup.stop")}
      </Button>
    </div>
  );
}

export default function PickPage() {
  const t = useT();
  const offices = useOffices();
  const navigate = useNavigate();
  const search: Search = useSearch({ from: "/shell/admin/backups/pick" });
  const { data, error, refetch, isPending } = usePicks(offices.pick);
  const { open, close } = usePickAct();
  const go = (to: Search) => void navigate({ to: "/admin/backups/pick", search: to });
  const there = data?.open ?? null;
  // A set that the address names is opened once, unless it is open; the address then speaks of what is looked at.
  const asked = useRef("");
  const [sequence, target = ""] = [Number(search.set?.split("@")[0]), search.set?.split("@")[1]];
  useEffect(() => {
    if (!data || !search.set || !target || asked.current === search.set) return;
    asked.current = search.set;
    if (there?.sequence !== sequence || there.target !== target) open.mutate({ sequence, target });
  }, [data, search.set, sequence, target, there, open]);
  if (!offices.pick) return <Denied />;
  return (
    <AdminPage
      title={there ? t("pick.of", { number: there.sequence, when: moment(there.made_at) }) : t("pick.title")}
      lead={there?.ready ? t("pick.openLead", { target: there.target, time: there.closes_at ? time(there.closes_at) : "" }) : t("pick.lead")}
      {...(offices.health ? { crumb: { to: "/admin/backups", label: t("backup.title") } } : {})}
      acts={
        there?.ready ? (
          <Button icon="close" busy={close.isPending} onClick={() => close.mutate(undefined, { onSuccess: () => go({}) })}>
            {t("pick.close")}
          </Button>
        ) : null
      }
    >
      {error ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {isPending ? <Bones lines={6} /> : null}
      {data?.failed && !there ? <Told bad>{t("pick.failed", { why: data.failed })}</Told> : null}
      {data && !data.own_key ? <Told>{t("pick.notOwn")}</Told> : null}
      {there && !there.ready ? <Opening open={there} busy={close.isPending} onStop={() => close.mutate(undefined, { onSuccess: () => go({}) })} /> : null}
      {data && !there ? <Choose data={data} busy={open.isPending} onOpen={(set) => open.mutate({ sequence: set.sequence, target: set.target })} /> : null}
      {there?.ready ? (
        search.object && search.id ? (
          <Beside key={`${search.object} ${search.id}`} object={search.object} id={search.id} onBack={() => go({ object: search.object ?? "", ...(search.q ? { q: search.q } : {}) })} onOpen={(object, id) => go({ object, id })} />
        ) : (
          <div className={css.page}>
            <Found object={search.object ?? ""} q={search.q ?? ""} onGo={go} />
          </div>
        )
      ) : null}
    </AdminPage>
  );
}
