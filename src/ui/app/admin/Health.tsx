// How the appliance is: what `/api/v1/system/health` says, and for auditors the state of the log. Nothing is claimed that the
// server does not say.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useT } from "~/i18n";
import { ago, moment, number } from "~/i18n/format";
import { Badge, Button, libCss, Typed } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { healthQuery } from "~/model/house";
import { Trouble } from "~/pages/Trouble";
import { Checkpoint } from "~/audit/Checkpoint";
import { checkName, checkState, useOffices } from "./data";
import { AdminPage, Bones, Denied, Panel } from "./Page";
import css from "./admin.module.css";

export default function Health() {
  const t = useT();
  const offices = useOffices();
  const health = useQuery({ ...healthQuery, enabled: offices.health });
  if (!offices.health) return <Denied />;
  const { data } = health;
  const bad = data?.checks.filter((check) => !check.ok).length ?? 0;
  return (
    <AdminPage
      title={t("health.title")}
      badges={data ? <Badge tone={bad > 0 ? "bad" : "good"} icon={bad > 0 ? "warn" : "check"}>{bad > 0 ? t("health.bad", { count: bad }) : t("foot.well")}</Badge> : null}
      acts={
        <Button icon="refresh" busy={health.isFetching} onClick={() => void health.refetch()}>
          {t("list.refresh")}
        </Button>
      }
    >
      {health.error ? <Trouble error={health.error} retry={() => void health.refetch()} /> : null}
      {health.isPending ? <Bones lines={5} /> : null}
      {data ? (
        <>
          <ul className={css.scroll}>
            {data.checks.map((check) => (
              <li key={check.name} className={css.check} data-bad={!check.ok}>
                <Icon name={check.ok ? "check" : "warn"} title={check.ok ? t("health.good") : t("health.wrong")} />
                <strong>{checkName(t, check.name)}</strong>
                <span className="soft">
                  <Typed text={checkState(t, check)} />
                </span>
              </li>
            ))}
          </ul>
          <Panel title={t("health.about")}>
            <dl className={css.facts}>
              <dt>{t("health.version")}</dt>
              <dd className="num">Kontor {data.version}</dd>
              <dt>{t("health.started")}</dt>
              <dd>
                {moment(data.started_at)} <span className="faint">{ago(data.started_at)}</span>
              </dd>
              <dt>{t("health.clock")}</dt>
              <dd>{moment(data.now)}</dd>
              <dt>{t("health.keys")}</dt>
              <dd>{data.sealed ? t("health.sealed") : t("health.unsealed")}</dd>
              <dt>{t("health.definitions")}</dt>
              <dd>
                {number(data.definitions)} {offices.objects ? <Link to="/admin/objects">{t("objects.title")}</Link> : null}
              </dd>
              <dt>{t("health.policy")}</dt>
              <dd>
                <code>{data.policy}</code>
              </dd>
            </dl>
          </Panel>
          {offices.audit ? <Checkpoint /> : null}
          <p className={css.foot}>
            <a className={libCss.button} href="/docs" target="_blank" rel="noreferrer">
              {t("admin.manual")}
            </a>
            <Link className={libCss.button} to="/admin/backups">
              {t("backup.title")}
            </Link>
          </p>
        </>
      ) : null}
    </AdminPage>
  );
}
