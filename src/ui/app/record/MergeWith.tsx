// Which record this one is the same as: those that agree with it in what tells records apart, or one that somebody knows.

import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { RecordView } from "~/api/types.gen";
import { DuplicateNote } from "~/form/DuplicateNote";
import { useDuplicates } from "~/form/duplicates";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { Dialog } from "~/lib/overlays";
import { objectLabel, titleOf, type Meta } from "~/model/meta";
import { RecordPicker } from "~/value/RecordPicker";
import type { Picked } from "~/value/title";
import css from "./merge.module.css";

export function MergeWith({ meta, record, onClose }: { meta: Meta; record: RecordView; onClose: () => void }) {
  const t = useT();
  const navigate = useNavigate();
  const [picked, setPicked] = useState<Picked | null>(null);
  const found = useDuplicates(meta, record.fields, record.id);
  const itself = picked?.id === record.id;
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("merge.with", { name: titleOf(meta, record) })}
      closeLabel={t("act.close")}
      foot={
        <>
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button tone="primary" blocked={!picked ? t("merge.pick") : itself ? t("merge.itself") : undefined} onClick={() => (picked ? void navigate({ to: "/merge/$object", params: { object: meta.name }, search: { ids: `${record.id},${picked.id}` } }) : undefined)}>
            {t("merge.compare")}
          </Button>
        </>
      }
    >
      <div className={css.with}>
        <DuplicateNote meta={meta} found={found} mergeInto={record.id} />
        <RecordPicker objects={[meta.name]} value={picked} onChange={setPicked} label={t("merge.other", { object: objectLabel(meta) })} autoFocus />
      </div>
    </Dialog>
  );
}
