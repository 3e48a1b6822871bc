// Files of a record: added by drop or by choosing, with how far each has gone; shown, saved, taken away. What is wrong with a file
// stands at the file. They are sealed on the server, and looking at one is logged.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { address, call, callUpload } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { limits, operations, type Attachment, type RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { bytes, moment } from "~/i18n/format";
import { Bone, Button, IconButton, libCss, State } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { type Meta } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { useTitle } from "~/value/title";
import css from "./files.module.css";

type Sending = { key: number; name: string; part: number; wrong: string; stop: AbortController };

/** Where a file lies; the browser itself fetches it, with the session it has. */
function placeOf(record: RecordView, file: Attachment, preview: boolean): string {
  return address(operations.attachment_open[1], { object: record.object, id: record.id, attachment: file.id }, preview ? { preview } : {});
}

function useSending(record: RecordView, after: () => void) {
  const t = useT();
  const [list, setList] = useState<Sending[]>([]);
  const next = useRef(1);
  const change = (key: number, more: Partial<Sending>) => setList((before) => before.map((one) => (one.key === key ? { ...one, ...more } : one)));
  const drop = (key: number) => setList((before) => before.filter((one) => one.key !== key));

  async function send(file: File) {
    const key = next.current++;
    const stop = new AbortController();
    const large = file.size > limits.ATTACHMENT_BYTES_MAX ? t("files.large", { size: bytes(file.size), most: bytes(limits.ATTACHMENT_BYTES_MAX) }) : file.size === 0 ? t("files.empty") : "";
    setList((before) => [...before, { key, name: file.name, part: 0, wrong: large, stop }]);
    if (large) return;
    try {
      await callUpload("attachment_add", { object: record.object, id: record.id }, { file, name: file.name, signal: stop.signal, progress: (part) => change(key, { part }) });
      drop(key);
      after();
    } catch (error) {
      if (stop.signal.aborted) return drop(key);
      const wrong = refusalOf(error);
      change(key, { wrong: [errorText(wrong), wrong.errors[0]?.detail].filter(Boolean).join(" ") });
    }
  }
  // One after the other: the line to the server is shared with the rest of the page.
  const add = async (files: File[]) => {
    for (const file of files) await send(file);
  };
  return { list, add, drop };
}

function Who({ id }: { id: string }) {
  return <>{useTitle({ object: "user", id })}</>;
}

function Line({ record, file, editable, onShow, onRemove }: { record: RecordView; file: Attachment; editable: boolean; onShow: () => void; onRemove: () => void }) {
  const t = useT();
  return (
    <li className={css.line}>
      <Icon name="note" className="faint" />
      <div className={css.name}>
        {file.preview ? (
          <button type="button" className={css.open} onClick={onShow}>
            {file.name}
          </button>
        ) : (
          <span>{file.name}</span>
        )}
        <span className="faint num">
          {bytes(file.size)} · {moment(file.created_at)} · <Who id={file.created_by} />
        </span>
      </div>
      <div className={css.acts}>
        {file.preview ? <IconButton small icon="eye" label={t("files.show", { name: file.name })} onClick={onShow} /> : null}
        <a className={`${libCss.button} ${libCss.small} ${libCss.quiet}`} href={placeOf(record, file, false)} download={file.name} aria-label={t("files.saveName", { name: file.name })}>
          {t("files.save")}
        </a>
        {editable ? <IconButton small icon="trash" label={t("files.remove", { name: file.name })} onClick={onRemove} /> : null}
      </div>
    </li>
  );
}

function Preview({ record, file, onClose }: { record: RecordView; file: Attachment; onClose: () => void }) {
  const t = useT();
  const image = file.media_type.startsWith("image/");
  return (
    <Dialog
      open
      onClose={onClose}
      title={file.name}
      closeLabel={t("act.close")}
      size="wide"
      foot={
        <a className={libCss.button} href={placeOf(record, file, false)} download={file.name}>
          {t("files.save")}
        </a>
      }
    >
      {image ? <img className={css.image} src={placeOf(record, file, true)} alt={file.name} /> : <iframe className={css.frame} src={placeOf(record, file, true)} title={file.name} />}
    </Dialog>
  );
}

export function Files({ meta, record }: { meta: Meta; record: RecordView }) {
  const t = useT();
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const [shown, setShown] = useState<Attachment | null>(null);
  const [asked, setAsked] = useState<Attachment | null>(null);
  const key = ["attachments", record.id];
  const files = useQuery({ queryKey: key, queryFn: ({ signal }) => call("attachment_list", { params: { object: meta.name, id: record.id }, signal }), retry: false });
  const refresh = () => {
    void client.invalidateQueries({ queryKey: key });
    void client.invalidateQueries({ queryKey: ["timeline", record.id] });
  };
  const sending = useSending(record, refresh);
  const remove = useMutation({
    mutationFn: (attachment: string) => call("attachment_remove", { params: { object: meta.name, id: record.id, attachment } }),
    onError: (error) => toast(errorText(error), { tone: "bad", note: errorNote(error) }),
    onSuccess: () => {
      toast(t("files.removed", { name: asked?.name ?? "" }), { tone: "good" });
      setAsked(null);
      refresh();
    },
  });
  if (files.error && !files.data) return <Trouble error={files.error} retry={() => void files.refetch()} />;
  const items = files.data?.items ?? [];
  const editable = files.data?.editable === true && !record.deleted;
  const full = items.length >= limits.ATTACHMENTS_PER_RECORD_MAX;
  return (
    <div
      className={css.place}
      data-over={over && editable}
      onDragOver={(event) => {
        if (!editable || !event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => (event.currentTarget.contains(event.relatedTarget as Node | null) ? undefined : setOver(false))}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (editable) void sending.add([...event.dataTransfer.files]);
      }}
    >
      {editable ? (
        <div className={css.drop}>
          <Button icon="plus" blocked={full ? t("files.full", { count: limits.ATTACHMENTS_PER_RECORD_MAX }) : undefined} onClick={() => input.current?.click()}>
            {t("files.add")}
          </Button>
          <span className="soft">{t("files.drop", { most: bytes(limits.ATTACHMENT_BYTES_MAX) })}</span>
          <input
            ref={input}
            type="file"
            multiple
            hidden
            aria-label={t("files.add")}
            onChange={(event) => {
              const chosen = [...(event.target.files ?? [])];
              event.target.value = "";
              void sending.add(chosen);
            }}
          />
        </div>
      ) : null}
      <ul aria-label={t("files.sending")} aria-live="polite">
        {sending.list.map((one) => (
          <li key={one.key} className={css.line} data-bad={one.wrong !== ""}>
            <Icon name={one.wrong ? "warn" : "up"} />
            <div className={css.name}>
              <span>{one.name}</span>
              {one.wrong ? <span role="alert">{one.wrong}</span> : <progress max={1} value={one.part} aria-label={one.name} />}
            </div>
            <div className={css.acts}>
              <IconButton small icon="close" label={one.wrong ? t("act.close") : t("files.stop", { name: one.name })} onClick={() => (one.wrong ? sending.drop(one.key) : one.stop.abort())} />
            </div>
          </li>
        ))}
      </ul>
      {files.isPending ? <Bone width={320} height={16} /> : null}
      {files.data && items.length === 0 && sending.list.length === 0 ? <State icon="note" title={t("files.none")} text={editable ? t("files.noneText") : t("record.readOnly")} /> : null}
      <ul aria-label={t("files.title")}>
        {items.map((file) => (
          <Line key={file.id} record={record} file={file} editable={editable} onShow={() => setShown(file)} onRemove={() => setAsked(file)} />
        ))}
      </ul>
      {shown ? <Preview record={record} file={shown} onClose={() => setShown(null)} /> : null}
      <Dialog
        open={asked !== null}
        onClose={() => setAsked(null)}
        title={t("files.removeTitle", { name: asked?.name ?? "" })}
        closeLabel={t("act.close")}
        size="narrow"
        foot={
          <>
            <Button onClick={() => setAsked(null)}>{t("act.cancel")}</Button>
            <Button tone="danger" busy={remove.isPending} onClick={() => (asked ? remove.mutate(asked.id) : undefined)}>
              {t("files.take")}
            </Button>
          </>
        }
      >
        <p>{t("files.removeText")}</p>
      </Dialog>
    </div>
  );
}
