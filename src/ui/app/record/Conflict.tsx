// Somebody else was quicker: for each field that differs, what it was, what they made of it, and what I wanted. Nothing was
// overwritten; one chooses field by field and sends again.

import { useState } from "react";
import type { Difference } from "~/api/problem";
import type { RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { Dialog } from "~/lib/overlays";
import { said, type Meta } from "~/model/meta";
import type { Change } from "./data";
import { Side } from "./History";
import css from "./record.module.css";

export type Clash = { change: Change; version: number; differences: Difference[]; base: RecordView; done: (saved: boolean) => void };

export function Conflict({ meta, clash, onSend, onClose }: { meta: Meta; clash: Clash; onSend: (change: Change, version: number) => void; onClose: () => void }) {
  const t = useT();
  const [mine, setMine] = useState<ReadonlySet<string>>(new Set(clash.differences.map((one) => one.field)));
  const choose = (field: string, keep: boolean) => {
    const next = new Set(mine);
    if (keep) next.add(field);
    else next.delete(field);
    setMine(next);
  };
  const send = () => {
    const theirs = new Set(clash.differences.filter((one) => !mine.has(one.field)).map((one) => one.field));
    onSend(Object.fromEntries(Object.entries(clash.change).filter(([field]) => !theirs.has(field))), clash.version);
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("conflict.title")}
      closeLabel={t("act.close")}
      size="wide"
      easy={false}
      foot={
        <>
          <Button onClick={onClose}>{t("conflict.drop")}</Button>
          <Button tone="primary" onClick={send}>
            {t("conflict.save")}
          </Button>
        </>
      }
    >
      <p className="soft">{t("conflict.text")}</p>
      <table className={css.three}>
        <thead>
          <tr>
            <th scope="col">{t("filter.field")}</th>
            <th scope="col">{t("conflict.mine")}</th>
            <th scope="col">{t("conflict.theirs")}</th>
            <th scope="col">{t("conflict.base")}</th>
          </tr>
        </thead>
        <tbody>
          {clash.differences.map((one) => {
            const field = meta.fields.get(one.field);
            const name = field ? said(field.label) : one.field;
            return (
              <tr key={one.field}>
                <th scope="row">{name}</th>
                <td>
                  <label>
                    <input type="radio" name={`keep-${one.field}`} checked={mine.has(one.field)} onChange={() => choose(one.field, true)} />
                    <Side field={field} value={one.yours} />
                  </label>
                </td>
                <td>
                  <label>
                    <input type="radio" name={`keep-${one.field}`} checked={!mine.has(one.field)} onChange={() => choose(one.field, false)} />
                    <Side field={field} value={one.theirs} />
                  </label>
                </td>
                <td>
                  <Side field={field} value={clash.base.fields[one.field]} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Dialog>
  );
}
