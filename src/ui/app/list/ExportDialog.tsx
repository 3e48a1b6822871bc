// A list as a file: its columns, filter and order as they stand. The server makes it in the background; it lies here until its time
// is over. What may be in it, the server alone decides.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { address, call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { limits, operations, type Export, type ListRequest } from "~/api/types.gen";
import { useT } from "~/i18n";
import { bytes, moment, number } from "~/i18n/format";
import { Button, IconButton, libCss } from "~/lib/basics";
import { SelectField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { fieldLabel, objectLabel, useMetas, type Meta } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import css from "./list.module.css";

const KEY = ["exports"];
const POLL_MILLISECONDS = 1000;

function Line({ one, onForget }: { one: Export; onForget: () => void }) {
  const t = useT();
  const ready = one.state === "ready";
  return (
    <li className={css.exportLine}>
      <Icon name={one.state === "running" ? "history" : ready ? "check" : "warn"} size={14} />
      <div>
        <strong>{one.file_name}</strong>
        <div className="soft" role={one.state === "running" ? undefined : "status"}>
          {one.state === "running" ? t("export.running", { number: number(one.rows) }) : null}
          {ready ? t("export.ready", { number: number(one.rows), size: bytes(one.size ?? 0), until: moment(one.expires_at ?? one.at) }) : null}
          {one.state === "failed" ? (one.problem?.detail ?? t("export.failed")) : null}
          {one.state === "interrupted" ? t("export.interrupted") : null}
        </div>
      </div>
      {ready ? (
        <a className={`${libCss.button} ${libCss.small}`} href={address(operations.export_file[1], { export: one.id })} download={one.file_name} aria-label={t("export.saveName", { name: one.file_name, at: moment(one.at) })}>
          {t("files.save")}
        </a>
      ) : null}
      <IconButton small icon="close" label={t("export.forget", { name: one.file_name, at: moment(one.at) })} onClick={onForget} />
    </li>
  );
}

export default function ExportDialog({ meta, columns, request, count, onClose }: { meta: Meta; columns: string[]; request: ListRequest; count: number | undefined; onClose: () => void }) {
  const t = useT();
  const metas = useMetas();
  const client = useQueryClient();
  const [format, setFormat] = useState<Export["format"]>("csv");
  const exports = useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => call("export_list", { signal }),
    refetchInterval: (query) => (query.state.data?.items.some((one) => one.state === "running") ? POLL_MILLISECONDS : false),
    staleTime: 0,
    retry: false,
  });
  const wrong = (error: Error) => toast(errorText(error), { tone: "bad", note: errorNote(error) });
  const again = () => void client.invalidateQueries({ queryKey: KEY });
  const begin = useMutation({
    mutationFn: () =>
      call("record_export", {
        params: { object: meta.name },
        body: { columns, format, filter: request.filter ?? null, sort: request.sort ?? [], ...(request.q ? { q: request.q } : {}) },
      }),
    onSuccess: again,
    onError: wrong,
  });
  const forget = useMutation({ mutationFn: (id: string) => call("export_forget", { params: { export: id } }), onSuccess: again, onError: wrong });
  const items = exports.data?.items ?? [];
  const running = items.some((one) => one.state === "running");
  const most = limits.EXPORT_ROWS_MAX;
  const blocked = running ? t("export.oneAtATime") : count !== undefined && count > most ? t("export.tooMany", { number: number(most) }) : undefined;
  const objects = objectLabel(meta, true);
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("export.title", { objects })}
      closeLabel={t("act.close")}
      foot={
        <>
          <Button onClick={onClose}>{t("act.close")}</Button>
          <Button tone="primary" busy={begin.isPending} blocked={blocked} onClick={() => begin.mutate()}>
            {t("export.make")}
          </Button>
        </>
      }
    >
      <div className={css.editor}>
        <p>{count === undefined ? t("export.all", { objects }) : t("export.count", { number: number(count), objects })}</p>
        <p className="soft">{t("export.columns", { names: columns.map((path) => fieldLabel(meta, path, metas)).join(", ") })}</p>
        <SelectField
          label={t("export.format")}
          value={format}
          choices={[
            { value: "csv", label: t("export.csv") },
            { value: "csv_gb18030", label: t("export.gb18030") },
          ]}
          onChange={(event) => setFormat(event.target.value === "csv_gb18030" ? "csv_gb18030" : "csv")}
        />
        <p className="soft">{t("export.text")}</p>
        {exports.error ? <Trouble error={exports.error} retry={() => void exports.refetch()} /> : null}
        {items.length > 0 ? (
          <ul className={css.exports} aria-label={t("export.yours")}>
            {items.map((one) => (
              <Line key={one.id} one={one} onForget={() => forget.mutate(one.id)} />
            ))}
          </ul>
        ) : null}
      </div>
    </Dialog>
  );
}
