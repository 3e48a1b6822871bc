// Backups: whether there is a set, whether it was proven, how long a recovery takes; a calendar of them, the sets and what the
// plan says of each, the drills. Sets are made and proven from here; nothing can be removed by hand.

import { useMutation } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { call } from "~/api/client";
import { errorText } from "~/api/errors";
import type { BackupLine, Backups as BackupsAnswer } from "~/api/types.gen";
import { useOffices } from "~/admin/data";
import { AdminPage, Bones, Denied, Panel } from "~/admin/Page";
import { dayOf } from "~/calendar/model";
import { HelpLink } from "~/help/HelpLink";
import { useT } from "~/i18n";
import { ago, bytes, date, lasting, moment, number } from "~/i18n/format";
import { Badge, Button, cx, State } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { toast } from "~/lib/toasts";
import { Trouble } from "~/pages/Trouble";
import { planOf, stateOf, useBackupAct, useBackups } from "./data";
import { Days } from "./Days";
import { SetDialog } from "./SetDialog";
import adminCss from "~/admin/admin.module.css";
import css from "./backup.module.css";

/** Sets that are listed before somebody asks for more. */
const FEW = 30;

function Fact({ name, children, note, bad }: { name: string; children: ReactNode; note?: string | undefined; bad?: boolean }) {
  return (
    <div className={css.fact} data-bad={bad || undefined}>
      <dt>{name}</dt>
      <dd>
        <strong>{children}</strong>
        {note ? <span>{note}</span> : null}
      </dd>
    </div>
  );
}

function Facts({ data }: { data: BackupsAnswer }) {
  const t = useT();
  const last = data.sets.find((set) => set.state === "verified");
  const proven = data.sets.filter((set) => set.proven_at).map((set) => set.proven_at ?? "").sort().at(-1);
  const drill = data.drills[0];
  const good = data.drills.find((one) => one.ok);
  return (
    <dl className={css.factsRow}>
      <Fact name={t("backup.last")} note={last ? moment(last.made_at) : undefined} bad={!last}>
        {last ? ago(last.made_at) : t("backup.never")}
      </Fact>
      <Fact name={t("backup.lastProven")} note={drill && !drill.ok ? t("backup.drillFailed", { when: moment(drill.at) }) : proven ? moment(proven) : undefined} bad={drill ? !drill.ok : false}>
        {proven ? ago(proven) : t("backup.never")}
      </Fact>
      <Fact name={t("backup.takes")} note={t("backup.takesNote")}>
        {good ? lasting(good.millis) : "–"}
      </Fact>
      <Fact name={t("backup.next")} note={data.schedule ?? undefined}>
        {data.next_at ? moment(data.next_at) : t("backup.never")}
      </Fact>
    </dl>
  );
}

function Running({ running, may }: { running: NonNullable<BackupsAnswer["running"]>; may: boolean }) {
  const t = useT();
  const stop = useBackupAct(() => call("backup_stop"), t("backup.stopped"));
  const part = running.total > 0 ? Math.min(100, Math.round((running.done / running.total) * 100)) : null;
  return (
    <div className={css.running} role="status">
      <Icon name="system" />
      <span>{running.what === "make" ? t("backup.making") : t("backup.proving")}</span>
      {part !== null ? (
        <>
          <span className={css.track} role="progressbar" aria-label={running.what === "make" ? t("backup.making") : t("backup.proving")} aria-valuenow={part} aria-valuemin={0} aria-valuemax={100}>
            <span style={{ width: `${part}%` }} />
          </span>
          <span className="num soft">{t("backup.of", { done: bytes(running.done), total: bytes(running.total) })}</span>
        </>
      ) : null}
      {may ? (
        <Button small busy={stop.isPending} onClick={() => stop.mutate(undefined)}>
          {t("backup.stop")}
        </Button>
      ) : null}
    </div>
  );
}

function Warnings({ data }: { data: BackupsAnswer }) {
  const t = useT();
  const late = data.targets.filter((target) => target.late).map((target) => target.name);
  const told = [
    !data.steady ? t("backup.unsteady") : "",
    late.length > 0 && !data.running ? t("backup.late", { names: late.join(", ") }) : "",
    !data.own_key ? t("backup.notOwn") : "",
  ].filter(Boolean);
  return told.map((text) => (
    <p key={text} className={cx(adminCss.warning, css.told)}>
      <Icon name="warn" />
      <span>{text}</span>
    </p>
  ));
}

function Sets({ sets, onOpen }: { sets: BackupLine[]; onOpen: (set: BackupLine) => void }) {
  const t = useT();
  const [all, setAll] = useState(false);
  const shown = all ? sets : sets.slice(0, FEW);
  return (
    <>
      <div className={adminCss.scroll}>
        <table className={adminCss.table}>
          <thead>
            <tr>
              <th scope="col">{t("backup.set")}</th>
              <th scope="col">{t("backup.target")}</th>
              <th scope="col">{t("backup.state")}</th>
              <th scope="col" className={adminCss.num}>{t("backup.size")}</th>
              <th scope="col">{t("backup.plan")}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((set) => {
              const state = stateOf(t, set);
              return (
                <tr key={`${set.sequence} ${set.target}`}>
                  <td className={adminCss.fit}>
                    <button type="button" className={adminCss.name} aria-label={t("backup.open", { number: set.sequence, target: set.target })} onClick={() => onOpen(set)}>
                      <span className="num">{number(set.sequence)}</span> · {moment(set.made_at)}
                    </button>
                  </td>
                  <td>{set.target}</td>
                  <td className={adminCss.fit}>
                    <Badge tone={state.tone}>{state.text}</Badge>
                  </td>
                  <td className={cx(adminCss.num, adminCss.fit)}>{set.bytes > 0 ? bytes(set.bytes) : "–"}</td>
                  <td>{planOf(t, set)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {sets.length > shown.length ? (
        <p className={adminCss.foot}>
          <Button small tone="quiet" onClick={() => setAll(true)}>
            {t("backup.allSets", { count: sets.length })}
          </Button>
        </p>
      ) : null}
    </>
  );
}

function Drills({ drills }: { drills: BackupsAnswer["drills"] }) {
  const t = useT();
  const known = (check: string) => (["unpack", "integrity", "counts", "log"].includes(check) ? t(`backup.check.${check as "unpack"}`) : check);
  if (drills.length === 0) return <p className="soft">{t("backup.noDrills")}</p>;
  return (
    <ul className={css.drills}>
      {drills.slice(0, 10).map((drill) => (
        <li key={`${drill.at} ${drill.sequence}`}>
          <details>
            <summary>
              <Icon name={drill.ok ? "check" : "warn"} title={drill.ok ? t("health.good") : t("health.wrong")} />
              <span>{t(drill.ok ? "backup.drillGood" : "backup.drillBad", { number: drill.sequence, target: drill.target })}</span>
              <span className="soft num">{lasting(drill.millis)}</span>
              <span className="faint">{moment(drill.at)}</span>
            </summary>
            <dl className={adminCss.facts}>
              {drill.checks.map((check) => (
                <div key={check.check} className={css.checked} data-bad={!check.ok || undefined}>
                  <dt>{known(check.check)}</dt>
                  <dd>{check.detail}</dd>
                </div>
              ))}
            </dl>
          </details>
        </li>
      ))}
    </ul>
  );
}

const STEPS = ["write", "rename", "read back", "list", "remove"];

/** Tries a target out: a small file goes there, comes back, and goes. */
function TestOf({ name, may }: { name: string; may: boolean }) {
  const t = useT();
  const test = useMutation({ mutationFn: () => call("backup_target_test", { params: { target: name } }), onError: (error) => toast(errorText(error), { tone: "bad" }) });
  const wrong = test.data?.steps.find((step) => !step.ok);
  const step = STEPS.indexOf(wrong?.step ?? "");
  if (!may) return null;
  return (
    <>
      <Button small busy={test.isPending} aria-label={t("backup.testNamed", { name })} onClick={() => test.mutate()}>
        {t("backup.test")}
      </Button>
      <span role="status" className={wrong ? css.wrong : "soft"}>
        {!test.data ? "" : wrong ? t("backup.testWrong", { step: step < 0 ? wrong.step : t(`backup.testStep.${step as 0}`), why: wrong.detail ?? "" }) : t("backup.testGood")}
      </span>
    </>
  );
}

/** What would be lost if this target alone were left; null seconds is what is promised where answers wait for it. */
function Shipped({ shipped }: { shipped: NonNullable<BackupsAnswer["targets"][number]["shipped"]> }) {
  const t = useT();
  if (shipped.trouble) return <span className={css.wrong}>{t("backup.shippedNot", { lost: lasting(shipped.rpo_seconds * 1000), why: shipped.trouble })}</span>;
  const words = shipped.rpo_seconds > 0 ? t("backup.shippedBehind", { lost: lasting(shipped.rpo_seconds * 1000) }) : t(shipped.sync ? "backup.shippedSync" : "backup.shippedNow");
  return <span className="soft">{words}</span>;
}

export default function Backups() {
  const t = useT();
  const offices = useOffices();
  const navigate = useNavigate();
  const { set = "" } = useSearch({ from: "/shell/admin/backups" });
  const { data, error, refetch, isPending } = useBackups(offices.health);
  const [day, setDay] = useState<string | null>(null);
  const make = useBackupAct(() => call("backup_make"));
  const prove = useBackupAct(() => call("backup_prove"));
  if (!offices.health) return <Denied />;
  const open = (to: string) => void navigate({ to: "/admin/backups", search: to ? { set: to } : {}, replace: to === "" });
  const [sequence, target] = [Number(set.split("@")[0]), set.split("@")[1]];
  const none = data && data.targets.length === 0;
  const busy = data?.running ? t("backup.busy") : undefined;
  const sets = data?.sets.filter((one) => !day || dayOf(new Date(one.made_at)) === day) ?? [];
  return (
    <AdminPage
      title={t("backup.title")}
      lead={t("backup.lead")}
      acts={
        offices.system && data && !none ? (
          <>
            <Button icon="check" blocked={busy ?? (data.own_key ? undefined : t("backup.notOwn"))} busy={prove.isPending} onClick={() => prove.mutate(undefined)}>
              {t("backup.prove")}
            </Button>
            <Button tone="primary" icon="plus" blocked={busy} busy={make.isPending} onClick={() => make.mutate(undefined)}>
              {t("backup.make")}
            </Button>
          </>
        ) : null
      }
    >
      {error ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {isPending ? <Bones lines={8} /> : null}
      {data?.running ? <Running running={data.running} may={offices.system} /> : null}
      {none ? (
        <State icon="warn" title={t("backup.noTargets")} text={t("backup.noTargetsText")}>
          <HelpLink topic="backups" />
        </State>
      ) : null}
      {data && !none ? (
        <>
          <Warnings data={data} />
          <Facts data={data} />
          <Panel title={t("backup.calendar")} end={<HelpLink topic="backups" />}>
            <Days sets={data.sets} chosen={day} onChoose={setDay} />
          </Panel>
          <Panel
            title={day ? t("backup.setsOf", { day: date(day) }) : t("backup.sets")}
            end={
              day ? (
                <Button small tone="quiet" icon="close" onClick={() => setDay(null)}>
                  {t("backup.everyDay")}
                </Button>
              ) : null
            }
          >
            <p className="faint">{t("backup.keeps", { daily: data.keep.daily, weekly: data.keep.weekly, monthly: data.keep.monthly, yearly: data.keep.yearly, hours: data.keep.delay_hours })}</p>
            {sets.length > 0 ? <Sets sets={sets} onOpen={(one) => open(`${one.sequence}@${one.target}`)} /> : <p className="soft">{t("backup.noSets")}</p>}
          </Panel>
          <Panel title={t("backup.drills")} end={data.drill ? <span className="faint num">{data.drill}</span> : null}>
            <Drills drills={data.drills} />
          </Panel>
          <Panel title={t("backup.targets")}>
            {data.window_days ? <p className="faint">{t("backup.window", { count: data.window_days })}</p> : null}
            <ul className={adminCss.lines}>
              {data.targets.map((one) => (
                <li key={one.name}>
                  <strong>{one.name}</strong>
                  <code className="soft">{one.place}</code>
                  <TestOf name={one.name} may={offices.system} />
                  {one.shipped ? <Shipped shipped={one.shipped} /> : null}
                  <span className={adminCss.end}>{one.late ? <Badge tone="bad" icon="warn">{t("backup.isLate")}</Badge> : <Badge tone="good">{t("backup.inTime")}</Badge>}</span>
                </li>
              ))}
            </ul>
          </Panel>
        </>
      ) : null}
      {Number.isSafeInteger(sequence) && target ? <SetDialog sequence={sequence} target={target} may={offices.system} onClose={() => open("")} /> : null}
    </AdminPage>
  );
}
