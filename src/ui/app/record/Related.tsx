// What belongs to a record: lists of records that point to it, and many-to-many relations. Each shows how many there are, the
// first five, how to add one, and leads to the whole list with the parent kept as a filter.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "~/api/client";
import { errorText } from "~/api/errors";
import type { Filter, RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { Badge, Bone, Button, IconButton } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { Popover } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { Later } from "~/lib/turns";
import { pointingHere } from "~/model/layouts";
import { fieldLabel, objectLabel, said, stageField, titleOf, useMetas, type Meta } from "~/model/meta";
import { show } from "~/shell/stage";
import { RecordPicker } from "~/value/RecordPicker";
import { Value } from "~/value/Value";
import css from "./record.module.css";

const FIRST = 5;

function Lines({ meta, items }: { meta: Meta; items: { record: RecordView; note?: string }[] }) {
  const stage = stageField(meta);
  return items.map(({ record, note }) => (
    <Link key={record.id} to="/o/$object/$id" params={{ object: meta.name, id: record.id }} className={css.relatedRow}>
      <span className="clip">{titleOf(meta, record)}</span>
      <span className="faint clip">{note ?? (meta.fields.has("amount") ? <Value meta={meta} path="amount" record={record} /> : stage ? <Value meta={meta} path={stage.name} record={record} /> : null)}</span>
    </Link>
  ));
}

function Pointing({ meta, record, object, field }: { meta: Meta; record: RecordView; object: string; field: string }) {
  const t = useT();
  const metas = useMetas();
  const other = metas.get(object);
  const filter: Filter = { and: [{ field, op: "eq", value: (other?.fields.get(field)?.targets?.length ?? 1) > 1 ? { object: meta.name, id: record.id } : record.id }] };
  const stage = other ? stageField(other)?.name : undefined;
  const fields = other ? [other.titleField, ...(stage ? [stage] : []), ...(other.fields.has("amount") ? ["amount"] : []), "number"].filter((name) => other.fields.has(name)) : [];
  const { data, error } = useQuery({
    queryKey: ["list", object, "related", record.id, field],
    queryFn: ({ signal }) => call("record_query", { params: { object }, body: { filter, fields, sort: ["-updated_at"], limit: FIRST, count: "estimate" }, signal }),
    enabled: other !== undefined,
  });
  if (!other) return null;
  // `account` of an opportunity needs no more words than "Opportunities"; `partner` does.
  const plain = field === meta.name || fieldLabel(other, field) === objectLabel(meta);
  const name = plain ? objectLabel(other, true) : `${objectLabel(other, true)} · ${fieldLabel(other, field)}`;
  if (!plain && data && data.items.length === 0) return null;
  return (
    <section className={css.related} aria-label={name}>
      <div className={css.relatedHead}>
        <h2 className="clip">
          <Link to="/o/$object" params={{ object }} search={{ f: JSON.stringify(filter) }} style={{ color: "inherit" }}>
            {name}
          </Link>
        </h2>
        <span className="faint num">{data?.count === undefined ? "" : number(data.count)}</span>
        {other.may.create ? <IconButton small icon="plus" label={t("list.create", { object: objectLabel(other) })} onClick={() => show({ what: "create", object, preset: { [field]: (other.fields.get(field)?.targets?.length ?? 1) > 1 ? { object: meta.name, id: record.id } : record.id, ...(object !== "contact" && meta.name === "contact" && record.fields["account"] && other.fields.has("account") ? { account: record.fields["account"] } : {}) } })} /> : <span />}
      </div>
      {error ? <p className="soft">{errorText(error)}</p> : null}
      {!data && !error ? <Bone width={140} /> : null}
      {data ? <Lines meta={other} items={data.items.map((one) => ({ record: one }))} /> : null}
      {data?.next ? (
        <Link to="/o/$object" params={{ object }} search={{ f: JSON.stringify(filter) }}>
          {t("related.all")}
        </Link>
      ) : null}
    </section>
  );
}

function Linked({ meta, record, relation, object, twin = false }: { meta: Meta; record: RecordView; relation: string; object: string; twin?: boolean }) {
  const t = useT();
  const metas = useMetas();
  const client = useQueryClient();
  const [adding, setAdding] = useState(false);
  const other = metas.get(object);
  const params = { object: meta.name, id: record.id, relation };
  const { data, error } = useQuery({ queryKey: ["links", record.id, relation], queryFn: ({ signal }) => call("record_links", { params, signal }) });
  const changed = {
    onSuccess: () => client.invalidateQueries({ queryKey: ["links", record.id, relation] }),
    onError: (wrong: unknown) => void toast(errorText(wrong), { tone: "bad" }),
  };
  const link = useMutation({ mutationFn: (id: string) => call("record_link", { params, body: { record: id } }), ...changed });
  const unlink = useMutation({ mutationFn: (id: string) => call("record_unlink", { params: { ...params, other: id } }), ...changed });
  if (!other) return null;
  const definition = meta.view.definition.links?.find((one) => one.name === relation) ?? other.view.definition.links?.find((one) => one.inverse === relation);
  const own = meta.view.definition.links?.some((one) => one.name === relation);
  const plain = own && definition ? said(definition.label) : objectLabel(other, true);
  // Beside the list of those that point here it says what is different about it.
  const name = twin ? t("related.linked", { name: plain }) : plain;
  const role = (code: string | null) => {
    const option = definition?.roles?.find((one) => one.code === code);
    return option ? said(option.label) : "";
  };
  return (
    <section className={css.related} aria-label={name}>
      <div className={css.relatedHead}>
        <h2 className="clip">{name}</h2>
        <span className="faint num">{data ? number(data.items.length) : ""}</span>
        {meta.may.update ? (
          <Popover open={adding} onOpen={setAdding} width={280} align="end" label={t("related.add", { name })} target={<IconButton small icon="plus" label={t("related.add", { name })} aria-expanded={adding} onClick={() => setAdding(!adding)} />}>
            <RecordPicker
              objects={[object]}
              value={null}
              label={t("related.add", { name })}
              onChange={(picked) => {
                setAdding(false);
                if (picked) link.mutate(picked.id);
              }}
            />
          </Popover>
        ) : (
          <span />
        )}
      </div>
      {error ? <p className="soft">{errorText(error)}</p> : null}
      {object === "tag" ? (
        <div className={css.tags}>
          {data?.items.map((one) => (
            <Badge key={one.record.id} icon="tag">
              {titleOf(other, one.record)}
              {meta.may.update ? (
                <button type="button" className={css.untag} aria-label={t("related.remove", { name: titleOf(other, one.record) })} onClick={() => unlink.mutate(one.record.id)}>
                  <Icon name="close" size={10} />
                </button>
              ) : null}
            </Badge>
          ))}
        </div>
      ) : data ? (
        <Lines meta={other} items={data.items.slice(0, FIRST * 2).map((one) => ({ record: one.record, note: role(one.role) }))} />
      ) : null}
    </section>
  );
}

export function Related({ meta, record }: { meta: Meta; record: RecordView }) {
  const metas = useMetas();
  const [more, setMore] = useState(false);
  const t = useT();
  const pointing = pointingHere(meta, metas);
  const links = Object.entries(meta.view.relations).filter(([, object]) => metas.get(object)?.may.read);
  const shown = more ? pointing : pointing.slice(0, 6);
  return (
    <>
      {links.filter(([, object]) => object === "tag").map(([relation, object]) => (
        <Later key={relation}>
          <Linked meta={meta} record={record} relation={relation} object={object} />
        </Later>
      ))}
      {shown.map((one) => (
        <Later key={`${one.object}.${one.field}`}>
          <Pointing meta={meta} record={record} object={one.object} field={one.field} />
        </Later>
      ))}
      {links.filter(([, object]) => object !== "tag").map(([relation, object]) => (
        <Later key={relation}>
          <Linked meta={meta} record={record} relation={relation} object={object} twin={pointing.some((one) => one.object === object)} />
        </Later>
      ))}
      {pointing.length > shown.length ? (
        <div className={css.related}>
          <Button small tone="quiet" onClick={() => setMore(true)}>
            {t("related.more")}
          </Button>
        </div>
      ) : null}
    </>
  );
}
