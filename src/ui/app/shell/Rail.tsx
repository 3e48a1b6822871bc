// The rail: where one can go, by what the session may do. Icons and words, always both.

import { Link, useLocation } from "@tanstack/react-router";
import { useEffect } from "react";
import { RUN_OBJECTS, usePlaces } from "~/admin/places";
import { useMe } from "~/api/session";
import { useT } from "~/i18n";
import { Icon, Mark, type IconName } from "~/lib/icons";
import { iconOf, RAIL_ORDER } from "~/model/layouts";
import { useSettings } from "~/model/house";
import { HOUSE_OBJECTS, objectLabel, useMetas, type Meta } from "~/model/meta";
import { linkOf, useFavourites } from "./favourites";
import css from "./Shell.module.css";

function Entry({ to, icon, label, current }: { to: string; icon: IconName; label: string; current: boolean }) {
  return (
    <li>
      <Link to={to} className={css.link} aria-current={current ? "page" : undefined}>
        <Icon name={icon} />
        <span className={css.linkText}>{label}</span>
      </Link>
    </li>
  );
}

/** Objects of daily work first, in the order of a sale; their own objects of the house after that. */
export function workObjects(metas: Iterable<Meta>): Meta[] {
  const readable = [...metas].filter((meta) => meta.may.read && !HOUSE_OBJECTS.has(meta.name));
  const rank = (meta: Meta) => (RAIL_ORDER.includes(meta.name) ? RAIL_ORDER.indexOf(meta.name) : RAIL_ORDER.length);
  return readable.sort((a, b) => rank(a) - rank(b));
}

/** People and units, for those who see them in lists and not in administration. */
export function useOffice(): Meta[] {
  const metas = useMetas();
  const me = useMe();
  const places = usePlaces();
  if (places.some((place) => place.to === "/admin/users")) return [];
  return [...RUN_OBJECTS].flatMap((name) => metas.get(name) ?? []).filter((meta) => meta.may.read && (meta.may.update || me.actions.length > 0));
}

export function Rail({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useT();
  const metas = useMetas();
  const { organisation } = useSettings();
  const path = useLocation({ select: (location) => location.pathname });
  const at = (to: string) => path === to || path.startsWith(`${to}/`);
  useEffect(onClose, [path, onClose]);
  const places = usePlaces();
  const office = useOffice();
  const kept = useFavourites().filter((one) => one.label !== null);
  const view = useLocation({ select: (location) => (location.search as { view?: string }).view });
  return (
    <>
      {open ? <div className={css.railVeil} onClick={onClose} aria-hidden /> : null}
      <nav className={css.rail} aria-label={t("rail.label")} data-open={open} onKeyDown={(event) => (event.key === "Escape" ? onClose() : undefined)}>
        <Link to="/" className={css.brand}>
          <Mark />
          <span className={css.brandText}>
            Kontor
            {organisation ? <small className="clip">{organisation}</small> : null}
          </span>
        </Link>
        <ul>
          <Entry to="/" icon="home" label={t("rail.home")} current={path === "/"} />
          {workObjects(metas.values()).map((meta) => (
            <Entry key={meta.name} to={`/o/${meta.name}`} icon={iconOf(meta.name)} label={objectLabel(meta, true)} current={at(`/o/${meta.name}`)} />
          ))}
        </ul>
        {kept.length > 0 ? (
          <>
            <div className={css.groupTitle}>{t("star.title")}</div>
            <ul>
              {kept.map((one) => (
                <li key={one.id}>
                  <Link {...linkOf(one)} className={css.link} title={one.label ?? undefined} aria-current={(one.kind === "record" ? at(`/o/${one.object}/${one.id}`) : view === one.id) ? "page" : undefined}>
                    <Icon name={one.icon} />
                    <span className={`clip ${css.linkText}`}>{one.label}</span>
                  </Link>
                </li>
              ))}
            </ul>
          </>
        ) : null}
        {office.length > 0 ? (
          <>
            <div className={css.groupTitle}>{t("rail.house")}</div>
            <ul>
              {office.map((meta) => (
                <Entry key={meta.name} to={`/o/${meta.name}`} icon={iconOf(meta.name)} label={objectLabel(meta, true)} current={at(`/o/${meta.name}`)} />
              ))}
            </ul>
          </>
        ) : null}
        {places.length > 0 ? (
          <>
            <div className={css.groupTitle}>{t("rail.administration")}</div>
            <ul>
              {places.map((place) => (
                <Entry key={place.to} to={place.to} icon={place.icon} label={place.label} current={at(place.to)} />
              ))}
            </ul>
          </>
        ) : null}
        <ul className={css.railEnd}>
          <Entry to="/settings" icon="settings" label={t("rail.settings")} current={at("/settings")} />
        </ul>
      </nav>
    </>
  );
}
