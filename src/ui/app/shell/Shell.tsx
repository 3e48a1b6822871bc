// The frame around every page: rail, top bar, banners, the page, footer; and what lies above: palette, quick create, shortcut
// sheet, sign-in. It asks for nothing but the session and the objects.

import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useRouter } from "@tanstack/react-router";
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

/** The ribbon of a copy that is not the real thing. */
function Ribbon() {
  const t = useT();
  const kind = document.querySelector<HTMLMetaElement>("meta[name=kontor-environment]")?.content;
  if (!kind || kind === "production") return null;
  return (
    <div className={css.ribbon} role="note">
      {kind === "demo" ? t("ribbon.demo") : t("ribbon.other", { kind })}
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
