// The frame around every page: rail, top bar, banners, the page, footer; and what lies above: palette, quick create, shortcut
// sheet, sign-in. It asks for nothing but the session and the objects.

import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useRouter } from "@tanstack/react-router";
import { lazy, Suspense, useCallback, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import { watchWire, wire } from "~/api/client";
import { listen } from "~/api/live";
import { useMe } from "~/api/session";
import { useHelp } from "~/help/open";
import { useT } from "~/i18n";
import { cx } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { useKeys } from "~/lib/keys";
import { Toasts } from "~/lib/toasts";
import libCss from "~/lib/lib.module.css";
import { openSteps, useSettings, useSetup } from "~/model/house";
import { usePrefs } from "~/model/prefs";
import { syncPrefs } from "~/model/prefsSync";
import { Footer } from "./Footer";
import { Rail } from "./Rail";
import { SessionGuard } from "./SessionGuard";
import { show, useStage } from "./stage";
import { TopBar } from "./TopBar";
import css from "./Shell.module.css";

const Palette = lazy(() => import("./Palette"));
const KeySheet = lazy(() => import("./KeySheet"));
const HelpPanel = lazy(() => import("~/help/HelpPanel"));
const QuickCreate = lazy(() => import("~/form/QuickCreate"));

function OffLine() {
  const t = useT();
  const reachable = useSyncExternalStore(watchWire, () => wire.reachable);
  if (reachable) return null;
  return (
    <div className={libCss.banner} role="status">
      <Icon name="offline" />
      <span>{t("shell.offline")}</span>
    </div>
  );
}

/** The ribbon of an appliance that is not the real thing; its kind is a word, never only a colour. */
function Ribbon() {
  const t = useT();
  const { ribbon } = useSettings();
  if (ribbon.kind === "none") return null;
  return (
    <div className={css.ribbon} role="note" data-kind={ribbon.kind}>
      <strong>{t(`ribbon.${ribbon.kind}`)}</strong>
      {ribbon.text ? ` · ${ribbon.text}` : ""}
    </div>
  );
}

/** Steps of the first run that wait for this administrator; on every page but its own, until the first run is over. */
function FirstRun() {
  const t = useT();
  const setup = useSetup();
  const here = useLocation({ select: (location) => location.pathname });
  const open = setup && here !== "/setup" ? openSteps(setup).length : 0;
  if (open === 0) return null;
  return (
    <div className={libCss.banner} data-tone="calm" role="status">
      <Icon name="info" />
      <span>{t("setup.banner", { count: open })}</span>
      <Link to="/setup" className={cx(libCss.button, libCss.small)}>
        {t("setup.goOn")}
      </Link>
    </div>
  );
}

export default function Shell() {
  const t = useT();
  const me = useMe();
  const prefs = usePrefs();
  const router = useRouter();
  const stage = useStage();
  const help = useHelp();
  const [railOpen, setRailOpen] = useState(false);
  const closeRail = useCallback(() => setRailOpen(false), []);
  const client = useQueryClient();
  useEffect(() => syncPrefs(me.id), [me.id]);
  useEffect(() => listen(client), [client, me.id]);
  const go = useMemo(() => {
    const to = (object: string) => () => void router.navigate({ to: "/o/$object", params: { object } });
    return { "g h": () => void router.navigate({ to: "/" }), "g l": to("lead"), "g c": to("contact"), "g a": to("account"), "g o": to("opportunity"), "g t": to("case"), "g k": to("activity") };
  }, [router]);
  useKeys({ ...go, "?": () => show({ what: "keys" }), "shift+?": () => show({ what: "keys" }) });
  useKeys({ "mod+k": () => show(stage.what === "palette" ? { what: "none" } : { what: "palette" }) }, { typing: true });

  return (
    <div className={cx(css.shell, prefs.railNarrow && css.narrow, help.open && css.helped)}>
      <a href="#main" className="skip">
        {t("shell.skip")}
      </a>
      <Rail open={railOpen} onClose={closeRail} />
      <div className={css.column}>
        <Ribbon />
        <TopBar onMenu={() => setRailOpen(true)} />
        <OffLine />
        <FirstRun />
        <SessionGuard key={me.id} />
        <main id="main" className={css.main} tabIndex={-1}>
          <Outlet />
        </main>
        <Footer />
      </div>
      {help.open ? (
        <Suspense fallback={null}>
          <HelpPanel />
        </Suspense>
      ) : null}
      <Toasts label={t("shell.messages")} closeLabel={t("act.close")} />
      <Suspense fallback={null}>
        {stage.what === "palette" ? <Palette /> : null}
        {stage.what === "keys" ? <KeySheet /> : null}
        {stage.what === "create" ? <QuickCreate object={stage.object} preset={stage.preset} /> : null}
      </Suspense>
    </div>
  );
}
