// Who changed this field, when, and from what to what; read from the log when somebody asks.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "~/api/client";
import type { FieldDef, Json, Move, RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { ago, moment } from "~/i18n/format";
import { Bone, IconButton } from "~/lib/basics";
import { Popover } from "~/lib/overlays";
import { referenceOf, said, type Meta } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { useTitle } from "~/value/title";
import { plain } from "~/value/Value";
import css from "./record.module.css";

/** The name of a user of the log. */
export function Person({ id }: { id: string | null }) {
  const t = useT();
  const system = !id || id.startsWith("00000000-");
  const title = useTitle(system ? null : { object: "user", id });
  return <>{system ? t("value.appliance") : title}</>;
}

function Referenced({ field, value }: { field: FieldDef; value: Json }) {
  const to = referenceOf(field, value);
  const title = useTitle(to);
  return <>{title}</>;
}

/** One side of a change. */
export function Side({ field, value }: { field: FieldDef | undefined; value: Json | undefined }) {
  const t = useT();
  if (value === undefined || value === null || value === "") return <span className="faint">{t("value.nothing")}</span>;
  if (field?.type === "reference") return <Referenced field={field} value={value} />;
  return <span>{field ? plain(field, value, t) : String(value)}</span>;
}

export function MoveText({ field, move }: { field: FieldDef | undefined; move: Move }) {
  const t = useT();
  if (move.hidden) return <span className="faint">{t("history.hidden")}</span>;
  return (
    <span className={css.move}>
      {"before" in move ? (
        <>
          <del>
            <Side field={field} value={move.before} />
          </del>
          <span aria-hidden> → </span>
        </>
      ) : null}
      <ins>
        <Side field={field} value={move.after} />
      </ins>
    </span>
  );
}

function Story({ meta, record, field }: { meta: Meta; record: RecordView; field: FieldDef }) {
  const t = useT();
  const { data, error, refetch } = useQuery({ queryKey: ["history", record.id], queryFn: ({ signal }) => call("record_history", { params: { object: meta.name, id: record.id }, signal }), staleTime: 10_000 });
  if (error) return <Trouble error={error} retry={() => void refetch()} />;
  if (!data) return <Bone width={200} />;
  const moves = data.items.flatMap((item) => item.changes.filter((change) => change.field === field.name).map((change) => ({ item, change })));
  if (moves.length === 0) return <p className="soft">{t("history.none")}</p>;
  return (
    <ol className={css.story}>
      {moves.map(({ item, change }) => (
        <li key={item.seq}>
          <MoveText field={field} move={change} />
          <span className="faint" title={moment(item.at)}>
            <Person id={item.user} /> · {ago(item.at)}
          </span>
        </li>
      ))}
    </ol>
  );
}

export function HistoryButton({ meta, record, field }: { meta: Meta; record: RecordView; field: FieldDef }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  const label = t("history.of", { field: said(field.label) });
  return (
    <Popover open={open} onOpen={setOpen} width={320} label={label} target={<IconButton small icon="history" label={label} aria-expanded={open} onClick={() => setOpen(!open)} />}>
      <p className={css.storyTitle}>{label}</p>
      {open ? <Story meta={meta} record={record} field={field} /> : null}
    </Popover>
  );
}
