// Makes a record without leaving the page: the short form in a dialog, with all fields at hand.

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import type { Json } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { objectLabel, titleOf, useMetas } from "~/model/meta";
import { show } from "~/shell/stage";
import { RecordForm } from "./RecordForm";

export default function QuickCreate({ object, preset }: { object: string; preset?: { [field: string]: unknown } | undefined }) {
  const t = useT();
  const id = useId();
  const metas = useMetas();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [busy, setBusy] = useState(false);
  const meta = metas.get(object);
  if (!meta) return null;
  const close = () => show({ what: "none" });
  return (
    <Dialog
      open
      onClose={close}
      title={t("list.create", { object: objectLabel(meta) })}
      closeLabel={t("act.close")}
      size="wide"
      easy={false}
      foot={
        <>
          <Button onClick={close}>{t("act.cancel")}</Button>
          <Button busy={busy} onClick={() => document.getElementById(id)?.querySelector<HTMLButtonElement>("[data-then=another]")?.click()}>
            {t("form.another")}
          </Button>
          <Button tone="primary" type="submit" form={id} busy={busy}>
            {busy ? t("form.saving") : t("form.create")}
          </Button>
        </>
      }
    >
      <RecordForm
        meta={meta}
        id={id}
        preset={(preset ?? {}) as { [field: string]: Json }}
        onBusy={setBusy}
        onSaved={(record, then) => {
          void client.invalidateQueries({ queryKey: ["list", object] });
          void client.invalidateQueries({ queryKey: ["timeline"] });
          if (then === "open") {
            close();
            void navigate({ to: "/o/$object/$id", params: { object, id: record.id } });
          } else {
            if (then === "stay") close();
            toast(t("form.created", { name: titleOf(meta, record) }), { tone: "good", action: { label: t("act.open"), act: () => void navigate({ to: "/o/$object/$id", params: { object, id: record.id } }) } });
          }
        }}
      />
    </Dialog>
  );
}
