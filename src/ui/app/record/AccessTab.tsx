// Who saw, changed or asked for this record: as the log has it, newest first.

import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { call } from "~/api/client";
import { useMe } from "~/api/session";
import type { RecordView } from "~/api/types.gen";
import { useT, type Key } from "~/i18n";
import { moment } from "~/i18n/format";
import { Bone, Button } from "~/lib/basics";
import { said, type Meta } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import css from "./record.module.css";

const VERBS = ["read", "list", "search", "create", "update", "delete", "restore", "merge", "link", "unlink", "reveal", "history", "denied"];

export function AccessTab({ meta, record }: { meta: Meta; record: RecordView }) {
  const t = useT();
  const me = useMe();
  const query = useInfiniteQuery({
    queryKey: ["access", record.id],
    queryFn: ({ pageParam, signal }) => call("record_access_log", { params: { object: meta.name, id: record.id }, query: { limit: 50, ...(pageParam ? { before: pageParam } : {}) }, signal }),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next ?? undefined,
    retry: false,
  });
  // A page looks through a part of the log only, and may find nothing there: then the next is asked for at once.
  const last = query.data?.pages.at(-1);
  const found = query.data?.pages.some((page) => page.items.length > 0) ?? false;
  const goOn = !found && last?.next != null && !query.isFetchingNextPage && !query.error;
  useEffect(() => {
    if (goOn) void query.fetchNextPage();
  }, [goOn, query]);
  if (query.error) return <Trouble error={query.error} retry={() => void query.refetch()} />;
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  const name = (field: string) => {
    const found = meta.fields.get(field);
    return found ? said(found.label) : field;
  };
  return (
    <div className={css.wide} style={{ padding: "8px 16px 32px" }}>
      <p className="soft">
        {t("access.text")}{" "}
        {me.actions.includes("audit_read") ? (
          <Link to="/audit" search={{ record: record.id, object: meta.name }}>
            {t("access.desk")}
          </Link>
        ) : null}
      </p>
      {query.isPending ? <Bone width={320} /> : null}
      {items.length > 0 ? (
        <table className={css.log}>
          <thead>
            <tr>
              <th scope="col">{t("access.when")}</th>
              <th scope="col">{t("access.who")}</th>
              <th scope="col">{t("access.what")}</th>
              <th scope="col">{t("access.fields")}</th>
              <th scope="col">{t("access.why")}</th>
            </tr>
          </thead>
          <tbody>
            {items.map((item) => (
              <tr key={item.seq}>
                <td className="num">{moment(item.at)}</td>
                <td>{item.name ?? t("value.appliance")}</td>
                <td>
                  {VERBS.includes(item.verb) ? t(`access.verb.${item.verb}` as Key) : item.verb}
                  {item.way === "record" ? "" : ` · ${t(`access.way.${item.way}` as Key)}`}
                </td>
                <td className="soft">{[...item.changed.map(name), ...item.fields.map(([field]) => name(field ?? ""))].join(", ")}</td>
                <td>{item.purpose}</td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
      {query.hasNextPage ? (
        <Button small busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("timeline.older")}
        </Button>
      ) : null}
    </div>
  );
}
