// Where the fields of an object stand: sections are added, named, moved and taken away, fields are moved between them, by drag and
// by keyboard, with the page as it will look beside it. Nothing holds until the plan has been seen and carried out.

import { DndContext, MouseSensor, pointerWithin, TouchSensor, useDraggable, useDroppable, useSensor, useSensors } from "@dnd-kit/core";
import { useParams } from "@tanstack/react-router";
import { useEffect, useState, type KeyboardEvent } from "react";
import { limits, type DefinitionChange, type FieldDef } from "~/api/types.gen";
import { HelpLink } from "~/help/HelpLink";
import { useT, type Key } from "~/i18n";
import { Badge, Button, IconButton } from "~/lib/basics";
import { TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { Menu } from "~/lib/overlays";
import { addPart, arrangementOf, dropPart, fieldsIn, isCopy, layoutFrom, movePart, namePart, place, step, type Arrangement, type Part, type Zone } from "~/model/arrange";
import { objectLabel, said, useMetas, type Meta } from "~/model/meta";
import { NotFound } from "~/pages/Trouble";
import { useOffices } from "./data";
import { CreatePreview, RecordPreview } from "./LayoutPreview";
import { AdminPage, Denied } from "./Page";
import { PlanDialog } from "./Plan";
import css from "./admin.module.css";
import own from "./layout.module.css";

type Do = {
  now: Arrangement;
  set: (next: Arrangement, words: string) => void;
  meta: Meta;
  /** Moves by keyboard, and keeps the focus on what was moved. */
  nudge: (field: string, zone: Zone, by: 1 | -1) => void;
  nudgePart: (key: string, by: 1 | -1) => void;
};

function byOf(event: KeyboardEvent): 1 | -1 | null {
  if (event.nativeEvent.isComposing) return null;
  return event.key === "ArrowUp" || event.key === "ArrowLeft" ? -1 : event.key === "ArrowDown" || event.key === "ArrowRight" ? 1 : null;
}

/** The place of a field in a zone, as drag and drop names it. */
const spot = (zone: Zone, field: string) => `${zone} ${field}`;

function Row({ act, field, zone }: { act: Do; field: FieldDef; zone: Zone }) {
  const t = useT();
  const id = spot(zone, field.name);
  const drag = useDraggable({ id });
  const drop = useDroppable({ id });
  const name = said(field.label);
  const { now, set } = act;
  const lit = now.highlights.includes(field.name);
  const full = now.highlights.length >= limits.LAYOUT_HIGHLIGHTS_MAX;
  const without = (from: "highlights" | "create") => set({ ...now, [from]: now[from].filter((one) => one !== field.name) }, t("layout.takenOut", { name }));
  const key = (event: KeyboardEvent) => {
    const by = byOf(event);
    if (by === null) return;
    event.preventDefault();
    act.nudge(field.name, zone, by);
  };
  return (
    <li
      ref={(node) => {
        drag.setNodeRef(node);
        drop.setNodeRef(node);
      }}
      className={own.row}
      data-spot={id}
      data-over={(drop.isOver && !drag.isDragging) || undefined}
      data-dragged={drag.isDragging || undefined}
    >
      <IconButton small icon="grip" className={own.grip} label={t("layout.move", { name })} {...drag.listeners} onKeyDown={key} />
      <span className="clip">{name}</span>
      {field.custom && !isCopy(zone) ? <Badge tone="brass">{t("objects.custom")}</Badge> : null}
      <span className={own.rowEnd}>
        {isCopy(zone) ? (
          <IconButton small icon="close" label={t("layout.takeOut", { name })} onClick={() => without(zone as "highlights")} />
        ) : (
          <>
            {zone === "hidden" ? null : (
              <IconButton
                small
                icon="star"
                label={t(lit ? "layout.unlight" : "layout.light", { name })}
                aria-pressed={lit}
                blocked={!lit && full ? t("layout.full", { count: limits.LAYOUT_HIGHLIGHTS_MAX }) : undefined}
                onClick={() => (lit ? without("highlights") : set({ ...now, highlights: [...now.highlights, field.name] }, t("layout.lit", { name })))}
              />
            )}
            <IconButton
              small
              icon={zone === "hidden" ? "eye" : "eyeoff"}
              label={t(zone === "hidden" ? "layout.show" : "layout.hide", { name })}
              blocked={field.name === act.meta.titleField ? t("layout.titleStays") : undefined}
              onClick={() => {
                const to = zone === "hidden" ? (now.parts.at(-1)?.key ?? "hidden") : "hidden";
                set(place(now, field.name, zone, to, fieldsIn(now, to).length), t(zone === "hidden" ? "layout.shown" : "layout.hidden", { name }));
              }}
            />
          </>
        )}
      </span>
    </li>
  );
}

function Fields({ act, zone, label }: { act: Do; zone: Zone; label: string }) {
  const t = useT();
  const tail = useDroppable({ id: spot(zone, "") });
  const fields = fieldsIn(act.now, zone).flatMap((name) => act.meta.fields.get(name) ?? []);
  return (
    <>
      <ul className={own.rows} aria-label={label}>
        {fields.map((field) => (
          <Row key={field.name} act={act} field={field} zone={zone} />
        ))}
      </ul>
      <div ref={tail.setNodeRef} className={own.tail} data-spot={spot(zone, "")} data-over={tail.isOver || undefined}>
        {fields.length === 0 ? t("layout.empty") : null}
      </div>
    </>
  );
}

function PartBox({ act, part, index }: { act: Do; part: Part; index: number }) {
  const t = useT();
  const id = `part ${part.key}`;
  const drag = useDraggable({ id });
  const drop = useDroppable({ id });
  const [naming, setNaming] = useState(false);
  const name = said(part.label);
  const { now, set } = act;
  const named = Boolean(part.label.en.trim() || part.label.zh.trim());
  const key = (event: KeyboardEvent) => {
    const by = byOf(event);
    if (by === null) return;
    event.preventDefault();
    act.nudgePart(part.key, by);
  };
  const rename = (language: "en" | "zh", text: string) => set(namePart(now, part.key, { ...part.label, [language]: text }), "");
  const open = naming || !named;
  return (
    <section ref={drag.setNodeRef} className={own.part} data-part={part.key} data-dragged={drag.isDragging || undefined} aria-label={name || t("layout.unnamed")}>
      <div ref={drop.setNodeRef} className={own.partHead} data-over={(drop.isOver && !drag.isDragging) || undefined}>
        <IconButton small icon="grip" className={own.grip} label={t("layout.moveSection", { name: name || t("layout.unnamed") })} {...drag.listeners} onKeyDown={key} />
        <h3 className="clip">{name || t("layout.unnamed")}</h3>
        <span className="faint num">{part.fields.length}</span>
        <span className={own.rowEnd}>
          <IconButton small icon="edit" label={t("layout.rename", { name: name || t("layout.unnamed") })} aria-expanded={open} onClick={() => setNaming(!naming)} />
          <IconButton
            small
            icon="trash"
            label={t("layout.remove", { name: name || t("layout.unnamed") })}
            blocked={now.parts.length === 1 ? t("layout.oneStays") : undefined}
            onClick={() => set(dropPart(now, part.key), t("layout.removed", { name: name || t("layout.unnamed"), other: said(now.parts[index - 1]?.label ?? now.parts[index + 1]?.label) }))}
          />
        </span>
      </div>
      {open ? (
        <div className={own.names} onKeyDown={(event) => (event.key === "Enter" && !event.nativeEvent.isComposing && named ? setNaming(false) : undefined)}>
          <TextField label={t("layout.nameEn")} value={part.label.en} maxLength={limits.LABEL_CHARS_MAX} autoFocus={naming} onChange={(event) => rename("en", event.target.value)} />
          <TextField label={t("layout.nameZh")} value={part.label.zh} maxLength={limits.LABEL_CHARS_MAX} onChange={(event) => rename("zh", event.target.value)} />
        </div>
      ) : null}
      <Fields act={act} zone={part.key} label={name || t("layout.unnamed")} />
    </section>
  );
}

const HEADS: { zone: "highlights" | "create"; title: Key; hint: Key; add: Key }[] = [
  { zone: "highlights", title: "layout.highlights", hint: "layout.highlightsHint", add: "layout.addHighlight" },
  { zone: "create", title: "layout.create", hint: "layout.createHint", add: "layout.addCreate" },
];

/** Highlights or the short form: fields of the page named once more. */
function HeadBox({ act, which }: { act: Do; which: (typeof HEADS)[number] }) {
  const t = useT();
  const { now, set, meta } = act;
  const { zone } = which;
  const there = now[zone];
  const full = zone === "highlights" && there.length >= limits.LAYOUT_HIGHLIGHTS_MAX;
  const offered = [...meta.fields.values()].filter((field) => !there.includes(field.name) && (zone === "highlights" ? now.parts.some((part) => part.fields.includes(field.name)) : !field.read_only && !["file", "json"].includes(field.type)));
  return (
    <section className={own.part} aria-label={t(which.title)}>
      <div className={own.partHead}>
        <h2>{t(which.title)}</h2>
        <span className="faint num">{zone === "highlights" ? `${there.length} / ${limits.LAYOUT_HIGHLIGHTS_MAX}` : there.length}</span>
        <span className={own.rowEnd}>
          <Menu
            label={t(which.add)}
            align="end"
            items={offered.map((field) => ({ label: said(field.label), act: () => set({ ...now, [zone]: [...there, field.name] }, t("layout.lit", { name: said(field.label) })) }))}
            target={<IconButton small icon="plus" label={t(which.add)} blocked={full ? t("layout.full", { count: limits.LAYOUT_HIGHLIGHTS_MAX }) : undefined} />}
          />
        </span>
      </div>
      <p className={css.note}>{t(which.hint)}</p>
      <Fields act={act} zone={zone} label={t(which.title)} />
    </section>
  );
}

const FRESH = { en: "New section", zh: "新分区" };

/** The arrangement in hand, its moves, and what they say to those who do not see them. */
function useArranging(meta: Meta): Do & { said: string; changed: boolean; undo: (() => void) | undefined; drop: (from: string, to: string) => void } {
  const t = useT();
  const { layout } = meta.view;
  const [start] = useState(() => arrangementOf(layout));
  const [past, setPast] = useState<Arrangement[]>([]);
  const [words, setWords] = useState("");
  const now = past.at(-1) ?? start;
  const set = (next: Arrangement, text: string) => {
    if (next === now) return;
    setPast((before) => [...before.slice(-200), next]);
    setWords(text);
  };
  const label = (name: string) => said(meta.fields.get(name)?.label) || name;
  const zoneName = (arrangement: Arrangement, zone: Zone) => (zone === "highlights" ? t("layout.highlights") : zone === "create" ? t("layout.create") : zone === "hidden" ? t("layout.notShown") : said(arrangement.parts.find((part) => part.key === zone)?.label) || t("layout.unnamed"));
  const tell = (next: Arrangement, field: string, zone: Zone) => {
    const fields = fieldsIn(next, zone);
    return fields.includes(field) ? t("layout.placed", { name: label(field), section: zoneName(next, zone), at: fields.indexOf(field) + 1, of: fields.length }) : t("layout.takenOut", { name: label(field) });
  };
  const focus = (selector: string) => requestAnimationFrame(() => document.querySelector<HTMLElement>(`${selector} button`)?.focus());
  return {
    now,
    set,
    meta,
    said: words,
    changed: JSON.stringify(layoutFrom(now)) !== JSON.stringify(layoutFrom(start)),
    undo: past.length > 0 ? () => setPast(past.slice(0, -1)) : undefined,
    nudge: (field, zone, by) => {
      const moved = step(now, field, zone, by);
      if (!moved || (moved.zone === "hidden" && field === meta.titleField)) return setWords(t("layout.edge"));
      set(moved.next, tell(moved.next, field, moved.zone));
      focus(`[data-spot="${CSS.escape(spot(moved.zone, field))}"]`);
    },
    nudgePart: (key, by) => {
      const at = now.parts.findIndex((part) => part.key === key) + by;
      if (at < 0 || at >= now.parts.length) return setWords(t("layout.edge"));
      const next = movePart(now, key, at);
      set(next, t("layout.sectionPlaced", { name: zoneName(next, key), at: at + 1, of: next.parts.length }));
      focus(`[data-part="${key}"]`);
    },
    drop: (from, to) => {
      const [zone = "", field = ""] = from.split(" ", 2);
      const [into = "", before = ""] = to.split(" ", 2);
      if (zone === "part") {
        const over = into === "part" ? before : into;
        const at = now.parts.findIndex((part) => part.key === over);
        const next = movePart(now, field, at);
        return set(next, t("layout.sectionPlaced", { name: zoneName(next, field), at: at + 1, of: next.parts.length }));
      }
      const target = into === "part" ? before : into;
      if (target === "hidden" && field === meta.titleField) return setWords(t("layout.titleStays"));
      if (target === "highlights" && zone !== target && now.highlights.length >= limits.LAYOUT_HIGHLIGHTS_MAX) return setWords(t("layout.full", { count: limits.LAYOUT_HIGHLIGHTS_MAX }));
      if (target === "create" && zone !== target && meta.fields.get(field)?.read_only) return setWords(t("layout.readOnly"));
      const fields = fieldsIn(now, target);
      const at = into === "part" ? 0 : before && fields.includes(before) ? fields.indexOf(before) : fields.length;
      const next = place(now, field, zone, target, at);
      set(next, tell(next, field, target));
    },
  };
}

const SILENT = { announcements: { onDragStart: () => undefined, onDragOver: () => undefined, onDragEnd: () => undefined, onDragCancel: () => undefined }, screenReaderInstructions: { draggable: "" } };

function LayoutOf({ meta }: { meta: Meta }) {
  const t = useT();
  const act = useArranging(meta);
  const { now, changed } = act;
  const [preview, setPreview] = useState<"record" | "create">("record");
  const [planning, setPlanning] = useState<"save" | "standard" | null>(null);
  const sensors = useSensors(useSensor(MouseSensor, { activationConstraint: { distance: 4 } }), useSensor(TouchSensor, { activationConstraint: { delay: 150, tolerance: 8 } }));
  const { version, arranged } = meta.view.layout;
  const nameless = now.parts.some((part) => !part.label.en.trim() && !part.label.zh.trim());
  useEffect(() => {
    if (!changed) return undefined;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [changed]);
  const change: DefinitionChange = { change: "set_layout", object: meta.name, version, ...(planning === "standard" ? {} : { layout: layoutFrom(now) }) };
  const add = () => {
    const { next, key } = addPart(now, FRESH);
    act.set(next, t("layout.added"));
    requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-part="${key}"] [aria-expanded]`)?.click());
  };
  return (
    <AdminPage
      title={t("layout.title", { object: objectLabel(meta, true) })}
      crumb={{ to: `/admin/objects/${meta.name}`, label: objectLabel(meta, true) }}
      badges={<Badge tone={arranged ? "brass" : "plain"}>{t(arranged ? "layout.own" : "layout.standard")}</Badge>}
      lead={t("layout.lead")}
      acts={
        <>
          <HelpLink topic="layouts" />
          <Button icon="undo" blocked={act.undo ? undefined : t("layout.nothingToUndo")} onClick={act.undo}>
            {t("act.undo")}
          </Button>
          <Button blocked={arranged ? undefined : t("layout.isStandard")} onClick={() => setPlanning("standard")}>
            {t("layout.reset")}
          </Button>
          <Button tone="primary" blocked={!changed ? t("layout.nothingChanged") : nameless ? t("layout.needName") : undefined} onClick={() => setPlanning("save")}>
            {t("layout.save")}
          </Button>
        </>
      }
    >
      <div className="sr" aria-live="polite">
        {act.said}
      </div>
      <DndContext sensors={sensors} collisionDetection={pointerWithin} accessibility={SILENT} onDragEnd={(event) => (event.over && event.over.id !== event.active.id ? act.drop(String(event.active.id), String(event.over.id)) : undefined)}>
        <div className={own.desk}>
          <div className={own.editor}>
            <div className={own.heads}>
              {HEADS.map((which) => (
                <HeadBox key={which.zone} act={act} which={which} />
              ))}
            </div>
            <div className={own.between}>
              <h2>{t("layout.sections")}</h2>
              <Button small icon="plus" blocked={now.parts.length >= limits.LAYOUT_SECTIONS_MAX ? t("layout.many", { count: limits.LAYOUT_SECTIONS_MAX }) : undefined} onClick={add}>
                {t("layout.add")}
              </Button>
            </div>
            {now.parts.map((part, index) => (
              <PartBox key={part.key} act={act} part={part} index={index} />
            ))}
            <section className={own.part} aria-label={t("layout.notShown")}>
              <div className={own.partHead}>
                <Icon name="eyeoff" />
                <h2>{t("layout.notShown")}</h2>
                <span className="faint num">{now.hidden.length}</span>
              </div>
              <p className={css.note}>{t("layout.notShownHint")}</p>
              <Fields act={act} zone="hidden" label={t("layout.notShown")} />
            </section>
          </div>
          <section className={own.preview} aria-label={t("layout.preview")}>
            <div className={own.between}>
              <h2>{t("layout.preview")}</h2>
              <div role="group" aria-label={t("layout.preview")}>
                {(["record", "create"] as const).map((one) => (
                  <Button key={one} small tone="quiet" aria-pressed={preview === one} onClick={() => setPreview(one)}>
                    {t(`layout.preview.${one}`)}
                  </Button>
                ))}
              </div>
            </div>
            {preview === "record" ? <RecordPreview meta={meta} now={now} /> : <CreatePreview meta={meta} now={now} />}
          </section>
        </div>
      </DndContext>
      {planning ? (
        <PlanDialog title={t(planning === "save" ? "layout.saveTitle" : "layout.resetTitle", { object: objectLabel(meta, true) })} changes={[change]} onClose={() => setPlanning(null)}>
          <p>{t(planning === "save" ? "layout.saveText" : "layout.resetText")}</p>
        </PlanDialog>
      ) : null}
    </AdminPage>
  );
}

export default function LayoutPage() {
  const { object } = useParams({ from: "/shell/admin/objects/$object/layout" });
  const meta = useMetas().get(object);
  const offices = useOffices();
  if (!offices.objects) return <Denied />;
  if (!meta) return <NotFound />;
  // What was stored is the next beginning.
  return <LayoutOf key={`${object} ${meta.view.layout.version}`} meta={meta} />;
}
