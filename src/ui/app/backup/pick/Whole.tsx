// All records of an object compared with the set: counted first, by what became of them and by field; then brought back as a job
// with a result for each record, which can be stopped and undone.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { useMe } from "~/api/session";
import type { PickCompared } from "~/api/types.gen";
import { Confirm, Panel } from "~/admin/Page";
import { useT, type Key } from "~/i18n";
import { number } from "~/i18n/format";
import { Button } from "~/lib/basics";
import { CheckField } from "~/lib/fields";
import { toast } from "~/lib/toasts";
import JobBar from "~/list/JobBar";
import { showJob } from "~/list/jobs";
import { fieldLabel, useMetas } from "~/model/meta";
import { useCompared } from "./data";
import adminCss from "~/admin/admin.module.css";
import css from "./pick.module.css";

const KINDS = ["different", "binned", "missing"] as const;
type Kind = (typeof KINDS)[number];

/** Some of what was found, by name. */
function Some({ object, kind, onOpen }: { object: string; kind: Kind; onOpen: (id: string) => void }) {
  const t = useT();
  const { data } = useQuery({ queryKey: ["pick", "found", object, kind], queryFn: ({ signal }) => call("pick_found", { params: { object }, query: { what: kind }, signal }), retry: false });
  if (!data || data.items.length === 0) return null;
  return (
    <p className={css.some}>
      <span className="soft">{t("pick.some")} </span>
      {data.items.slice(0, 12).map((one) => (
        <button key={one.id} type="button" className={css.link} onClick={() => onOpen(one.id)}>
          {one.title ?? t("pick.nameless")}
        </button>
      ))}
    </p>
  );
}

function Counted({ object, view, onOpen, onBegun }: { object: string; view: PickCompared; onOpen: (id: string) => void; onBegun: () => void }) {
  const t = useT();
  const metas = useMetas();
  const meta = metas.get(object);
  const bulk = useMe().actions.includes("bulk");
  const [kinds, setKinds] = useState<ReadonlySet<Kind>>(new Set());
  const [without, setWithout] = useState<ReadonlySet<string>>(new Set());
  const [sure, setSure] = useState(false);
  const fields = Object.entries(view.fields).sort(([, one], [, two]) => two - one);
  const named = without.size > 0 ? fields.map(([name]) => name).filter((name) => !without.has(name)) : null;
  const bring = useMutation({
    mutationFn: () => call("pick_bring_all", { params: { object }, body: { what: [...kinds], fields: kinds.has("different") ? named : null } }),
    onSuccess: (job) => {
      setSure(false);
      showJob(object, job.id);
      onBegun();
    },
    onError: (error) => toast(errorText(error), { tone: "bad", note: errorNote(error) }),
  });
  const flip = <V,>(set: ReadonlySet<V>, value: V, on: boolean): ReadonlySet<V> => {
    const next = new Set(set);
    if (on) next.add(value);
    else next.delete(value);
    return next;
  };
  const count = [...kinds].reduce((sum, kind) => sum + view[kind], 0);
  const none = view.different + view.binned + view.missing === 0;
  const blocked = !bulk ? t("pick.needsBulk") : count === 0 ? t("pick.chooseFirst") : undefined;
  return (
    <>
      <p role="status">{t("pick.looked", { looked: number(view.looked), same: number(view.same) })}</p>
      {view.refused > 0 ? <p className="soft">{t("pick.refused", { number: number(view.refused) })}</p> : null}
      {view.capped ? <p className="soft">{t("pick.capped")}</p> : null}
      {none ? <p className="soft">{t("pick.wholeSame")}</p> : null}
      {KINDS.filter((kind) => view[kind] > 0).map((kind) => (
        <div key={kind} className={css.kind}>
          <CheckField label={t(`pick.kind.${kind}` as Key, { count: view[kind], number: number(view[kind]) })} checked={kinds.has(kind)} onChange={(on) => setKinds(flip(kinds, kind, on))} />
          {kind === "different" && kinds.has(kind) && meta ? (
            <fieldset className={css.byField}>
              <legend className="sr">{t("pick.whichFields")}</legend>
              {fields.map(([name, many]) => (
                <CheckField key={name} label={t("pick.byField", { name: fieldLabel(meta, name, metas), number: number(many) })} checked={!without.has(name)} onChange={(on) => setWithout(flip(without, name, !on))} />
              ))}
            </fieldset>
          ) : null}
          <Some object={object} kind={kind} onOpen={onOpen} />
        </div>
      ))}
      {none ? null : (
        <p>
          <Button tone="primary" icon="history" blocked={blocked} onClick={() => setSure(true)}>
            {t("pick.bringAll", { count, number: number(count) })}
          </Button>
        </p>
      )}
      <Confirm open={sure} title={t("pick.sureTitle", { count, number: number(count) })} act={t("pick.bringAll", { count, number: number(count) })} busy={bring.isPending} onClose={() => setSure(false)} onAct={() => bring.mutate()}>
        <p>{t("pick.sureText")}</p>
        {kinds.has("different") && named && meta ? <p>{t("pick.sureFields", { names: named.map((name) => fieldLabel(meta, name, metas)).join(", ") })}</p> : null}
      </Confirm>
    </>
  );
}

export function Whole({ object, name, onOpen }: { object: string; name: string; onOpen: (id: string) => void }) {
  const t = useT();
  const client = useQueryClient();
  const [begun, setBegun] = useState(() => client.getQueryData(["pick", "compared", object]) !== undefined);
  const { data } = useCompared(object, begun);
  const put = (view: PickCompared) => {
    client.removeQueries({ queryKey: ["pick", "found", object] });
    client.setQueryData(["pick", "compared", object], view);
    setBegun(true);
  };
  const onError = (error: unknown) => toast(errorText(error), { tone: "bad", note: errorNote(error) });
  const compare = useMutation({ mutationFn: () => call("pick_compare", { params: { object } }), onSuccess: put, onError });
  const stop = useMutation({ mutationFn: () => call("pick_compare_stop", { params: { object } }), onSuccess: put, onError });
  const again = () => {
    client.removeQueries({ queryKey: ["pick", "compared", object] });
    setBegun(false);
    void client.invalidateQueries({ queryKey: ["pick", "list", object] });
  };
  return (
    <Panel
      title={t("pick.whole", { name })}
      end={
        data?.running ? (
          <Button small busy={stop.isPending} onClick={() => stop.mutate()}>
            {t("job.stop")}
          </Button>
        ) : (
          <Button small icon="check" busy={compare.isPending} onClick={() => compare.mutate()}>
            {data ? t("pick.compareAgain") : t("pick.compare")}
          </Button>
        )
      }
    >
      <JobBar object={object} />
      {!data ? <p className="soft">{t("pick.wholeText")}</p> : null}
      {data?.running ? (
        <p role="status" className={adminCss.count}>
          {t("pick.looking", { number: number(data.looked) })}
        </p>
      ) : null}
      {data?.code ? <p className="soft">{t("pick.compareFailed", { code: data.code })}</p> : null}
      {data && !data.running && !data.code ? <Counted object={object} view={data} onOpen={onOpen} onBegun={again} /> : null}
    </Panel>
  );
}
