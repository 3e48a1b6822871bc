// Favourites: records and saved views kept at hand in the rail, the palette and on the home page. Kept with the person are ids;
// names are read when they are shown, and what may no longer be seen is not named.

import { useQueries } from "@tanstack/react-query";
import { useCallback } from "react";
import { useT } from "~/i18n";
import { IconButton } from "~/lib/basics";
import type { IconName } from "~/lib/icons";
import { toast } from "~/lib/toasts";
import { iconOf } from "~/model/layouts";
import { useMetas } from "~/model/meta";
import { FAVOURITES_MAX, keepFavourite, usePrefs, type Favourite } from "~/model/prefs";
import { useTitles } from "~/model/titles";
import { KIND_ICONS, viewsQuery } from "~/model/views";
import css from "./Shell.module.css";

export type Kept = Favourite & {
  /** Null when it cannot be named: it is gone, or out of the reader's sight. */
  label: string | null;
  icon: IconName;
};

/** What the reader keeps, in the order in which it was kept; without what is still being read. */
export function useFavourites(on = true): Kept[] {
  const metas = useMetas();
  const { favourites } = usePrefs();
  const titles = useTitles(favourites.filter((one) => one.kind === "record"), on);
  const objects = [...new Set(favourites.filter((one) => one.kind === "view" && metas.get(one.object)?.may.read).map((one) => one.object))];
  const views = useQueries({ queries: objects.map((object) => ({ ...viewsQuery(object), enabled: on })) });
  return favourites.flatMap((one): Kept[] => {
    if (one.kind === "record") {
      const title = titles.found.find((other) => other.id === one.id)?.title ?? null;
      return title === null && titles.pending ? [] : [{ ...one, label: title, icon: iconOf(one.object) }];
    }
    const answer = views[objects.indexOf(one.object)];
    const view = answer?.data?.items.find((other) => other.id === one.id);
    return !view && answer?.isPending ? [] : [{ ...one, label: view?.name ?? null, icon: view ? KIND_ICONS[view.kind] : "columns" }];
  });
}

/** Where it leads: to the record, or to the list with the view. */
export function linkOf(one: Favourite): { to: string; search: { [name: string]: string } } {
  return one.kind === "record" ? { to: `/o/${one.object}/${one.id}`, search: {} } : { to: `/o/${one.object}`, search: { view: one.id } };
}

/** The star of one thing. */
export function useStar({ kind, object, id }: Favourite, name: string): { on: boolean; label: string; toggle: () => void } {
  const t = useT();
  const on = usePrefs().favourites.some((one) => one.id === id);
  const toggle = useCallback(() => {
    const done = keepFavourite({ kind, object, id });
    if (done === "full") return toast(t("star.full", { count: FAVOURITES_MAX }), { tone: "bad" });
    toast(done === "kept" ? t("star.kept", { name }) : t("star.gone", { name }), { action: { label: t("act.undo"), act: () => void keepFavourite({ kind, object, id }) } });
  }, [t, kind, object, id, name]);
  return { on, label: on ? t("star.drop") : t("star.keep"), toggle };
}

export function Star({ star }: { star: ReturnType<typeof useStar> }) {
  return <IconButton icon="star" label={star.label} keys="s" aria-pressed={star.on} className={css.star} onClick={star.toggle} />;
}
