// The bell: what one should look at, how much of it is new, by kind. Only ids come with it; of what one may not see there is
// no name.

import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import type { NotificationPage } from "~/api/types.gen";
import { useT } from "~/i18n";
import { ago, number } from "~/i18n/format";
import { Button, IconButton } from "~/lib/basics";
import { Icon, type IconName } from "~/lib/icons";
import { Popover } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { objectLabel, useMetas } from "~/model/meta";
import css from "./Bell.module.css";

export const BELL_KEY = ["notifications"] as const;

type Notice = NotificationPage["items"][number];
const KINDS: { kind: Notice["kind"]; icon: IconName }[] = [
  { kind: "due", icon: "task" },
  { kind: "mentioned", icon: "note" },
  { kind: "assigned", icon: "users" },
];

export function Bell() {
  const t = useT();
  const metas = useMetas();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const query = useInfiniteQuery({
    queryKey: BELL_KEY,
    queryFn: ({ pageParam, signal }) => call("notification_list", { query: { limit: 30, ...(pageParam ? { cursor: pageParam } : {}) }, signal }),
    initialPageParam: "",
    getNextPageParam: (page) => page.next ?? undefined,
    staleTime: 60_000,
    retry: false,
  });
  const notices = query.data?.pages.flatMap((page) => page.items) ?? [];
  const unread = query.data?.pages[0]?.unread ?? 0;

  async function read(body: { ids?: string[]; all?: boolean }) {
    try {
      await call("notification_read", { body });
    } catch (error) {
      toast(errorText(error), { tone: "bad", note: errorNote(error) });
    }
    void client.invalidateQueries({ queryKey: BELL_KEY });
  }

  function follow(notice: Notice) {
    setOpen(false);
    if (!notice.read) void read({ ids: [notice.id] });
    if (notice.object && notice.record) void navigate({ to: "/o/$object/$id", params: { object: notice.object, id: notice.record } });
  }

  return (
    <span className={css.place}>
      <Popover
        open={open}
        onOpen={setOpen}
        align="end"
        width={380}
        label={t("bell.title")}
        target={<IconButton icon="bell" label={unread > 0 ? t("bell.unread", { count: unread }) : t("bell.title")} aria-expanded={open} onClick={() => setOpen(!open)} />}
      >
        <div className={css.head}>
          <h2>{t("bell.title")}</h2>
          {unread > 0 ? (
            <Button small tone="quiet" icon="check" onClick={() => void read({ all: true })}>
              {t("bell.all")}
            </Button>
          ) : null}
        </div>
        {query.error ? <p className="soft">{errorText(query.error)}</p> : null}
        {query.data && notices.length === 0 ? <p className="soft">{t("bell.none")}</p> : null}
        <div className={css.list}>
          {KINDS.map(({ kind, icon }) => {
            const some = notices.filter((notice) => notice.kind === kind);
            if (some.length === 0) return null;
            return (
              <section key={kind} aria-label={t(`bell.kind.${kind}`)}>
                <h3 className={css.kind}>{t(`bell.kind.${kind}`)}</h3>
                <ul>
                  {some.map((notice) => (
                    <li key={notice.id} className={css.notice} data-unread={!notice.read || undefined}>
                      <button type="button" onClick={() => follow(notice)}>
                        <Icon name={icon} />
                        <span className={css.text}>
                          <span className="clip">{notice.label ?? t("bell.hidden")}</span>
                          <span className="faint">{[objectLabel(metas.get(notice.object ?? "")), notice.by_name, ago(notice.at)].filter(Boolean).join(" · ")}</span>
                        </span>
                        {notice.read ? null : <span className="sr">{t("bell.new")}</span>}
                      </button>
                      {notice.read ? null : <IconButton small icon="check" label={t("bell.read", { name: notice.label ?? t("bell.hidden") })} onClick={() => void read({ ids: [notice.id] })} />}
                    </li>
                  ))}
                </ul>
              </section>
            );
          })}
        </div>
        {query.hasNextPage ? (
          <Button small tone="quiet" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t("board.more")}
          </Button>
        ) : null}
      </Popover>
      {unread > 0 ? (
        <span className={css.count} aria-hidden>
          {unread > 99 ? "99+" : number(unread)}
        </span>
      ) : null}
    </span>
  );
}
