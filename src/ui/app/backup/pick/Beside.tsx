// One record of a set beside what it is now: field by field, with a choice where a value can come back and the reason where it
// cannot. Trying shows what would happen; nothing is written before the last button.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { Json, Picked, PickRecord } from "~/api/types.gen";
import { Bones } from "~/admin/Page";
import { useT, type Key } from "~/i18n";
import { number } from "~/i18n/format";
import { Badge, Button, cx, libCss, State } from "~/lib/basics";
import { CheckField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { toast } from "~/lib/toasts";
import { fieldLabel, said, useMetas, type Meta } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { Side } from "~/record/History";
import { Exists, Masked, Nothing } from "~/value/Value";
import { stateOf } from "./data";
import adminCss from "~/admin/admin.module.css";
import css from "./pick.module.css";

type Field = PickRecord["fields"][number];

/** What can be chosen: a value itself, or a reference together with the record that it points to. */
const withTarget = (field: Field) => field.why === "target_gone" && (field.target?.state === "binned" || field.target?.state === "missing");
const choosable = (field: Field) => field.choosable || withTarget(field);
const json = (value: unknown) => value as Json;

function Shown({ meta, field, value, then }: { meta: Meta; field: Field; value: unknown; then: boolean }) {
  const definition = meta.fields.get(field.field);
  if (value === null || value === undefined || value === "") return <Nothing />;
  if (field.shown === "masked") return <Masked text={String(value)} />;
  if (field.shown === "exists") return <Exists exists={value === true} />;
  // A record that is gone has no name now; the set knows the one it had.
  if (then && field.target?.title) return <span className="clip">{field.target.title}</span>;
  if (!definition) return <span className="clip">{String(value)}</span>;
  return <Side field={definition} value={json(value)} />;
}

function Why({ field, onOpen }: { field: Field; onOpen: (object: string, id: string) => void }) {
  const t = useT();
  const target = field.target;
  if (field.choosable || (field.same === true && !field.why)) return null;
  if (field.same === true) return <span className={css.why}>{t("pick.same")}</span>;
  if (!field.why) return null;
  return (
    <span className={css.why}>
      {field.detail ?? t(`pick.why.${field.why}` as Key)}
      {withTarget(field) && target ? (
        <>
          {" "}
          <button type="button" className={css.link} onClick={() => onOpen(target.object, target.id)}>
            {t("pick.lookAt", { state: stateOf(t, target.state ?? "missing").text })}
          </button>
        </>
      ) : null}
    </span>
  );
}

function Fields({ meta, view, fields, chosen, onChoose, onOpen }: { meta: Meta; view: PickRecord; fields: Field[]; chosen: ReadonlySet<string>; onChoose: (names: string[], on: boolean) => void; onOpen: (object: string, id: string) => void }) {
  const t = useT();
  const metas = useMetas();
  const able = fields.filter(choosable).map((field) => field.field);
  const all = able.length > 0 && able.every((name) => chosen.has(name));
  return (
    <div className={adminCss.scroll}>
      <table className={cx(adminCss.table, css.beside)} aria-label={t("pick.comparison")}>
        <thead>
          <tr>
            <th scope="col">
              {able.length > 0 ? <CheckField label={t("pick.field")} checked={all} onChange={(on) => onChoose(able, on)} /> : t("pick.field")}
            </th>
            <th scope="col">{t("pick.then")}</th>
            <th scope="col">{view.state === "live" ? t("pick.now") : t("pick.nowOf", { state: stateOf(t, view.state).text })}</th>
          </tr>
        </thead>
        <tbody>
          {fields.map((field) => (
            <tr key={field.field} data-on={chosen.has(field.field) || undefined} data-differs={field.same === false || undefined}>
              <th scope="row">
                {choosable(field) ? (
                  <CheckField label={fieldLabel(meta, field.field, metas)} checked={chosen.has(field.field)} onChange={(on) => onChoose([field.field], on)} />
                ) : (
                  <span className={css.fixed}>{fieldLabel(meta, field.field, metas)}</span>
                )}
                <Why field={field} onOpen={onOpen} />
              </th>
              <td>
                <Shown meta={meta} field={field} value={field.then} then />
              </td>
              <td>
                <Shown meta={meta} field={field} value={field.now} then={false} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What a try would do, or what was done. */
function Outcome({ meta, done }: { meta: Meta; done: Picked }) {
  const t = useT();
  const metas = useMetas();
  const names = done.brought.map((name) => fieldLabel(meta, name, metas)).join(", ");
  const said = done.was === "live" ? (names ? "pick.did.live" : "pick.did.nothing") : done.was === "binned" ? "pick.did.binned" : "pick.did.missing";
  const left = done.left.map(([name]) => fieldLabel(meta, String(name), metas)).join(", ");
  return (
    <div className={cx(adminCss.warning, !done.dry_run && adminCss.well, css.told)} role="status">
      <Icon name={done.dry_run ? "info" : "check"} />
      <div>
        <p>
          {done.dry_run ? `${t("pick.tried")} ` : ""}
          {t(said as Key, { names: names || "–" })}
        </p>
        {done.with.length > 0 ? <p>{t("pick.did.with", { count: done.with.length })}</p> : null}
        {left ? <p>{t("pick.did.left", { names: left })}</p> : null}
        {done.number_kept === false ? <p>{t("pick.did.number")}</p> : null}
        {done.dry_run ? null : (
          <Link to="/o/$object/$id" params={{ object: done.object, id: done.id }} className={libCss.button}>
            {t("pick.openRecord")}
          </Link>
        )}
      </div>
    </div>
  );
}

function Ready({ meta, view, onOpen, onChanged }: { meta: Meta; view: PickRecord; onOpen: (object: string, id: string) => void; onChanged: () => void }) {
  const t = useT();
  const client = useQueryClient();
  const whole = view.state !== "live";
  const able = view.fields.filter((field) => field.choosable).map((field) => field.field);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(() => new Set(view.state === "missing" ? able : []));
  const [every, setEvery] = useState(false);
  const [done, setDone] = useState<Picked | null>(null);
  const bring = useMutation({
    mutationFn: (dry: boolean) => {
      const named = view.fields.filter((field) => chosen.has(field.field));
      const body = { fields: named.map((field) => field.field), with: named.filter(withTarget).map((field) => field.field), dry_run: dry };
      return call("pick_bring", { params: { object: view.object, id: view.id }, body, ...(view.version !== null ? { version: view.version } : {}) });
    },
    onSuccess: (answer) => {
      setDone(answer);
      if (answer.dry_run) return;
      setChosen(new Set());
      void client.invalidateQueries({ queryKey: ["pick", "list"] });
      void client.invalidateQueries({ queryKey: ["record"] });
      void client.invalidateQueries({ queryKey: ["list"] });
      onChanged();
    },
    onError: (error) => {
      toast(errorText(error), { tone: "bad", note: errorNote(error) });
      // Somebody was there since: look again, with nothing chosen that they may have meant.
      if (refusalOf(error).code === "version_conflict") onChanged();
    },
  });
  const choose = (names: string[], on: boolean) => {
    const next = new Set(chosen);
    for (const name of names) {
      if (on) next.add(name);
      else next.delete(name);
    }
    setChosen(next);
    setDone(null);
  };
  const empty = (value: unknown) => value === null || value === false;
  const worth = view.fields.filter((field) => field.same !== true && (field.same === false || !empty(field.then) || !empty(field.now)) && field.why !== "read_only");
  const fields = every ? view.fields : worth;
  const blocked = !view.may_bring ? t("pick.mayNot") : !whole && chosen.size === 0 ? t("pick.chooseFirst") : undefined;
  const count = chosen.size;
  return (
    <>
      {done ? <Outcome meta={meta} done={done} /> : null}
      {worth.length === 0 && !every && !done ? <State icon="check" title={t("pick.allSame")} text={t("pick.allSameText")} /> : null}
      {fields.length > 0 ? <Fields meta={meta} view={view} fields={fields} chosen={chosen} onChoose={choose} onOpen={onOpen} /> : null}
      {view.gone.length > 0 ? <p className={css.note}>{t("pick.gone", { names: view.gone.map((label) => said(label)).join(", ") })}</p> : null}
      <div className={css.acts}>
        <CheckField label={t("pick.every")} checked={every} onChange={setEvery} />
        <span className={css.actsEnd}>
          <Button blocked={blocked} busy={bring.isPending} onClick={() => bring.mutate(true)}>
            {t("pick.try")}
          </Button>
          <Button tone="primary" icon="history" blocked={blocked} busy={bring.isPending} onClick={() => bring.mutate(false)}>
            {whole ? t(view.state === "binned" ? "pick.bringBinned" : "pick.bringMissing") : t("pick.bring", { count, number: number(count) })}
          </Button>
        </span>
      </div>
    </>
  );
}

export function Beside({ object, id, onBack, onOpen }: { object: string; id: string; onBack: () => void; onOpen: (object: string, id: string) => void }) {
  const t = useT();
  const meta = useMetas().get(object);
  const params = { object, id };
  const { data, error, refetch, isPending } = useQuery({ queryKey: ["pick", "record", object, id], queryFn: ({ signal }) => call("pick_compare_one", { params, signal }), retry: false });
  const state = data ? stateOf(t, data.state) : null;
  return (
    <section className={css.record} aria-label={data?.title ?? t("pick.record")}>
      <div className={css.recordHead}>
        <Button small tone="quiet" icon="left" onClick={onBack}>
          {t("pick.back")}
        </Button>
        <h2>{data ? (data.title ?? t("pick.nameless")) : t("pick.record")}</h2>
        {data?.number ? <span className="num soft">{data.number}</span> : null}
        {state ? <Badge tone={state.tone}>{state.text}</Badge> : null}
      </div>
      {error ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {isPending ? <Bones lines={8} /> : null}
      {data?.state === "erased" ? <State icon="seal" title={t("pick.state.erased")} text={t("pick.erasedText")} /> : null}
      {data && meta && data.state !== "erased" ? <Ready key={data.state} meta={meta} view={data} onOpen={onOpen} onChanged={() => void refetch()} /> : null}
    </section>
  );
}
