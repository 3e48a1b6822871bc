// What can be done with the selected rows. Each says how many it will touch before it does anything, and how each row went
// afterwards; a delete can be undone.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { useMe } from "~/api/session";
import { limits, type BulkRequest, type BulkResult, type RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { Button } from "~/lib/basics";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { objectLabel, titleOf, useMetas, type Meta } from "~/model/meta";
import { RecordPicker, type Picked } from "~/value/RecordPicker";
import type { Selection } from "./selection";
import css from "./list.module.css";

type Act = "assign" | "delete" | "restore" | "tag";

export function BulkBar({ meta, selection, rows, deleted }: { meta: Meta; selection: Selection; rows: RecordView[]; deleted: boolean }) {
  const t = useT();
  const me = useMe();
  const metas = useMetas();
  const client = useQueryClient();
  const [act, setAct] = useState<Act | null>(null);
  const [picked, setPicked] = useState<Picked | null>(null);
  const [failed, setFailed] = useState<BulkResult["rows"]>([]);
  const ids = [...selection.ids];
  const may = me.actions.includes("bulk");
  const blocked = !may ? t("bulk.denied") : ids.length > limits.BULK_RECORDS_MAX ? t("bulk.many", { count: limits.BULK_RECORDS_MAX }) : undefined;

  const send = useMutation({
    mutationFn: ({ change, on }: { change: BulkRequest["change"]; on: string[] }) => call("record_bulk", { params: { object: meta.name }, body: { change, ids: on } }),
    onError: (error) => toast(errorText(error), { tone: "bad", note: errorNote(error) }),
    onSuccess: (result, { change, on }) => {
      void client.invalidateQueries({ queryKey: ["list", meta.name] });
      setAct(null);
      const wrong = result.rows.filter((row) => row.outcome === "failed");
      setFailed(wrong);
      if (wrong.length === 0) selection.clear();
      if (result.done === 0) return;
      const undo = change.action === "delete" ? { label: t("act.undo"), act: () => send.mutate({ change: { action: "restore" }, on: on.filter((id) => !wrong.some((row) => row.id === id)) }) } : undefined;
      toast(t("bulk.done", { count: result.done }), { tone: "good", action: undo });
    },
  });

  const run = () => {
    if (act === "assign" && picked) send.mutate({ change: { action: "assign", owner: picked.id }, on: ids });
    if (act === "tag" && picked) send.mutate({ change: { action: "tag", tag: picked.id }, on: ids });
    if (act === "delete" || act === "restore") send.mutate({ change: { action: act }, on: ids });
  };
  const begin = (wanted: Act) => {
    setPicked(null);
    setAct(wanted);
  };
  const name = (id: string) => {
    const row = rows.find((one) => one.id === id);
    return row ? titleOf(meta, row) : id;
  };
  const titles = { assign: t("bulk.assign"), tag: t("bulk.tag"), delete: t("bulk.delete"), restore: t("bulk.restore") };
  return (
    <div className={css.selected} role="group" aria-label={t("bulk.label")}>
      <strong className="num" aria-live="polite">{t("bulk.selected", { count: ids.length })}</strong>
      {deleted ? (
        <Button small blocked={blocked} onClick={() => begin("restore")}>
          {titles.restore}
        </Button>
      ) : (
        <>
          {meta.may.assign ? (
            <Button small blocked={blocked} onClick={() => begin("assign")}>
              {titles.assign}
            </Button>
          ) : null}
          {meta.view.relations["tags"] && meta.may.update ? (
            <Button small blocked={blocked} onClick={() => begin("tag")}>
              {titles.tag}
            </Button>
          ) : null}
          {meta.may.delete ? (
            <Button small tone="danger" blocked={blocked} onClick={() => begin("delete")}>
              {titles.delete}
            </Button>
          ) : null}
        </>
      )}
      <Button small tone="quiet" onClick={selection.clear}>
        {t("bulk.clear")}
      </Button>
      <Dialog
        open={act !== null}
        onClose={() => setAct(null)}
        title={act ? titles[act] : ""}
        closeLabel={t("act.close")}
        size="narrow"
        foot={
          <>
            <Button onClick={() => setAct(null)}>{t("act.cancel")}</Button>
            <Button tone={act === "delete" ? "danger" : "primary"} busy={send.isPending} blocked={(act === "assign" || act === "tag") && !picked ? t("bulk.pick") : undefined} onClick={run}>
              {act ? titles[act] : ""}
            </Button>
          </>
        }
      >
        <p>{t("bulk.touches", { number: number(ids.length), objects: objectLabel(meta, true) })}</p>
        {act === "assign" ? <RecordPicker objects={["user"]} value={picked} onChange={setPicked} label={t("bulk.owner")} /> : null}
        {act === "tag" ? <RecordPicker objects={metas.has("tag") ? ["tag"] : []} value={picked} onChange={setPicked} label={t("bulk.tagName")} /> : null}
        {act === "delete" ? <p className="soft">{t("bulk.deleteText")}</p> : null}
      </Dialog>
      <Dialog open={failed.length > 0} onClose={() => setFailed([])} title={t("bulk.failed", { count: failed.length })} closeLabel={t("act.close")}>
        <ul>
          {failed.map((row) => (
            <li key={row.id} style={{ padding: "4px 0" }}>
              <strong>{name(row.id)}</strong>
              <div className="soft">{row.detail ?? row.code}</div>
            </li>
          ))}
        </ul>
      </Dialog>
    </div>
  );
}
