// The bar above every page: search, quick create, theme and language, help, and who one is.

import { useNavigate } from "@tanstack/react-router";
import { signOut, useMe } from "~/api/session";
import { hideHelp, showHelp, useHelp } from "~/help/open";
import { useLanguage, useT } from "~/i18n";
import { Avatar, Button, IconButton } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { Menu, type MenuItems } from "~/lib/overlays";
import { onMac } from "~/lib/keys";
import { iconOf } from "~/model/layouts";
import { objectLabel, useMetas } from "~/model/meta";
import { setPrefs, usePrefs, type Theme } from "~/model/prefs";
import { Bell } from "./Bell";
import { GlobalSearch } from "./GlobalSearch";
import { workObjects } from "./Rail";
import { show } from "./stage";
import css from "./Shell.module.css";

export const THEMES: { theme: Theme; icon: "sun" | "moon" | "system" | "contrast"; key: "theme.light" | "theme.dark" | "theme.system" | "theme.contrast" }[] = [
  { theme: "light", icon: "sun", key: "theme.light" },
  { theme: "dark", icon: "moon", key: "theme.dark" },
  { theme: "system", icon: "system", key: "theme.system" },
  { theme: "contrast", icon: "contrast", key: "theme.contrast" },
];

function CreateMenu() {
  const t = useT();
  const metas = useMetas();
  const kinds = workObjects(metas.values()).filter((meta) => meta.may.create);
  if (kinds.length === 0) return null;
  const items: MenuItems = kinds.map((meta) => ({ label: objectLabel(meta), icon: iconOf(meta.name), act: () => show({ what: "create", object: meta.name }) }));
  return (
    <Menu
      label={t("bar.create")}
      align="end"
      items={items}
      target={
        <Button tone="primary" icon="plus" aria-label={t("bar.create")}>
          <span className={css.hideSmall}>{t("bar.create")}</span>
        </Button>
      }
    />
  );
}

function UserMenu() {
  const t = useT();
  const me = useMe();
  const navigate = useNavigate();
  const spoken = useLanguage();
  const prefs = usePrefs();
  const choose = (language: "en" | "zh") => setPrefs({ language });
  const items: MenuItems = [
    { kind: "group", label: me.login },
    { label: t("rail.settings"), icon: "settings", act: () => void navigate({ to: "/settings" }) },
    { label: t("bar.keys"), icon: "keyboard", end: "?", act: () => show({ what: "keys" }) },
    { kind: "rule" },
    { kind: "group", label: t("settings.theme") },
    ...THEMES.map(({ theme, key }) => ({ label: t(key), checked: prefs.theme === theme, act: () => setPrefs({ theme }) })),
    { kind: "rule" },
    { kind: "group", label: t("settings.language") },
    { label: "English", checked: spoken === "en", act: () => choose("en") },
    { label: "中文", checked: spoken === "zh", act: () => choose("zh") },
    { kind: "rule" },
    { label: t("bar.signout"), icon: "out", act: () => void signOut() },
  ];
  return (
    <Menu
      label={t("bar.you")}
      align="end"
      items={items}
      target={
        <button type="button" className={css.user} aria-label={`${t("bar.you")}: ${me.display_name}`}>
          <Avatar name={me.display_name} />
          <span className={`clip ${css.hideSmall}`}>{me.display_name}</span>
          <Icon name="down" size={12} />
        </button>
      }
    />
  );
}

export function TopBar({ onMenu }: { onMenu: () => void }) {
  const t = useT();
  const prefs = usePrefs();
  const help = useHelp();
  return (
    <header className={css.bar}>
      <IconButton icon="menu" label={t("bar.menu")} className={css.menuButton} onClick={onMenu} />
      <IconButton icon="first" label={prefs.railNarrow ? t("bar.widen") : t("bar.narrow")} className={css.hideSmall} onClick={() => setPrefs({ railNarrow: !prefs.railNarrow })} aria-pressed={prefs.railNarrow} />
      <GlobalSearch />
      <div className={css.barEnd}>
        <CreateMenu />
        <IconButton icon="keyboard" label={t("bar.palette")} keys={onMac ? "⌘K" : "Ctrl K"} className={css.hideSmall} onClick={() => show({ what: "palette" })} />
        <Bell />
        <IconButton icon="help" label={t("help.here")} aria-pressed={help.open} onClick={() => (help.open ? hideHelp() : showHelp())} />
        <UserMenu />
      </div>
    </header>
  );
}
