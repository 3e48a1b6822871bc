// What can be done with the selected rows, or with all that match. Each says what it would do before it does anything; then the
// server goes on by itself and tells how each row went, and it can be taken back.

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { useMe } from "~/api/session";
import { limits, type BulkRequest, type Json } from "~/api/types.gen";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { Button } from "~/lib/basics";
import { Framed, SelectField } from "~/lib/fields";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { toFilter } from "~/model/filter";
import { canSet, objectLabel, said, useMetas, type Meta } from "~/model/meta";
import { FieldInput } from "~/value/FieldInput";
import { RecordPicker } from "~/value/RecordPicker";
import { type Picked } from "~/value/title";
import { BulkPreview, usePreview } from "./BulkPreview";
import { showJob } from "./jobs";
import type { Selection } from "./selection";
import type { ListState } from "./state";
import css from "./list.module.css";

type Act = "edit" | "assign" | "delete" | "restore" | "tag";
type Change = BulkRequest["change"];

const MERGED_MAX = limits.MERGE_LOSERS_MAX + 1;
/** Users, teams and units decide about rights: they are changed one by one. */
const ONE_BY_ONE = ["user", "team", "unit"];

/** Which field of all selected rows becomes what. */
function FieldChange({ meta, onChange }: { meta: Meta; onChange: (fields: { [name: string]: Json } | null) => void }) {
  const t = useT();
  const fields = [...meta.fields.values()].filter((field) => canSet(meta, field) && !field.unique && field.name !== meta.titleField && field.name !== "owner");
  const [name, setName] = useState("");
  const [value, setValue] = useState<Json>(null);
  const field = meta.fields.get(name);
  const give = (chosen: string, now: Json) => {
    setName(chosen);
    setValue(now);
    const wanted = meta.fields.get(chosen);
    onChange(wanted && !(wanted.required && now === null) ? { [chosen]: now } : null);
  };
  return (
    <>
      <SelectField label={t("filter.field")} empty={t("bulk.whichField")} value={name} choices={fields.map((one) => ({ value: one.name, label: said(one.label) }))} onChange={(event) => give(event.target.value, null)} data-autofocus />
      {field ? (
        <Framed label={t("bulk.becomes")} hint={value === null && !field.required ? t("bulk.empties") : undefined}>
          {({ id, describedBy }) => <FieldInput key={name} field={field} id={id} describedBy={describedBy} value={value} onChange={(now) => give(name, now)} />}
        </Framed>
      ) : null}
    </>
  );
}

type Props = {
  meta: Meta;
  state: ListState;
  selection: Selection;
  /** Whether more match than are loaded. */
  more: boolean;
  count: number | undefined;
  onCount: () => void;
  loaded: number;
};

export function BulkBar({ meta, state, selection, more, count, onCount, loaded }: Props) {
  const t = useT();
  const me = useMe();
  const metas = useMetas();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [act, setAct] = useState<Act | null>(null);
  const [picked, setPicked] = useState<Picked | null>(null);
  const [fields, setFields] = useState<{ [name: string]: Json } | null>(null);
  const deleted = Boolean(state.search.deleted);
  const oneByOne = ONE_BY_ONE.includes(meta.name);
  const ids = [...selection.ids];
  const most = oneByOne ? limits.BULK_RECORDS_MAX : limits.BULK_JOB_RECORDS_MAX;
  const many = selection.every ? (count ?? 0) : ids.length;
  const blocked = !me.actions.includes("bulk") ? t("bulk.denied") : many > most ? t("bulk.many", { count: most }) : undefined;

  const change = ((): Change | null => {
    if (act === "edit") return fields ? { action: "update", fields } : null;
    if (act === "assign") return picked ? { action: "assign", owner: picked.id } : null;
    if (act === "tag") return picked ? { action: "tag", tag: picked.id } : null;
    return act ? { action: act } : null;
  })();
  const target = selection.every ? { filter: toFilter(state.filter) ?? { and: [] }, ...(state.search.q ? { q: state.search.q } : {}) } : { ids };
  const request: BulkRequest | null = change ? { change, ...target } : null;
  const preview = usePreview(meta.name, act && !oneByOne ? request : null);
  const close = () => setAct(null);
  const send = useMutation({
    mutationFn: async (body: BulkRequest) => {
      if (!oneByOne) return showJob(meta.name, (await call("bulk_job", { params: { object: meta.name }, body })).id);
      const result = await call("record_bulk", { params: { object: meta.name }, body });
      const wrong = result.rows.find((row) => row.outcome === "failed");
      if (wrong) toast(t("bulk.failed", { count: result.failed }), { tone: "bad", note: wrong.detail ?? wrong.code ?? "" });
      if (result.done > 0) toast(t("bulk.done", { count: result.done }), { tone: "good" });
      void client.invalidateQueries({ queryKey: ["list", meta.name] });
    },
    onError: (error) => toast(errorText(error), { tone: "bad", note: errorNote(error) }),
    onSuccess: () => {
      close();
      selection.clear();
    },
  });
  const begin = (wanted: Act) => {
    setPicked(null);
    setFields(null);
    setAct(wanted);
  };
  const titles = { edit: t("bulk.edit"), assign: t("bulk.assign"), tag: t("bulk.tag"), delete: t("bulk.delete"), restore: t("bulk.restore") };
  const offered: Act[] = deleted
    ? ["restore"]
    : [...(meta.may.update ? ["edit" as const] : []), ...(meta.may.assign ? ["assign" as const] : []), ...(meta.view.relations["tags"] && meta.may.update ? ["tag" as const] : []), ...(meta.may.delete ? ["delete" as const] : [])];
  const tried = preview.data;
  const waits = !request ? t("bulk.pick") : oneByOne ? undefined : preview.error ? errorText(preview.error) : !tried ? t("bulk.trying") : tried.change === 0 && tried.tried === tried.count ? t("bulk.nothing") : undefined;
  const objects = objectLabel(meta, true);
  return (
    <div className={css.selected} role="group" aria-label={t("bulk.label")}>
      <strong className="num" aria-live="polite">
        {!selection.every ? t("bulk.selected", { count: ids.length }) : count === undefined ? t("bulk.everySelected") : t("bulk.everyOf", { number: number(count) })}
      </strong>
      {more && !selection.every && !oneByOne && ids.length >= loaded ? (
        <Button
          small
          tone="quiet"
          onClick={() => {
            selection.everything();
            onCount();
          }}
        >
          {t("bulk.every", { objects })}
        </Button>
      ) : null}
      {offered.map((one) => (
        <Button key={one} small tone={one === "delete" ? "danger" : "plain"} blocked={blocked} onClick={() => begin(one)}>
          {titles[one]}
        </Button>
      ))}
      {!deleted && !oneByOne && meta.may.update && meta.may.delete ? (
        <Button
          small
          blocked={selection.every || ids.length > MERGED_MAX ? t("bulk.mergeMany", { count: MERGED_MAX }) : ids.length < 2 ? t("bulk.mergeTwo") : undefined}
          onClick={() => void navigate({ to: "/merge/$object", params: { object: meta.name }, search: { ids: ids.join(",") } })}
        >
          {t("bulk.merge")}
        </Button>
      ) : null}
      <Button small tone="quiet" onClick={selection.clear}>
        {t("bulk.clear")}
      </Button>
      <Dialog
        open={act !== null}
        onClose={close}
        title={act ? titles[act] : ""}
        closeLabel={t("act.close")}
        easy={act !== "edit"}
        foot={
          <>
            <Button onClick={close}>{t("act.cancel")}</Button>
            <Button tone={act === "delete" ? "danger" : "primary"} busy={send.isPending} blocked={waits} onClick={() => (request ? send.mutate(request) : undefined)}>
              {act ? titles[act] : ""}
            </Button>
          </>
        }
      >
        <div className={css.editor}>
          <p>{selection.every && count === undefined ? t("bulk.touchesEvery", { objects }) : t("bulk.touches", { number: number(many), objects })}</p>
          {act === "edit" ? <FieldChange meta={meta} onChange={setFields} /> : null}
          {act === "assign" ? <RecordPicker objects={["user"]} value={picked} onChange={setPicked} label={t("bulk.owner")} autoFocus /> : null}
          {act === "tag" ? <RecordPicker objects={metas.has("tag") ? ["tag"] : []} value={picked} onChange={setPicked} label={t("bulk.tagName")} autoFocus /> : null}
          {act === "delete" ? <p className="soft">{t("bulk.deleteText")}</p> : null}
          {oneByOne ? null : <BulkPreview meta={meta} request={request} preview={preview} />}
        </div>
      </Dialog>
    </div>
  );
}
