// The widgets of the home page and their arrangement: each can be added, taken away, moved and made wide or narrow, by mouse and
// by keyboard. The arrangement is kept with the person; without one the role's is shown.

import { DndContext, MouseSensor, pointerWithin, TouchSensor, useDraggable, useDroppable, useSensor, useSensors } from "@dnd-kit/core";
import { Link } from "@tanstack/react-router";
import { useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from "react";
import { usePlaces } from "~/admin/places";
import { useMe } from "~/api/session";
import { HelpLink } from "~/help/HelpLink";
import { useT, type Key } from "~/i18n";
import { Bone, Button, IconButton } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { Menu } from "~/lib/overlays";
import { Later } from "~/lib/turns";
import { iconOf } from "~/model/layouts";
import { objectLabel, useMetas } from "~/model/meta";
import { keepFavourite, RECENTS_MAX, setPrefs, usePrefs } from "~/model/prefs";
import css from "~/pages/pages.module.css";
import { linkOf, useFavourites } from "~/shell/favourites";
import { useRecents } from "~/shell/GlobalSearch";
import { useOffice, workObjects } from "~/shell/Rail";
import { Checklist, officeOf } from "./Checklist";
import { Desk } from "./Desk";
import { Health, Pipeline } from "./Figures";
import { NEW_LEAD, of, OPEN_CASE, OPEN_DEAL, OPEN_TASK, type Whose } from "./filters";
import { useRoom } from "./rooms";
import { Cases, Leads, Tasks } from "./Work";
import own from "./home.module.css";

/** Records seen last, as many as are shown at first. */
const FEW = 8;

type Placed = { id: string; wide: boolean };
type Widget = { id: string; title: Key; body: ReactNode; link?: ReactNode };

function Recents() {
  const t = useT();
  const metas = useMetas();
  const [all, setAll] = useState(false);
  const { recents: seen } = usePrefs();
  const recents = useRecents(true, all ? RECENTS_MAX : FEW);
  if (recents.length === 0) return <p className={css.nothing}>{t("home.noRecents")}</p>;
  const rows = recents.map((hit) => (
    <Link key={hit.id} to="/o/$object/$id" params={{ object: hit.object, id: hit.id }} className={css.row}>
      <Icon name={iconOf(hit.object)} />
      <span className="clip">{hit.title}</span>
      <span className="faint">{objectLabel(metas.get(hit.object))}</span>
      <span />
    </Link>
  ));
  return (
    <>
      {rows}
      {seen.length > FEW && !all ? (
        <div className={own.under}>
          <span />
          <Button small tone="quiet" onClick={() => setAll(true)}>
            {t("home.all")}
          </Button>
        </div>
      ) : null}
    </>
  );
}

/** What was kept, also what can no longer be named, so that it can be let go. */
function Favourites() {
  const t = useT();
  const metas = useMetas();
  const kept = useFavourites();
  const { favourites } = usePrefs();
  if (kept.length === 0 && favourites.length > 0) return <Bone height={60} />;
  if (kept.length === 0) return <p className={css.nothing}>{t("star.none")}</p>;
  return (
    <ul>
      {kept.map((one) => (
        <li key={one.id} className={css.row}>
          <Icon name={one.icon} />
          {one.label === null ? (
            <span className="faint clip">{t("star.lost")}</span>
          ) : (
            <Link {...linkOf(one)} className={`clip ${own.name}`}>
              {one.label}
            </Link>
          )}
          <span className="faint">{objectLabel(metas.get(one.object), one.kind === "view")}</span>
          <IconButton small icon="close" label={t("star.dropNamed", { name: one.label ?? t("star.lost") })} onClick={() => void keepFavourite(one)} />
        </li>
      ))}
    </ul>
  );
}

function Places() {
  const metas = useMetas();
  const office = useOffice();
  const places = usePlaces();
  const lists = [...workObjects(metas.values()), ...office].map((meta) => ({ to: `/o/${meta.name}`, icon: iconOf(meta.name), label: objectLabel(meta, true) }));
  return [...places, ...lists].map((place) => (
    <Link key={place.to} to={place.to} className={css.row}>
      <Icon name={place.icon} />
      <span>{place.label}</span>
    </Link>
  ));
}

/** What this reader can have on the page. */
function useOffer(whose: Whose): Map<string, Widget> {
  const t = useT();
  const me = useMe();
  const metas = useMetas();
  const read = (name: string) => (metas.get(name)?.may.read ? metas.get(name) : undefined);
  const [activity, deal, kase, lead] = [read("activity"), read("opportunity"), read("case"), read("lead")];
  const all = (object: string, search: { f: string; sort?: string; as?: string }, words: Key = "home.all") => (
    <Link to="/o/$object" params={{ object }} search={search}>
      {t(words)}
    </Link>
  );
  const f = (filter: unknown) => JSON.stringify(filter);
  const { startOver } = usePrefs();
  const found: (Widget | null)[] = [
    officeOf(me.roles) && !startOver ? { id: "start", title: "start.title", body: <Checklist /> } : null,
    activity ? { id: "tasks", title: "home.tasks", body: <Tasks meta={activity} filter={of(whose, OPEN_TASK)} />, link: all("activity", { f: f(of(whose, OPEN_TASK)), sort: "due" }) } : null,
    deal ? { id: "deals", title: "home.deals", body: <Pipeline meta={deal} filter={of(whose, OPEN_DEAL)} by="stage" />, link: all("opportunity", { f: f(of(whose, OPEN_DEAL)), as: "board" }, "home.board") } : null,
    deal ? { id: "team", title: "home.team", body: <Pipeline meta={deal} filter={of("my_unit_and_below", OPEN_DEAL)} by="owner" />, link: all("opportunity", { f: f(of("my_unit_and_below", OPEN_DEAL)), as: "board" }, "home.board") } : null,
    kase ? { id: "cases", title: "home.cases", body: <Cases meta={kase} filter={of(whose, OPEN_CASE)} />, link: all("case", { f: f(of(whose, OPEN_CASE)), as: "board" }, "home.board") } : null,
    lead ? { id: "leads", title: "home.leads", body: <Leads meta={lead} filter={of(whose, NEW_LEAD)} />, link: all("lead", { f: f(of(whose, NEW_LEAD)) }) } : null,
    { id: "favourites", title: "star.title", body: <Favourites /> },
    { id: "recents", title: "search.recents", body: <Recents /> },
    me.actions.includes("system_health") ? { id: "health", title: "health.title", body: <Health />, link: <Link to="/admin/health">{t("home.all")}</Link> } : null,
    me.actions.includes("audit_read") ? { id: "desk", title: "audit.title", body: <Desk />, link: <Link to="/audit">{t("home.desk.open")}</Link> } : null,
    { id: "places", title: "home.places", body: <Places /> },
  ];
  return new Map(found.flatMap((one) => (one ? [[one.id, one]] : [])));
}

function standard(roles: string[], offer: Map<string, Widget>): Placed[] {
  const order = roles.some((role) => role.includes("manager")) ? ["tasks", "deals", "cases", "team", "leads", "favourites", "recents"] : roles.some((role) => role.includes("service")) ? ["cases", "tasks", "favourites", "recents", "deals"] : ["desk", "health", "tasks", "deals", "leads", "recents", "cases", "favourites"];
  const wanted = offer.has("tasks") ? order : ["desk", "health", "places", "recents"];
  const offered = wanted.filter((id) => offer.has(id));
  const [left, right] = [offered.filter((_, at) => at % 2 === 0), offered.filter((_, at) => at % 2 === 1)];
  // First days stand on top of the right column, seen without scrolling; once they are sent away, everything is where it belongs.
  if (offer.has("start")) right.unshift("start");
  const rows = Array.from({ length: Math.max(left.length, right.length) }, (_, at) => [left[at], right[at]]);
  return rows.flat().flatMap((id) => (id ? [{ id, wide: false }] : []));
}

type FrameProps = { widget: Widget; placed: Placed; arranging: boolean; onMove: (by: number) => void; onWide: (wide: boolean) => void; onRemove: () => void };

function Frame({ widget, placed, arranging, onMove, onWide, onRemove }: FrameProps) {
  const t = useT();
  const drag = useDraggable({ id: widget.id, disabled: !arranging });
  const drop = useDroppable({ id: widget.id });
  const name = t(widget.title);
  const section = useRef<HTMLElement>(null);
  const room = useRoom(widget.id, section);
  const move = (event: KeyboardEvent) => {
    const by = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    onMove(by);
  };
  const pull = (event: PointerEvent<HTMLDivElement>) => {
    const from = event.clientX;
    const grip: HTMLElement = event.currentTarget;
    grip.setPointerCapture(event.pointerId);
    grip.addEventListener("pointerup", (up: globalThis.PointerEvent) => { if (Math.abs(up.clientX - from) > 40) onWide(up.clientX > from); }, { once: true });
  };
  return (
    <section
      ref={(node) => {
        section.current = node;
        drag.setNodeRef(node);
        drop.setNodeRef(node);
      }}
      className={own.widget}
      style={room}
      data-widget={widget.id}
      data-arranging={arranging || undefined}
      data-over={(arranging && drop.isOver && !drag.isDragging) || undefined}
      data-dragged={drag.isDragging || undefined}
      aria-labelledby={`widget-${widget.id}`}
    >
      <div className={css.panelHead}>
        <h2 id={`widget-${widget.id}`}>{name}</h2>
        {arranging ? (
          <div className={own.acts}>
            <IconButton small icon="grip" className={own.grip} label={t("home.move", { name })} {...drag.listeners} onKeyDown={move} />
            <IconButton small icon="columns" label={placed.wide ? t("home.narrow", { name }) : t("home.wide", { name })} aria-pressed={placed.wide} onClick={() => onWide(!placed.wide)} />
            <IconButton small icon="close" label={t("home.remove", { name })} onClick={onRemove} />
          </div>
        ) : (
          widget.link
        )}
      </div>
      <Later until={<Bone height={60} />}>{widget.body}</Later>
      {arranging ? <div className={own.edge} onPointerDown={pull} aria-hidden /> : null}
    </section>
  );
}

export function Widgets({ whose, arranging, onDone }: { whose: Whose; arranging: boolean; onDone: () => void }) {
  const t = useT();
  const me = useMe();
  const prefs = usePrefs();
  const offer = useOffer(whose);
  const [said, setSaid] = useState("");
  const sensors = useSensors(useSensor(MouseSensor, { activationConstraint: { distance: 4 } }), useSensor(TouchSensor, { activationConstraint: { delay: 150, tolerance: 8 } }));
  const shown = (prefs.home ?? standard(me.roles, offer)).filter((one) => offer.has(one.id));
  const keep = (home: Placed[]) => setPrefs({ home });
  const place = (id: string, at: number) => {
    const moving = shown.find((one) => one.id === id);
    if (!moving || at < 0 || at >= shown.length) return;
    const next = shown.filter((one) => one.id !== id);
    next.splice(at, 0, moving);
    keep(next);
    setSaid(t("home.placed", { name: t(offer.get(id)?.title ?? "home.tasks"), at: at + 1, of: shown.length }));
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-widget="${id}"] [aria-label="${CSS.escape(t("home.move", { name: t(offer.get(id)?.title ?? "home.tasks") }))}"]`)?.focus());
  };
  const frame = (one: Placed) => {
    const widget = offer.get(one.id);
    const at = shown.indexOf(one);
    return widget ? <Frame key={one.id} widget={widget} placed={one} arranging={arranging} onMove={(by) => place(one.id, at + by)} onWide={(wide) => keep(shown.map((other) => (other.id === one.id ? { ...other, wide } : other)))} onRemove={() => keep(shown.filter((other) => other.id !== one.id))} /> : null;
  };
  // Narrow ones stand in two stacks, so that a long one leaves no hole beside it; a wide one ends both.
  const bands: Placed[][] = [];
  for (const one of shown) {
    const last = bands.at(-1);
    if (one.wide || !last || last[0]?.wide) bands.push([one]);
    else last.push(one);
  }
  const missing = [...offer.values()].filter((widget) => !shown.some((one) => one.id === widget.id));
  return (
    <>
      {arranging ? (
        <div className={own.bar} role="group" aria-label={t("home.arrange")}>
          <span>{t("home.arrangeHint")}</span>
          <Menu label={t("home.add")} items={missing.map((widget) => ({ label: t(widget.title), act: () => keep([...shown, { id: widget.id, wide: false }]) }))} target={<Button small icon="plus" blocked={missing.length === 0 ? t("home.allThere") : undefined}>{t("home.add")}</Button>} />
          <Button small tone="quiet" icon="undo" onClick={() => setPrefs({ home: null })}>
            {t("home.standard")}
          </Button>
          <Button small tone="primary" onClick={onDone}>
            {t("home.done")}
          </Button>
          <HelpLink topic="arranging" />
        </div>
      ) : null}
      <div className="sr" aria-live="polite">
        {said}
      </div>
      <DndContext sensors={sensors} collisionDetection={pointerWithin} onDragEnd={(event) => (event.over ? place(String(event.active.id), shown.findIndex((one) => one.id === event.over?.id)) : undefined)} accessibility={{ announcements: { onDragStart: () => undefined, onDragOver: () => undefined, onDragEnd: () => undefined, onDragCancel: () => undefined }, screenReaderInstructions: { draggable: "" } }}>
        {bands.map((band) =>
          band[0]?.wide ? (
            frame(band[0])
          ) : (
            <div key={band[0]?.id} className={css.columns}>
              <div>{band.filter((_, index) => index % 2 === 0).map(frame)}</div>
              <div>{band.filter((_, index) => index % 2 === 1).map(frame)}</div>
            </div>
          ),
        )}
      </DndContext>
    </>
  );
}
