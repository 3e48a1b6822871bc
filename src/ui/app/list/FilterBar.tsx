// The filters of a list as chips that say what they do. A chip opens its editor; "Filter" adds one; a filter that is no plain
// list of conditions is one chip that opens the builder.

import { useEffect, useMemo, useRef, useState } from "react";
import type { FieldDef, Json } from "~/api/types.gen";
import { useT, type Key } from "~/i18n";
import { Button } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { useKeys } from "~/lib/keys";
import libCss from "~/lib/lib.module.css";
import { Popover } from "~/lib/overlays";
import { choices, count, fieldAt, flat, isComplete, isLeaf, leafOf, operators, parts, said, shownOp, type Choice, type Leaf, type Node } from "~/model/filter";
import { useMetas, type Meta } from "~/model/meta";
import { useTitles } from "~/model/titles";
import { FilterBuilder } from "./FilterBuilder";
import { firstLeaf, OperandInput, operandOf } from "./ConditionEditor";
import type { ListState } from "./state";
import css from "./list.module.css";

function leaves(node: Node | null): Leaf[] {
  return !node ? [] : isLeaf(node) ? [node] : parts(node).flatMap(leaves);
}

/** Names of records that conditions point to. */
function useNames(meta: Meta, node: Node | null): (object: string, id: string) => string {
  const metas = useMetas();
  const wanted = leaves(node).flatMap((leaf) => {
    const field = leaf.field ? fieldAt(meta, metas, leaf.field) : undefined;
    if (field?.type !== "reference" || field.targets?.length !== 1 || typeof leaf.value !== "string") return [];
    return [{ object: field.targets[0] ?? "", id: leaf.value }];
  });
  const { found } = useTitles(wanted);
  return (object, id) => found.find((one) => one.object === object && one.id === id)?.title ?? "…";
}

function Editor({ field, path, leaf, onDone, onBack }: { field: FieldDef; path: string; leaf: Leaf | null; onDone: (leaf: Leaf) => void; onBack?: () => void }) {
  const t = useT();
  const first = leaf ? { op: shownOp(leaf), value: operandOf(leaf) } : firstLeaf(field, path);
  const [op, setOp] = useState(first.op);
  const [value, setValue] = useState<Json | undefined>(first.value);
  const complete = isComplete(op, value);
  return (
    <form
      className={css.editor}
      onSubmit={(event) => {
        event.preventDefault();
        if (complete) onDone(leafOf(path, op, value));
      }}
    >
      <select className={libCss.input} aria-label={t("filter.how")} value={op} onChange={(event) => { setOp(event.target.value); if (event.target.value === "relative") setValue("last_7_days"); else if (op === "relative" || op === "in" || op === "between" || event.target.value === "in") setValue(undefined); }}>
        {operators(field).map((one) => (
          <option key={one} value={one}>
            {t(`filter.op.${one}` as Key)}
          </option>
        ))}
      </select>
      <OperandInput field={field} op={op} value={value} onChange={setValue} autoFocus />
      <div className={css.editorFoot}>
        {onBack ? (
          <Button tone="quiet" onClick={onBack}>
            {t("act.back")}
          </Button>
        ) : null}
        <Button tone="primary" type="submit" blocked={complete ? undefined : t("filter.incomplete")}>
          {t("filter.apply")}
        </Button>
      </div>
    </form>
  );
}

function Adder({ meta, onAdd, onBuilder }: { meta: Meta; onAdd: (leaf: Leaf) => void; onBuilder: () => void }) {
  const t = useT();
  const metas = useMetas();
  const [open, setOpen] = useState(false);
  const [chosen, setChosen] = useState<Choice | null>(null);
  const [text, setText] = useState("");
  const all = useMemo(() => choices(meta, metas), [meta, metas]);
  const found = all.filter((one) => `${one.group} ${one.label} ${one.path}`.toLowerCase().includes(text.trim().toLowerCase()));
  const personal: Leaf[] = meta.fields.has("owner") && meta.view.access["owner"]?.filterable ? [{ op: "mine" }, { op: "my_team" }, { op: "my_unit_and_below" }] : [];
  const toggle = (now: boolean) => {
    setOpen(now);
    setChosen(null);
    setText("");
  };
  const add = (leaf: Leaf) => {
    onAdd(leaf);
    toggle(false);
  };
  useKeys({ f: () => toggle(true) });
  let group = "";
  return (
    <Popover open={open} onOpen={toggle} width={300} label={t("filter.add")} target={<Button small icon="filter" aria-expanded={open} onClick={() => toggle(!open)}>{t("filter.add")}</Button>}>
      {chosen ? (
        <>
          <p className={libCss.label} style={{ marginBottom: 6 }}>
            {chosen.group ? `${chosen.group} · ` : ""}
            {chosen.label}
          </p>
          <Editor field={chosen.field} path={chosen.path} leaf={null} onDone={add} onBack={() => setChosen(null)} />
        </>
      ) : (
        <>
          <input className={libCss.input} data-autofocus aria-label={t("filter.find")} placeholder={t("filter.find")} value={text} maxLength={80} onChange={(event) => setText(event.target.value)} onKeyDown={(event) => { if (event.key === "Enter" && !event.nativeEvent.isComposing && found[0]) { event.preventDefault(); setChosen(found[0]); } }} />
          <div className={css.fieldList} style={{ marginTop: 6 }}>
            {text === "" ? personal.map((leaf) => (
              <button key={leaf.op} type="button" className={libCss.item} onClick={() => add(leaf)}>
                <Icon name="users" />
                {t(`filter.op.${leaf.op}` as Key)}
              </button>
            )) : null}
            {found.slice(0, 120).map((one) => {
              const head = one.group !== group;
              group = one.group;
              return (
                <div key={one.path}>
                  {head ? <div className={libCss.groupName}>{one.group}</div> : null}
                  <button type="button" className={libCss.item} onClick={() => setChosen(one)}>
                    {one.label}
                  </button>
                </div>
              );
            })}
            <hr className={libCss.rule} />
            <button type="button" className={libCss.item} onClick={() => { toggle(false); onBuilder(); }}>
              <Icon name="settings" />
              {t("filter.builder")}
            </button>
          </div>
        </>
      )}
    </Popover>
  );
}

function Chip({ meta, leaf, title, onChange, onRemove }: { meta: Meta; leaf: Leaf; title: (object: string, id: string) => string; onChange: (leaf: Leaf) => void; onRemove: () => void }) {
  const t = useT();
  const metas = useMetas();
  const [open, setOpen] = useState(false);
  const words = said(leaf, meta, metas, title);
  const field = leaf.field ? fieldAt(meta, metas, leaf.field) : undefined;
  const text = [words.what, words.how, words.value].filter(Boolean).join(" ");
  const remove = (
    <button type="button" aria-label={t("filter.remove", { filter: text })} onClick={onRemove}>
      <Icon name="close" size={12} />
    </button>
  );
  const label = (
    <>
      {words.what} <span className="faint">{words.how}</span> <strong className="clip">{words.value}</strong>
    </>
  );
  if (!field || !leaf.field) {
    return (
      <span className={css.chip}>
        <button type="button">{label}</button>
        {remove}
      </span>
    );
  }
  return (
    <span className={css.chip}>
      <Popover open={open} onOpen={setOpen} width={280} label={text} target={<button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>{label}</button>}>
        <Editor
          field={field}
          path={leaf.field}
          leaf={leaf}
          onDone={(next) => {
            setOpen(false);
            onChange(next);
          }}
        />
      </Popover>
      {remove}
    </span>
  );
}

export function FilterBar({ meta, state }: { meta: Meta; state: ListState }) {
  const t = useT();
  const [building, setBuilding] = useState(false);
  const [text, setText] = useState(state.search.q ?? "");
  const typed = useRef(false);
  const title = useNames(meta, state.filter);
  const list = flat(state.filter);
  const { set } = state;

  useEffect(() => {
    if (!typed.current) return;
    const timer = setTimeout(() => set({ q: text.trim() }, true), 250);
    return () => clearTimeout(timer);
  }, [text, set]);
  useEffect(() => {
    if (!typed.current || !state.search.q) setText((now) => (typed.current && now.trim() === (state.search.q ?? "") ? now : (state.search.q ?? "")));
    typed.current = false;
  }, [state.search.q]);

  const apply = (leavesNow: Leaf[]) => set({ f: leavesNow.length > 0 ? JSON.stringify({ and: leavesNow }) : "" });
  return (
    <div className={css.bar} role="group" aria-label={t("filter.bar")}>
      <label className={css.quick}>
        <Icon name="search" size={14} />
        <span className="sr">{t("list.quick")}</span>
        <input type="text" placeholder={t("list.quick")} value={text} maxLength={200} autoComplete="off" onChange={(event) => { typed.current = true; setText(event.target.value); }} />
      </label>
      {list ? (
        list.map((leaf, index) => <Chip key={`${index}-${leaf.field ?? leaf.op}`} meta={meta} leaf={leaf} title={title} onChange={(next) => apply(list.map((one, at) => (at === index ? next : one)))} onRemove={() => apply(list.filter((_, at) => at !== index))} />)
      ) : (
        <span className={css.chip}>
          <button type="button" onClick={() => setBuilding(true)}>
            <strong>{t("filter.nested", { count: count(state.filter) })}</strong>
          </button>
          <button type="button" aria-label={t("filter.remove", { filter: t("filter.builder") })} onClick={() => set({ f: "" })}>
            <Icon name="close" size={12} />
          </button>
        </span>
      )}
      <Adder meta={meta} onAdd={(leaf) => (list ? apply([...list, leaf]) : set({ f: JSON.stringify({ and: [state.filter, leaf] }) }))} onBuilder={() => setBuilding(true)} />
      {state.filter || state.search.q ? (
        <Button small tone="quiet" onClick={() => { typed.current = false; setText(""); set({ f: "", q: "" }); }}>
          {t("filter.clear")}
        </Button>
      ) : null}
      {building ? <FilterBuilder meta={meta} node={state.filter} onClose={() => setBuilding(false)} onApply={(node) => { setBuilding(false); set({ f: node ? JSON.stringify(node) : "" }); }} /> : null}
    </div>
  );
}
