// The foot of the shell: what one may trust. Only what the server says to this reader; nothing is claimed that is not known.

import { useQuery } from "@tanstack/react-query";
import { checkName, checkState } from "~/admin/data";
import { isThere } from "~/api/live";
import { useMe, useSessionLeft } from "~/api/session";
import { useT } from "~/i18n";
import { duration, listed } from "~/i18n/format";
import { Icon } from "~/lib/icons";
import { healthQuery } from "~/model/house";
import css from "./Shell.module.css";

function Health() {
  const t = useT();
  const { data } = useQuery({ ...healthQuery, refetchInterval: () => (isThere() ? 60_000 : false) });
  if (!data) return null;
  const bad = data.checks.filter((check) => !check.ok);
  const log = data.checks.find((check) => check.name === "audit_log");
  return (
    <>
      <span className={css.footItem} data-tone={bad.length > 0 ? "bad" : "good"}>
        <Icon name={bad.length > 0 ? "warn" : "check"} size={12} />
        <span className="clip">{bad.length > 0 ? t("foot.bad", { names: listed(bad.map((check) => checkName(t, check.name))) }) : t("foot.well")}</span>
      </span>
      {log ? (
        <span className={css.footItem}>
          <Icon name="seal" size={12} />
          <span className="clip">{t("foot.log", { state: checkState(t, log).replaceAll("`", "") })}</span>
        </span>
      ) : null}
      <span className={css.hideSmall}>Kontor {data.version}</span>
    </>
  );
}

export function Footer() {
  const t = useT();
  const me = useMe();
  const left = useSessionLeft();
  return (
    <footer className={css.foot}>
      {me.actions.includes("system_health") ? (
        <Health />
      ) : (
        <span className={css.footItem}>
          <Icon name="seal" size={12} />
          {t("foot.logged")}
        </span>
      )}
      <span className={css.footEnd}>
        <span className="num">{t("foot.session", { left: duration(Math.max(left, 0) / 1000) })}</span>
      </span>
    </footer>
  );
}
