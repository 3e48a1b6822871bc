// The part of the manual that fits the open page, beside it: the page can be used meanwhile. It follows from page to page.

import { useQuery } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useLanguage, useT } from "~/i18n";
import { Bone, IconButton, State } from "~/lib/basics";
import { drawn, isHeading, partOf, readManual } from "./manual";
import { hideHelp, useHelp } from "./open";
import { anchorOf, manualPage, TOPICS, topicOf } from "./topics";
import css from "./help.module.css";

export default function HelpPanel() {
  const t = useT();
  const spoken = useLanguage();
  const help = useHelp();
  const place = useRef<HTMLHeadingElement>(null);
  const here = useLocation({ select: (location) => topicOf(location.pathname, location.search as { as?: string; by?: string; tab?: string }) });
  const topic = TOPICS[help.topic ?? here];
  const address = manualPage(topic.page, spoken);
  const part = topic.part[spoken];
  const { data, error } = useQuery({ queryKey: ["manual", address], queryFn: ({ signal }) => readManual(address, signal), staleTime: Infinity, retry: false });
  useEffect(() => place.current?.focus(), []);
  return (
    <aside className={css.panel} aria-label={t("help.title")} onKeyDown={(event) => (event.key === "Escape" ? hideHelp() : undefined)}>
      <div className={css.head}>
        <h2 ref={place} tabIndex={-1}>
          {data?.title ?? t("help.title")}
        </h2>
        <IconButton icon="close" label={t("help.close")} onClick={hideHelp} />
      </div>
      <div className={css.text} tabIndex={0} role="region" aria-label={data?.title ?? t("help.title")}>
        {error ? <State icon="help" title={t("help.failed")} text={t("help.failedText")} /> : null}
        {!data && !error ? [0, 1, 2].map((one) => <Bone key={one} width={one === 2 ? "60%" : "90%"} />) : null}
        {data ? partOf(data.page, part).map(drawn) : null}
      </div>
      <div className={css.foot}>
        <a href={data && isHeading(data.page, part) ? `${address}#${anchorOf(part)}` : address} target="_blank" rel="noreferrer">
          {t("help.page")}
        </a>
        <a href="/docs" target="_blank" rel="noreferrer">
          {t("help.all")}
        </a>
      </div>
    </aside>
  );
}
