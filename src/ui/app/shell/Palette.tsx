// The command palette (Ctrl/⌘ K): goes anywhere, makes anything, acts on the page that is open, finds records.

import { useNavigate } from "@tanstack/react-router";
import { Modal } from "@mantine/core";
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { usePlaces } from "~/admin/places";
import { signOut, useMe } from "~/api/session";
import { showHelp } from "~/help/open";
import { useT } from "~/i18n";
import { cx, Kbd } from "~/lib/basics";
import { useFocusBack } from "~/lib/focusBack";
import { Icon, type IconName } from "~/lib/icons";
import { shown } from "~/lib/keys";
import libCss from "~/lib/lib.module.css";
import { useOffered } from "~/model/commands";
import { iconOf } from "~/model/layouts";
import { objectLabel, useMetas } from "~/model/meta";
import { RECENTS_MAX, setPrefs } from "~/model/prefs";
import { linkOf, useFavourites } from "./favourites";
import { hitsOf, useFinder } from "./finder";
import { useRecents } from "./GlobalSearch";
import { workObjects } from "./Rail";
import { show } from "./stage";
import { THEMES } from "./TopBar";
import css from "./Shell.module.css";

type Entry = { id: string; group: string; label: string; icon: IconName; keys?: string | undefined; blocked?: string | undefined; act: () => void };

/** Every word that was typed begins a word of the label, or its letters stand in it in order. */
export function fits(label: string, query: string): boolean {
  const text = label.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => text.includes(word));
}

function useEntries(): Entry[] {
  const t = useT();
  const metas = useMetas();
  const navigate = useNavigate();
  const offered = useOffered();
  const places = usePlaces();
  const imports = useMe().actions.includes("import");
  return useMemo(() => {
    const work = workObjects(metas.values());
    const keys: { [object: string]: string } = { lead: "g l", contact: "g c", account: "g a", opportunity: "g o", case: "g t", activity: "g k" };
    return [
      ...offered.map((one) => ({ id: `page-${one.id}`, group: t("palette.page"), label: one.label, icon: one.icon ?? ("right" as IconName), keys: one.keys, blocked: one.blocked, act: one.act })),
      { id: "home", group: t("palette.go"), label: t("rail.home"), icon: "home", keys: "g h", act: () => void navigate({ to: "/" }) },
      ...work.map((meta) => ({ id: `go-${meta.name}`, group: t("palette.go"), label: objectLabel(meta, true), icon: iconOf(meta.name), keys: keys[meta.name], act: () => void navigate({ to: "/o/$object", params: { object: meta.name } }) })),
      ...places.map((place) => ({ id: `go-${place.to}`, group: t("palette.go"), label: place.label, icon: place.icon, act: () => void navigate({ to: place.to }) })),
      ...(imports ? [{ id: "import", group: t("palette.go"), label: t("import.name"), icon: "sortup" as IconName, act: () => void navigate({ to: "/import" }) }] : []),
      { id: "tokens", group: t("palette.go"), label: t("tokens.title"), icon: "link", act: () => void navigate({ to: "/tokens" }) },
      { id: "settings", group: t("palette.go"), label: t("rail.settings"), icon: "settings", act: () => void navigate({ to: "/settings" }) },
      ...work.filter((meta) => meta.may.create).map((meta) => ({ id: `new-${meta.name}`, group: t("palette.create"), label: t("palette.new", { object: objectLabel(meta) }), icon: "plus" as IconName, act: () => show({ what: "create", object: meta.name }) })),
      ...THEMES.map((one) => ({ id: `theme-${one.theme}`, group: t("palette.look"), label: `${t("settings.theme")}: ${t(one.key)}`, icon: one.icon, act: () => setPrefs({ theme: one.theme }) })),
      ...(["en", "zh"] as const).map((one) => ({
        id: `language-${one}`,
        group: t("palette.look"),
        label: one === "en" ? "Language: English" : "语言：中文",
        icon: "language" as IconName,
        act: () => setPrefs({ language: one }),
      })),
      { id: "keys", group: t("palette.help"), label: t("bar.keys"), icon: "keyboard", keys: "?", act: () => show({ what: "keys" }) },
      { id: "help", group: t("palette.help"), label: t("help.here"), icon: "help", act: () => showHelp() },
      { id: "signout", group: t("bar.you"), label: t("bar.signout"), icon: "out", act: () => void signOut() },
      { id: "manual", group: t("palette.help"), label: t("shell.help"), icon: "help", act: () => void window.open("/docs", "_blank", "noreferrer") },
    ] satisfies Entry[];
  }, [metas, navigate, offered, places, imports, t]);
}

export default function Palette() {
  const t = useT();
  const id = useId();
  const metas = useMetas();
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const all = useEntries();
  const finder = useFinder(text);
  const close = () => show({ what: "none" });
  useFocusBack(true);
  const found: Entry[] =
    finder.enabled && text.trim()
      ? hitsOf(finder.data, metas, finder.query).flatMap((group) => group.hits.map((hit) => ({ id: hit.id, group: objectLabel(metas.get(hit.object), true), label: hit.title, icon: iconOf(hit.object), act: () => void navigate({ to: "/o/$object/$id", params: { object: hit.object, id: hit.id } }) })))
      : [];
  const reach = (one: { id: string; object: string }): Entry["act"] => () => void navigate(linkOf({ kind: "record", ...one }));
  const kept: Entry[] = useFavourites().flatMap((one) => (one.label === null ? [] : [{ id: `kept-${one.id}`, group: t("star.title"), label: one.label, icon: one.icon, act: () => void navigate(linkOf(one)) }]));
  const recents: Entry[] = useRecents(true, RECENTS_MAX).map((one) => ({ id: `seen-${one.id}`, group: t("search.recents"), label: one.title, icon: iconOf(one.object), act: reach(one) }));
  const near = all.findIndex((entry) => !entry.id.startsWith("page-"));
  const offered = [...all.slice(0, near), ...kept, ...(text.trim() ? [] : recents.slice(0, 5)), ...all.slice(near), ...(text.trim() ? recents : [])];
  const entries = [...offered.filter((entry) => fits(`${entry.label} ${entry.group}`, text)), ...found];
  const current = Math.min(at, Math.max(entries.length - 1, 0));

  useEffect(() => {
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [current, text]);

  function run(entry: Entry | undefined) {
    if (!entry || entry.blocked) return;
    close();
    entry.act();
  }

  function key(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return;
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setAt((current + step + entries.length) % Math.max(entries.length, 1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(entries[current]);
    }
  }

  let group = "";
  return (
    <Modal.Root opened onClose={close} unstyled lockScroll={false} transitionProps={{ duration: 0 }}>
      <Modal.Overlay className={libCss.veil} />
      <Modal.Content aria-label={t("bar.palette")} classNames={{ inner: libCss.dialogPlace ?? "", content: cx(libCss.dialog) }}>
        <input data-autofocus role="combobox" aria-expanded aria-controls={`${id}-list`} aria-activedescendant={entries.length ? `${id}-${current}` : undefined} aria-label={t("palette.label")} className={css.paletteInput} placeholder={t("palette.hint")} value={text} maxLength={200} autoComplete="off" spellCheck={false} onKeyDown={key} onChange={(event) => { setText(event.target.value); setAt(0); }} />
        <div ref={list} id={`${id}-list`} role="listbox" aria-label={t("palette.label")} className={css.paletteList} tabIndex={-1}>
          {entries.map((entry, index) => {
            const head = entry.group !== group;
            group = entry.group;
            return (
              <div key={entry.id} role="presentation">
                {head ? <div className={libCss.groupName} role="presentation">{entry.group}</div> : null}
                <div id={`${id}-${index}`} role="option" aria-selected={index === current} aria-disabled={entry.blocked ? true : undefined} className={css.hit} onMouseMove={() => setAt(index)} onClick={() => run(entry)}>
                  <Icon name={entry.icon} />
                  <span className="clip">
                    {entry.label}
                    {entry.blocked ? <span className="faint"> · {entry.blocked}</span> : null}
                  </span>
                  <span className={libCss.itemEnd}>{entry.keys ? shown(entry.keys).map((key) => <Kbd key={key}>{key}</Kbd>) : null}</span>
                </div>
              </div>
            );
          })}
          {entries.length === 0 && !finder.isFetching ? <div className={css.panelNote}>{t("search.none", { query: text })}</div> : null}
        </div>
      </Modal.Content>
    </Modal.Root>
  );
}
