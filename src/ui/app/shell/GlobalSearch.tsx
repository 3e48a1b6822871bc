// The search box of the top bar. `/` goes there; hits come by object with the field that matched; empty, it offers what was
// seen last. A combobox: arrows move, Enter opens, Ctrl+Enter opens beside, Escape leaves.

import { useNavigate } from "@tanstack/react-router";
import { useId, useRef, useState, type KeyboardEvent } from "react";
import { errorText } from "~/api/errors";
import { useT } from "~/i18n";
import { Kbd } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { useKeys } from "~/lib/keys";
import { iconOf } from "~/model/layouts";
import { objectLabel, said, useMetas } from "~/model/meta";
import { usePrefs } from "~/model/prefs";
import { useTitles } from "~/model/titles";
import { hitsOf, useFinder, type Hit } from "./finder";
import css from "./Shell.module.css";

/** The records seen last, the latest first. */
export function useRecents(on: boolean, most = 6): Hit[] {
  const { recents } = usePrefs();
  return useTitles(recents.slice(0, most), on).found.map((one) => ({ ...one, match: null }));
}

function Marked({ text, query }: { text: string; query: string }) {
  const at = text.toLowerCase().indexOf(query.toLowerCase());
  if (at < 0) return text;
  const from = Math.max(0, at - 12);
  return (
    <>
      {from > 0 ? "…" : ""}
      {text.slice(from, at)}
      <mark>{text.slice(at, at + query.length)}</mark>
      {text.slice(at + query.length)}
    </>
  );
}

type Row = { kind: "hit"; hit: Hit } | { kind: "all"; object: string };

export function GlobalSearch() {
  const t = useT();
  const metas = useMetas();
  const navigate = useNavigate();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const finder = useFinder(text);
  const recents = useRecents(open && text.trim() === "");
  useKeys({ "/": () => input.current?.focus() });

  const searching = finder.enabled && text.trim() !== "";
  const groups = searching ? hitsOf(finder.data, metas, finder.query) : [];
  const rows: Row[] = searching ? groups.flatMap((group) => [...group.hits.map((hit): Row => ({ kind: "hit", hit })), ...(group.more ? [{ kind: "all", object: group.object } as Row] : [])]) : recents.map((hit) => ({ kind: "hit", hit }));

  function pick(row: Row | undefined, beside: boolean) {
    if (!row) return;
    if (row.kind === "hit" && beside) {
      window.open(`/app/o/${row.hit.object}/${row.hit.id}`, "_blank", "noreferrer");
      return;
    }
    setOpen(false);
    setText("");
    input.current?.blur();
    if (row.kind === "all") void navigate({ to: "/o/$object", params: { object: row.object }, search: { q: finder.query } });
    else void navigate({ to: "/o/$object/$id", params: { object: row.hit.object, id: row.hit.id } });
  }

  function key(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setAt((now) => (rows.length ? (now + step + rows.length) % rows.length : 0));
    } else if (event.key === "Enter") {
      pick(rows[at], event.ctrlKey || event.metaKey);
    } else if (event.key === "Escape") {
      setOpen(false);
      input.current?.blur();
    }
  }

  const option = (row: Row, index: number) => (
    <div key={row.kind === "hit" ? row.hit.id : `all-${row.object}`} id={`${id}-${index}`} role="option" aria-selected={index === at} className={css.hit} onMouseMove={() => setAt(index)} onMouseDown={(event) => event.preventDefault()} onClick={(event) => pick(row, event.ctrlKey || event.metaKey)}>
      <Icon name={row.kind === "hit" ? iconOf(row.hit.object) : "search"} />
      <span className="clip">{row.kind === "hit" ? row.hit.title : t("search.all", { objects: objectLabel(metas.get(row.object), true) })}</span>
      {row.kind === "hit" ? (
        <span className={`clip ${css.hitNote}`}>{row.hit.match && row.hit.match.field !== metas.get(row.hit.object)?.titleField ? <>{said(metas.get(row.hit.object)?.fields.get(row.hit.match.field)?.label)}: <Marked text={row.hit.match.text} query={finder.query} /></> : null}</span>
      ) : null}
    </div>
  );

  let count = 0;
  const empty = searching && !finder.isFetching && rows.length === 0;
  return (
    <div className={css.search} role="search" onBlur={(event) => (event.currentTarget.contains(event.relatedTarget) ? undefined : setOpen(false))}>
      <div className={css.searchBox}>
        <Icon name="search" />
        <input
          ref={input}
          type="text"
          role="combobox"
          aria-label={t("search.label")}
          aria-expanded={open}
          aria-controls={`${id}-list`}
          aria-activedescendant={open && rows.length > 0 ? `${id}-${at}` : undefined}
          aria-autocomplete="list"
          autoComplete="off"
          spellCheck={false}
          maxLength={200}
          placeholder={t("search.hint")}
          value={text}
          onFocus={() => setOpen(true)}
          onChange={(event) => {
            setText(event.target.value);
            setOpen(true);
            setAt(0);
          }}
          onKeyDown={key}
        />
        <Kbd>/</Kbd>
      </div>
      <div id={`${id}-list`} role="listbox" aria-label={t("search.results")} className={css.searchPanel} hidden={!open || (rows.length === 0 && !empty && !finder.error)}>
        {searching
          ? groups.map((group) => (
              <div key={group.object} role="group" aria-label={objectLabel(metas.get(group.object), true)}>
                <div className={css.panelHead} role="presentation">{objectLabel(metas.get(group.object), true)}</div>
                {group.hits.map((hit) => option({ kind: "hit", hit }, count++))}
                {group.more ? option({ kind: "all", object: group.object }, count++) : null}
              </div>
            ))
          : rows.length > 0
            ? (
              <div role="group" aria-label={t("search.recents")}>
                <div className={css.panelHead} role="presentation">{t("search.recents")}</div>
                {rows.map((row, index) => option(row, index))}
              </div>
            )
            : null}
        {empty ? <div className={css.panelNote} role="presentation">{t("search.none", { query: finder.query })}</div> : null}
        {finder.error ? <div className={css.panelNote} role="presentation">{errorText(finder.error)}</div> : null}
      </div>
      <div className="sr" aria-live="polite">{searching && !finder.isFetching ? t("search.count", { count: rows.length }) : ""}</div>
    </div>
  );
}
