// What an open set holds: the objects with their records in sight, and the records of one, found by name, number or id.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "~/api/client";
import type { PickPage } from "~/api/types.gen";
import { Bones } from "~/admin/Page";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { Badge, Button, State } from "~/lib/basics";
import { TextField } from "~/lib/fields";
import { said } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { stateOf } from "./data";
import { Whole } from "./Whole";
import adminCss from "~/admin/admin.module.css";
import css from "./pick.module.css";

type Go = (to: { object?: string; q?: string; id?: string }) => void;

function Rows({ object, q, onGo }: { object: string; q: string; onGo: Go }) {
  const t = useT();
  const query = useInfiniteQuery({
    queryKey: ["pick", "list", object, q],
    queryFn: ({ pageParam, signal }) => call("pick_list", { params: { object }, query: { ...(q ? { q } : {}), ...(pageParam ? { cursor: pageParam } : {}) }, signal }),
    initialPageParam: "",
    getNextPageParam: (page: PickPage) => page.next ?? undefined,
    retry: false,
  });
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  if (query.error) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  if (query.isPending) return <Bones lines={6} />;
  if (rows.length === 0) return <State icon="search" title={q ? t("pick.nothingFound") : t("pick.nothing")} text={q ? t("pick.nothingFoundText") : t("pick.nothingText")} />;
  return (
    <>
      <div className={adminCss.scroll}>
        <table className={adminCss.table} aria-label={t("pick.records")}>
          <thead>
            <tr>
              <th scope="col">{t("pick.name")}</th>
              <th scope="col">{t("pick.number")}</th>
              <th scope="col">{t("pick.nowColumn")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => {
              const state = stateOf(t, row.state);
              return (
                <tr key={row.id}>
                  <td>
                    <button type="button" className={adminCss.name} onClick={() => onGo({ object, id: row.id, ...(q ? { q } : {}) })}>
                      {row.title ?? t("pick.nameless")}
                    </button>
                  </td>
                  <td className="num">{row.number ?? "–"}</td>
                  <td className={adminCss.fit}>
                    <Badge tone={state.tone}>{state.text}</Badge>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      {query.hasNextPage ? (
        <p className={adminCss.foot}>
          <Button small tone="quiet" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("board.more")}
          </Button>
        </p>
      ) : null}
    </>
  );
}

function Search({ q, onSearch }: { q: string; onSearch: (q: string) => void }) {
  const t = useT();
  const [text, setText] = useState(q);
  return (
    <form
      className={css.search}
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        onSearch(text.trim());
      }}
    >
      <TextField label={t("pick.find")} hint={t("pick.findHint")} value={text} onChange={(event) => setText(event.target.value)} autoComplete="off" spellCheck={false} />
      <Button type="submit" icon="search">
        {t("pick.findAct")}
      </Button>
      {q ? (
        <Button
          tone="quiet"
          icon="close"
          onClick={() => {
            setText("");
            onSearch("");
          }}
        >
          {t("pick.all")}
        </Button>
      ) : null}
    </form>
  );
}

export function Found({ object, q, onGo }: { object: string; q: string; onGo: Go }) {
  const t = useT();
  const { data, error, refetch, isPending } = useQuery({ queryKey: ["pick", "objects"], queryFn: ({ signal }) => call("pick_objects", { signal }), retry: false, staleTime: 60_000 });
  if (error) return <Trouble error={error} retry={() => void refetch()} />;
  if (isPending) return <Bones lines={8} />;
  const shown = data.items.filter((one) => one.count > 0);
  const chosen = shown.find((one) => one.object === object) ?? shown[0];
  if (!chosen) return <State icon="seal" title={t("pick.nothing")} text={t("pick.nothingText")} />;
  return (
    <div className={css.found}>
      <nav className={css.objects} aria-label={t("pick.objects")}>
        <ul>
          {shown.map((one) => (
            <li key={one.object}>
              <button type="button" aria-current={one === chosen || undefined} onClick={() => onGo({ object: one.object })}>
                <span className="clip">{said(one.label)}</span>
                <span className="num">{one.count_is_minimum ? t("pick.atLeast", { number: number(one.count) }) : number(one.count)}</span>
              </button>
            </li>
          ))}
        </ul>
      </nav>
      <div className={css.records}>
        <Whole key={chosen.object} object={chosen.object} name={said(chosen.label)} onOpen={(id) => onGo({ object: chosen.object, id })} />
        <Search key={`${chosen.object} ${q}`} q={q} onSearch={(text) => onGo({ object: chosen.object, ...(text ? { q: text } : {}) })} />
        <Rows object={chosen.object} q={q} onGo={onGo} />
      </div>
    </div>
  );
}
