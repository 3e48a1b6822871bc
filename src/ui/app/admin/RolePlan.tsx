// What a change of a role would do: about the role, and for whom. It is planned by the server, shown whole, and only then
// carried out; an error is told with its place, and nothing is changed.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useId, useState } from "react";
import { errorNote, errorText, fieldErrorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { RightsChange, RolePlan as Plan } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Bone, Button } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { said } from "~/model/meta";
import { useOffices, usePeople, useRoleObjects, useRoles } from "./data";
import { byObject, changeText, Names, placeText } from "./roleWords";
import css from "./admin.module.css";
import own from "./roles.module.css";

const MARKS = { wider: "plus", narrower: "minus", other: "edit" } as const;

/** Differences by object, each marked as more or less. */
export function Changes({ changes, names }: { changes: RightsChange[]; names: Names }) {
  const t = useT();
  const title = (group: string) => (group === "+acts" ? t("roles.acts") : group === "+forbid" ? t("redit.forbid") : names.object(group));
  return (
    <div className={own.changes}>
      {byObject(changes).map(([group, lines]) => (
        <div key={group} className={own.group}>
          <h4>{title(group)}</h4>
          <ul>
            {lines.map((change, index) => (
              <li key={index} data-effect={change.effect}>
                <Icon name={MARKS[change.effect]} title={t(`rplan.effect.${change.effect}`)} />
                <span>{changeText(t, names, change)}</span>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </div>
  );
}

const PEOPLE_SHOWN = 12;

function People({ plan, names }: { plan: Plan; names: Names }) {
  const t = useT();
  const people = usePeople();
  const offices = useOffices();
  const roles = useRoles();
  const [all, setAll] = useState<string[]>([]);
  const label = (name: string) => {
    const found = roles.data?.find((one) => one.name === name);
    return found ? said(found.label) : name;
  };
  const touched = plan.people.filter((group) => group.changes.length > 0);
  const untouched = plan.people.filter((group) => group.changes.length === 0).reduce((sum, group) => sum + group.count, 0);
  return (
    <section aria-label={t("rplan.people")} className={own.people}>
      <h3>{t("rplan.people")}</h3>
      <p className="soft">
        {t("rplan.holders", { count: plan.people_count })}
        {untouched > 0 ? ` ${t("rplan.untouched", { count: untouched })}` : ""}
      </p>
      {touched.map((group) => {
        const key = group.roles.join();
        const shown = all.includes(key) ? group.users : group.users.slice(0, PEOPLE_SHOWN);
        return (
          <div key={key} className={own.touched}>
            <p>
              {shown.map((user, index) => (
                <span key={user}>
                  {index > 0 ? ", " : ""}
                  {offices.users ? <Link to="/admin/users/$id" params={{ id: user }} target="_blank">{people.get(user)?.name ?? user}</Link> : (people.get(user)?.name ?? user)}
                </span>
              ))}
              {group.count > shown.length ? (
                <>
                  {" "}
                  {group.users.length > shown.length ? (
                    <Button small tone="quiet" onClick={() => setAll([...all, key])}>
                      {t("rplan.more", { count: group.count - shown.length })}
                    </Button>
                  ) : (
                    t("rplan.more", { count: group.count - shown.length })
                  )}
                </>
              ) : null}
              <span className="faint"> · {group.roles.map(label).join(" + ")}</span>
            </p>
            <details open={plan.people.length === 1 && plan.changes.length > 0 ? false : undefined}>
              <summary>{t("rplan.forThem", { count: group.changes.length })}</summary>
              <Changes changes={group.changes} names={names} />
            </details>
          </div>
        );
      })}
    </section>
  );
}

function Errors({ error, names }: { error: unknown; names: Names }) {
  const t = useT();
  const wrong = refusalOf(error);
  return (
    <div className={`${css.warning} ${css.bad}`} role="alert">
      <Icon name="warn" />
      <div>
        <strong>{errorText(wrong)}</strong>
        {wrong.errors.length > 0 ? <p>{t("plan.errors", { count: wrong.errors.length })}</p> : <p>{wrong.detail}</p>}
        <ul className={own.errors}>
          {wrong.errors.map((one, index) => (
            <li key={index}>
              <strong>{placeText(t, names, one.pointer)}</strong> {one.detail || fieldErrorText(one)}
            </li>
          ))}
        </ul>
        <span className="faint num">{errorNote(wrong)}</span>
      </div>
    </div>
  );
}

type Props = { title: string; act: string; danger?: boolean; run: (plan: boolean) => Promise<Plan>; onDone: (plan: Plan) => void; onClose: () => void };

/** Plans when it opens; carries out what it shows. */
export function RolePlanDialog({ title, act, danger, run, onDone, onClose }: Props) {
  const t = useT();
  const id = useId();
  const client = useQueryClient();
  const objects = useRoleObjects();
  const names = new Names(objects.data ?? []);
  const plan = useQuery({ queryKey: ["role-plan", id], queryFn: () => run(true), retry: false, staleTime: Infinity, gcTime: 0 });
  const apply = useMutation({
    mutationFn: () => run(false),
    onSuccess: async (done) => {
      await client.invalidateQueries({ queryKey: ["roles"] });
      for (const key of ["role-versions", "user-roles", "view-as"]) void client.invalidateQueries({ queryKey: [key] });
      toast(t(`rplan.done.${done.act}`), { tone: "good" });
      onDone(done);
    },
  });
  const shown = plan.data;
  const nothing = shown && shown.changes.length === 0 && !shown.words && (shown.act === "change");
  const error = apply.error ?? plan.error;
  return (
    <Dialog
      open
      onClose={onClose}
      title={title}
      closeLabel={t("act.close")}
      size="wide"
      easy={false}
      foot={
        <>
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button tone={danger ? "danger" : "primary"} busy={plan.isPending || apply.isPending} blocked={plan.error ? t("rplan.blocked") : nothing ? t("plan.nothing") : undefined} onClick={() => apply.mutate()}>
            {act}
          </Button>
        </>
      }
    >
      {plan.isPending ? (
        <div aria-busy className={css.checks}>
          <Bone width="50%" />
          <Bone width="80%" />
          <Bone width="70%" />
        </div>
      ) : null}
      {error ? <Errors error={error} names={names} /> : null}
      {shown ? (
        <>
          {shown.notes.map((note, index) => (
            <p key={index} className={css.warning}>
              <Icon name="info" />
              <span>{said(note)}</span>
            </p>
          ))}
          <section aria-label={t("rplan.title")} className={css.checks}>
            <h3>{t("rplan.title")}</h3>
            {shown.changes.length === 0 ? <p className="soft">{shown.words ? t("rplan.words") : t("rplan.same")}</p> : <Changes changes={shown.changes} names={names} />}
          </section>
          {shown.people_count > 0 ? <People plan={shown} names={names} /> : null}
        </>
      ) : null}
    </Dialog>
  );
}
