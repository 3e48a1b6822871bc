// Several records of one object become one: side by side, field by field, with what will follow the one that stays. What it does is
// asked of the server each time the choice changes, and nothing happens before it is said so once more.

import { keepPreviousData, useMutation, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Confirm } from "~/admin/Page";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { limits, type FieldDef, type Json, type Merged, type RecordView } from "~/api/types.gen";
import { useT } from "~/i18n";
import { ago, number } from "~/i18n/format";
import { Bone, Button } from "~/lib/basics";
import { CheckField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { toast } from "~/lib/toasts";
import { layoutOf } from "~/model/layouts";
import { canSet, fieldLabel, objectLabel, said, titleOf, useMetas, type Meta, type Metas } from "~/model/meta";
import { NotFound, Trouble } from "~/pages/Trouble";
import { PageTitle } from "~/shell/PageTitle";
import { Value } from "~/value/Value";
import { fieldsOf, recordKey } from "./data";
import css from "./merge.module.css";

const MERGED_MAX = limits.MERGE_LOSERS_MAX + 1;

type Choice = { [field: string]: string };

function isEmpty(value: Json | undefined): boolean {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}

/** Whether the value is read in full there: what is masked or only known to exist cannot be taken over. */
function isRead(record: RecordView, field: string): boolean {
  return record.reduced?.[field] === undefined;
}

function differs(records: RecordView[], field: string): boolean {
  const shown = (record: RecordView) => JSON.stringify([record.fields[field] ?? null, record.reduced?.[field] ?? null]);
  return records.some((record) => shown(record) !== shown(records[0] as RecordView));
}

/** What the survivor lacks comes from the first that has it, until somebody chooses otherwise. */
function usual(meta: Meta, records: RecordView[], into: string): Choice {
  const stays = records.find((record) => record.id === into);
  const choice: Choice = {};
  for (const field of meta.fields.values()) {
    if (!stays || !canSet(meta, field) || !isRead(stays, field.name) || !isEmpty(stays.fields[field.name])) continue;
    const giver = records.find((record) => record !== stays && isRead(record, field.name) && !isEmpty(record.fields[field.name]) && !points(record.fields[field.name], records));
    if (giver) choice[field.name] = giver.id;
  }
  return choice;
}

/** Whether the value leads to one of the records themselves. */
function points(value: Json | undefined, records: RecordView[]): boolean {
  const text = JSON.stringify(value ?? null);
  return records.some((record) => text.includes(record.id));
}

function Rows({ meta, records, into, choice, all, onChoose }: { meta: Meta; records: RecordView[]; into: string; choice: Choice; all: boolean; onChoose: (field: string, id: string) => void }) {
  const t = useT();
  const fields = [...new Set(layoutOf(meta).sections.flatMap((section) => section.fields))].flatMap((name) => meta.fields.get(name) ?? []).filter((field) => canSet(meta, field) || records.some((record) => !isRead(record, field.name)));
  const shown = fields.filter((field) => (all ? records.some((record) => !isRead(record, field.name) || !isEmpty(record.fields[field.name])) : differs(records, field.name)));
  const cannot = (record: RecordView, field: FieldDef) => {
    if (record.id === into) return undefined;
    if (!canSet(meta, field)) return t("merge.notYours");
    if (!isRead(record, field.name)) return t("merge.masked");
    return points(record.fields[field.name], records) ? t("merge.itself") : undefined;
  };
  return (
    <tbody>
      {shown.map((field) => (
        <tr key={field.name} data-field={field.name}>
          <th scope="row">{said(field.label)}</th>
          {records.map((record) => {
            const why = cannot(record, field);
            const on = (choice[field.name] ?? into) === record.id;
            return (
              <td key={record.id} data-on={on || undefined}>
                <label title={why}>
                  <input type="radio" name={`take-${field.name}`} aria-label={t("merge.take", { field: said(field.label), name: titleOf(meta, record) })} checked={on} disabled={why !== undefined} onChange={() => onChoose(field.name, record.id)} />
                  <span>
                    <Value meta={meta} path={field.name} record={record} full />
                    {why && record.reduced?.[field.name] !== undefined ? <span className={css.why}>{why}</span> : null}
                  </span>
                </label>
              </td>
            );
          })}
        </tr>
      ))}
      {shown.length === 0 ? (
        <tr>
          <td colSpan={records.length + 1} className="soft">
            {t("merge.same")}
          </td>
        </tr>
      ) : null}
    </tbody>
  );
}

function Follows({ meta, metas, plan, names }: { meta: Meta; metas: Metas; plan: Merged; names: string }) {
  const t = useT();
  const by = (object: string, name: string) => {
    const other = metas.get(object);
    return other?.fields.has(name) ? fieldLabel(other, name) : said(meta.view.definition.links?.find((link) => link.name === name)?.label) || name;
  };
  return (
    <ul className={css.follows}>
      {plan.moved.map((one) => (
        <li key={`${one.object} ${one.by}`}>
          <Icon name="right" size={12} />
          <strong className="num">{number(one.count)}</strong> {objectLabel(metas.get(one.object), true) || one.object} <span className="faint">{by(one.object, one.by)}</span>
        </li>
      ))}
      {plan.files > 0 ? (
        <li>
          <Icon name="right" size={12} />
          <strong className="num">{number(plan.files)}</strong> {t("files.title")}
        </li>
      ) : null}
      {plan.moved.length === 0 && plan.files === 0 ? <li className="soft">{t("merge.nothingMoves")}</li> : null}
      <li>
        <Icon name="trash" size={12} />
        {t("merge.toBin", { names })}
      </li>
      {plan.kept.length > 0 ? (
        <li>
          <Icon name="eyeoff" size={12} />
          {t("merge.kept", { fields: plan.kept.map((name) => fieldLabel(meta, name)).join(", ") })}
        </li>
      ) : null}
      {plan.unseen ? (
        <li>
          <Icon name="eyeoff" size={12} />
          {t("merge.unseen")}
        </li>
      ) : null}
      <li>
        <Icon name="warn" size={12} />
        {t("merge.noUndo")}
      </li>
    </ul>
  );
}

function MergeOf({ meta, records }: { meta: Meta; records: RecordView[] }) {
  const t = useT();
  const metas = useMetas();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { into: wanted } = useSearch({ from: "/shell/merge/$object" });
  const into = records.some((record) => record.id === wanted) ? (wanted as string) : (records[0]?.id ?? "");
  const [chosen, setChosen] = useState<Choice>({});
  const [all, setAll] = useState(false);
  const [sure, setSure] = useState(false);
  const choice = { ...usual(meta, records, into), ...chosen };
  const stays = records.find((record) => record.id === into);
  const others = records.filter((record) => record.id !== into);
  const fields = Object.fromEntries(Object.entries(choice).filter(([, id]) => id !== into));
  const body = { losers: others.map(({ id, version }) => ({ id, version })), fields };
  const plan = useQuery({
    queryKey: ["merge", meta.name, into, stays?.version, JSON.stringify(body)],
    queryFn: ({ signal }) => call("record_merge", { params: { object: meta.name, id: into }, query: { plan: true }, body, version: stays?.version ?? 0, signal }),
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 0,
  });
  const run = useMutation({
    mutationFn: () => call("record_merge", { params: { object: meta.name, id: into }, body, version: stays?.version ?? 0 }),
    onSuccess: () => {
      for (const record of records) void client.invalidateQueries({ queryKey: recordKey(meta.name, record.id) });
      for (const key of ["list", "timeline", "related", "title"]) void client.invalidateQueries({ queryKey: [key] });
      toast(t("merge.done", { name: stays ? titleOf(meta, stays) : "" }), { tone: "good" });
      void navigate({ to: "/o/$object/$id", params: { object: meta.name, id: into }, replace: true });
    },
    onError: () => setSure(false),
  });
  const wrong = run.error ?? plan.error;
  const names = others.map((record) => titleOf(meta, record)).join(", ");
  const failed = wrong ? refusalOf(wrong) : null;
  return (
    <>
      <div className={css.scroll} tabIndex={0} role="group" aria-label={t("merge.title", { objects: objectLabel(meta, true) })}>
        <table className={css.table}>
          <thead>
            <tr>
              <th scope="col">{t("filter.field")}</th>
              {records.map((record) => (
                <th key={record.id} scope="col" data-stays={record.id === into || undefined}>
                  <Link to="/o/$object/$id" params={{ object: meta.name, id: record.id }}>
                    {titleOf(meta, record)}
                  </Link>
                  <span className={css.about}>
                    {[record.fields["number"], record.fields["owner.display_name"]].filter((one) => typeof one === "string" && one).join(" · ")}
                    {typeof record.fields["updated_at"] === "string" ? ` · ${ago(record.fields["updated_at"])}` : ""}
                  </span>
                  <label>
                    <input type="radio" name="stays" checked={record.id === into} onChange={() => void navigate({ to: ".", search: (before: { ids?: string }) => ({ ...before, into: record.id }), replace: true })} />
                    {t("merge.stays")}
                  </label>
                </th>
              ))}
            </tr>
          </thead>
          <Rows meta={meta} records={records} into={into} choice={choice} all={all} onChoose={(field, id) => setChosen({ ...chosen, [field]: id })} />
        </table>
      </div>
      <div className={css.below}>
        <CheckField label={t("merge.all")} checked={all} onChange={setAll} />
        <section aria-labelledby="merge-follows">
          <h2 id="merge-follows">{t("merge.happens")}</h2>
          {plan.data ? <Follows meta={meta} metas={metas} plan={plan.data} names={names} /> : plan.isPending ? <Bone width={320} height={60} /> : null}
          {failed ? (
            <div className={css.wrong} role="alert">
              <Icon name="warn" />
              <div>
                <strong>{errorText(failed)}</strong>
                <p>{failed.errors[0]?.detail ?? failed.detail}</p>
                <span className="faint num">{errorNote(failed)}</span>
              </div>
            </div>
          ) : null}
        </section>
        <div className={css.acts}>
          <Button onClick={() => history.back()}>{t("act.cancel")}</Button>
          <Button tone="primary" busy={run.isPending} blocked={plan.error ? errorText(plan.error) : !plan.data || plan.isPlaceholderData ? t("merge.looking") : undefined} onClick={() => setSure(true)}>
            {t("merge.go")}
          </Button>
        </div>
      </div>
      <Confirm open={sure} title={t("merge.sure", { name: stays ? titleOf(meta, stays) : "" })} act={t("merge.go")} danger busy={run.isPending} onClose={() => setSure(false)} onAct={() => run.mutate()}>
        <p>{t("merge.sureText", { names })}</p>
      </Confirm>
    </>
  );
}

function Loading({ meta, ids }: { meta: Meta; ids: string[] }) {
  const metas = useMetas();
  const found = useQueries({
    queries: ids.map((id) => ({ queryKey: recordKey(meta.name, id), queryFn: ({ signal }: { signal: AbortSignal }) => call("record_open", { params: { object: meta.name, id }, query: { fields: fieldsOf(meta, metas) }, signal }), retry: false })),
  });
  const failed = found.find((one) => one.error);
  if (failed) return <Trouble error={failed.error} retry={() => void failed.refetch()} />;
  const records = found.flatMap((one) => one.data ?? []);
  if (records.length < ids.length) return <Bone height={240} />;
  return <MergeOf meta={meta} records={records} />;
}

export default function MergePage() {
  const t = useT();
  const { object } = useParams({ from: "/shell/merge/$object" });
  const { ids = "" } = useSearch({ from: "/shell/merge/$object" });
  const meta = useMetas().get(object);
  const wanted = [...new Set(ids.split(",").filter(Boolean))].slice(0, MERGED_MAX);
  if (!meta || wanted.length < 2) return <NotFound />;
  const title = t("merge.title", { objects: objectLabel(meta, true) });
  return (
    <div className={css.page}>
      <nav className={css.crumbs} aria-label={t("record.crumbs")}>
        <Link to="/o/$object" params={{ object }}>
          {objectLabel(meta, true)}
        </Link>
        <Icon name="right" size={10} />
      </nav>
      <PageTitle title={title} className={css.title}>
        {title}
      </PageTitle>
      <p className={css.lead}>{t("merge.lead")}</p>
      <Loading meta={meta} ids={wanted} />
    </div>
  );
}
