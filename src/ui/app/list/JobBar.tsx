// How far a bulk change is, what became of it row by row, and the way back.

import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import type { Job, JobRows } from "~/api/types.gen";
import { useT, type Key } from "~/i18n";
import { number } from "~/i18n/format";
import { Bone, Button, IconButton } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { Trouble } from "~/pages/Trouble";
import { useTitle } from "~/value/title";
import { showJob, useJob } from "./jobs";
import css from "./list.module.css";

const ROWS = 50;

function FailedRow({ object, row }: { object: string; row: JobRows["items"][number] }) {
  const title = useTitle({ object, id: row.id });
  return (
    <li>
      <strong>{title}</strong>
      <div className="soft">{row.detail ?? row.code}</div>
    </li>
  );
}

/** The records that were left as they are, each with its reason. */
function Failed({ job, onClose }: { job: Job; onClose: () => void }) {
  const t = useT();
  const query = useInfiniteQuery({
    queryKey: ["job", job.id, "failed"],
    queryFn: ({ pageParam, signal }) => call("job_rows", { params: { job: job.id }, query: { outcome: "failed", limit: ROWS, ...(pageParam ? { after: pageParam } : {}) }, signal }),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next ?? undefined,
  });
  const rows = query.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Dialog open onClose={onClose} title={t("bulk.failed", { count: job.failed })} closeLabel={t("act.close")}>
      {query.error ? <Trouble error={query.error} retry={() => void query.refetch()} /> : null}
      {query.isPending ? <Bone width={260} /> : null}
      <ul className={css.failed}>
        {rows.map((row) => (
          <FailedRow key={row.id} object={job.object} row={row} />
        ))}
      </ul>
      {query.hasNextPage ? (
        <Button small tone="quiet" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("board.more")}
        </Button>
      ) : null}
    </Dialog>
  );
}

export default function JobBar({ object }: { object: string }) {
  const t = useT();
  const client = useQueryClient();
  const { job, close } = useJob(object);
  const [failed, setFailed] = useState(false);
  const act = useMutation({
    mutationFn: ({ job: one, what }: { job: Job; what: "job_stop" | "job_undo" }) => call(what, { params: { job: one.id } }),
    onSuccess: (answer) => {
      client.setQueryData(["job", answer.id], answer);
      void client.invalidateQueries({ queryKey: ["job", answer.id], exact: true });
      showJob(object, answer.id);
    },
    onError: (error) => toast(errorText(error), { tone: "bad", note: errorNote(error) }),
  });
  if (!job) return null;
  const what = job.undo_of ? t("job.undo") : t(`job.action.${job.action}` as Key);
  const through = job.done + job.same + job.failed;
  const running = job.state === "running";
  const words = [t("job.changed", { count: job.done, number: number(job.done) })];
  if (job.same > 0) words.push(t("job.same", { number: number(job.same) }));
  if (job.failed > 0) words.push(t("job.failed", { number: number(job.failed) }));
  if (job.state === "stopped") words.push(job.code === "access_denied" ? t("job.denied") : t("job.stopped"));
  if (job.state === "interrupted") words.push(t("job.interrupted"));
  return (
    <div className={css.job} role="group" aria-label={t("job.label")}>
      <Icon name={running ? "history" : job.failed > 0 ? "warn" : "check"} size={14} />
      <strong>{what}</strong>
      {running ? (
        <>
          <progress aria-label={what} max={Math.max(job.total, 1)} value={through} />
          <span className="num">{t("job.progress", { at: number(through), total: number(job.total) })}</span>
          <Button small onClick={() => act.mutate({ job, what: "job_stop" })} busy={act.isPending}>
            {t("job.stop")}
          </Button>
          <span className="soft">{t("job.goesOn")}</span>
        </>
      ) : (
        <>
          <span className="num" role="status">
            {words.join(" · ")}
          </span>
          {job.failed > 0 ? (
            <Button small onClick={() => setFailed(true)}>
              {t("job.which")}
            </Button>
          ) : null}
          {job.can_undo && !job.undone_by ? (
            <Button small icon="undo" busy={act.isPending} onClick={() => act.mutate({ job, what: "job_undo" })}>
              {t("act.undo")}
            </Button>
          ) : null}
          <IconButton small icon="close" label={t("act.close")} onClick={close} />
        </>
      )}
      {failed ? <Failed job={job} onClose={() => setFailed(false)} /> : null}
    </div>
  );
}
