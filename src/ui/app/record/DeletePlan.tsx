// What a delete would do to the records that point here, asked of the server before anything is deleted; and why it would be
// refused, where it would.

import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { call } from "~/api/client";
import { errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { Bone } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { fieldLabel, objectLabel, useMetas, type Meta } from "~/model/meta";
import css from "./merge.module.css";

export function DeletePlan({ meta, record, onBlocked }: { meta: Meta; record: RecordView; onBlocked: (why: string | undefined) => void }) {
  const t = useT();
  const metas = useMetas();
  const { data, error, isPending } = useQuery({
    queryKey: ["delete-plan", meta.name, record.id, record.version],
    queryFn: ({ signal }) => call("record_delete", { params: { object: meta.name, id: record.id }, query: { plan: true }, version: record.version, signal }),
    retry: false,
    gcTime: 0,
  });
  const wrong = error ? refusalOf(error) : null;
  const why = wrong ? errorText(wrong) : undefined;
  useEffect(() => {
    onBlocked(why);
    return () => onBlocked(undefined);
  }, [why, onBlocked]);
  if (wrong) {
    return (
      <div className={css.wrong} role="alert">
        <Icon name="warn" />
        <div>
          <strong>{why}</strong>
          <p>{wrong.detail}</p>
        </div>
      </div>
    );
  }
  if (isPending || !data) return <Bone width={260} height={34} />;
  if (data.affected.length === 0) return <p className="soft">{t("record.nothingTouched")}</p>;
  return (
    <ul className={css.follows} aria-label={t("merge.happens")}>
      {data.affected.map((one) => {
        const other = metas.get(one.object);
        return (
          <li key={`${one.object} ${one.field}`}>
            <Icon name={one.effect === "cascaded" ? "trash" : "link"} size={12} />
            <strong className="num">{number(one.count)}</strong> {objectLabel(other, true) || one.object}
            <span className="soft">{t(one.effect === "cascaded" ? "record.goesAlong" : "record.loosesField", { field: other ? fieldLabel(other, one.field) : one.field })}</span>
          </li>
        );
      })}
    </ul>
  );
}
