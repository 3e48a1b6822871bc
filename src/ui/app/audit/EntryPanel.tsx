// One entry of the log with everything it holds, in words, and the proof that it is in the log.

import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import { useT } from "~/i18n";
import { instant, number } from "~/i18n/format";
import { Button, IconButton } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { toast } from "~/lib/toasts";
import { said, useMetas } from "~/model/meta";
import { usePeople, useRoles } from "~/admin/data";
import { Ended } from "./Ended";
import { prove } from "./proof";
import { actText, authText, channelText, fieldText, howText, objectText, ruleText, sentence, whoText, type Entry } from "./words";
import css from "./audit.module.css";
import adminCss from "~/admin/admin.module.css";

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function RecordId({ object, id }: { object: string; id: string }) {
  const t = useT();
  const readable = useMetas().get(object)?.may.read;
  return (
    <span className={css.id}>
      <code>{id}</code>
      <IconButton small icon="copy" label={t("admin.copy")} onClick={() => void navigator.clipboard.writeText(id).then(() => toast(t("admin.copied")))} />
      {readable ? (
        <Link to="/o/$object/$id" params={{ object, id }}>
          {t("act.open")}
        </Link>
      ) : null}
      <Link to="/audit" search={{ record: id, object }}>
        {t("audit.allAbout")}
      </Link>
    </span>
  );
}

function Proof({ seq }: { seq: number }) {
  const t = useT();
  const proof = useMutation({ mutationFn: () => prove(seq) });
  const wrong = proof.error ? refusalOf(proof.error) : null;
  const { data } = proof;
  return (
    <section className={css.section} aria-label={t("audit.proof")}>
      <div className={adminCss.panelHead}>
        <h3>{t("audit.proof")}</h3>
        <Button small icon="seal" busy={proof.isPending} onClick={() => proof.mutate()}>
          {t("audit.prove")}
        </Button>
      </div>
      {!data && !wrong ? <p className="soft">{t("audit.proofText")}</p> : null}
      {wrong ? <p className={`${adminCss.warning} ${adminCss.bad}`}><Icon name="warn" />{wrong.status === 404 ? t("audit.notYet") : errorText(wrong)}</p> : null}
      {data ? (
        <>
          <p className={`${adminCss.warning} ${data.holds ? adminCss.well : adminCss.bad}`} role="status">
            <Icon name={data.holds ? "check" : "warn"} />
            <span>{data.holds ? (data.signedSize !== null ? t("audit.holds", { steps: data.steps, size: number(data.size) }) : t("audit.holdsUnsigned", { steps: data.steps, size: number(data.size) })) : t("audit.holdsNot")}</span>
          </p>
          <dl className={adminCss.facts}>
            <Fact name={t("audit.leaf")}><code>{data.leaf}</code></Fact>
            <Fact name={t("audit.root")}><code>{data.root}</code></Fact>
          </dl>
          <p className="faint">{t("audit.proofNote")}</p>
        </>
      ) : null}
    </section>
  );
}

function ruleNames(roles: ReturnType<typeof useRoles>["data"]) {
  return (name: string) => {
    const found = roles?.find((role) => role.name === name);
    return found ? said(found.label) : name;
  };
}

export function EntryPanel({ entry, onClose }: { entry: Entry; onClose: () => void }) {
  const t = useT();
  const metas = useMetas();
  const people = usePeople();
  const roles = useRoles();
  const nameOf = ruleNames(roles.data);
  return (
    <aside className={css.panel} aria-label={t("audit.entry", { seq: number(entry.seq) })}>
      <div className={css.panelHead}>
        <h2>{t("audit.entry", { seq: number(entry.seq) })}</h2>
        <IconButton icon="close" label={t("act.close")} onClick={onClose} />
      </div>
      <section className={css.section}>
        <p className={css.sentence}>{sentence(t, entry, metas, people)}</p>
        <p>
          <Ended entry={entry} /> {entry.error ? <code className="faint">{entry.error}</code> : null}
        </p>
      </section>
      <section className={css.section}>
        <dl className={adminCss.facts}>
          <Fact name={t("access.when")}>
            {instant(entry.at)} <span className="faint num">{entry.at}</span>
          </Fact>
          <Fact name={t("access.who")}>
            {entry.user ? (
              <Link to="/audit" search={{ user: entry.user }}>
                {whoText(t, entry, people)}
              </Link>
            ) : (
              whoText(t, entry, people)
            )}
            {entry.user ? <code className="faint"> {entry.user}</code> : null}
          </Fact>
          {entry.on_behalf_of ? <Fact name={t("audit.behalf")}>{people.get(entry.on_behalf_of)?.name ?? entry.on_behalf_of}</Fact> : null}
          <Fact name={t("access.what")}>
            {actText(t, entry.verb)} <code className="faint">{entry.verb}</code>
          </Fact>
          {entry.repeats > 1 ? <Fact name={t("audit.repeats")}>{number(entry.repeats)}</Fact> : null}
          {entry.object ? <Fact name={t("roles.object")}>{objectText(metas, entry.object)}</Fact> : null}
          {entry.record ? (
            <Fact name={t("value.record")}>
              <RecordId object={entry.object} id={entry.record} />
            </Fact>
          ) : null}
          {entry.count > 0 || entry.ids.length > 0 ? (
            <Fact name={t("audit.records")}>
              {number(Math.max(entry.count, entry.ids.length))}
              {entry.ids.length > 0 ? (
                <details>
                  <summary>{t("audit.showIds", { count: entry.ids.length })}</summary>
                  <ul>
                    {entry.ids.map((id) => (
                      <li key={id}>
                        <Link to="/audit" search={{ record: id, object: entry.object }}>
                          <code>{id}</code>
                        </Link>
                      </li>
                    ))}
                  </ul>
                </details>
              ) : null}
            </Fact>
          ) : null}
          {entry.fields.length > 0 ? (
            <Fact name={t("audit.fields")}>
              <ul>
                {entry.fields.map(([field, how]) => (
                  <li key={String(field)}>
                    {fieldText(metas, entry.object, String(field))} <span className="faint">{howText(t, String(how))}</span>
                  </li>
                ))}
              </ul>
            </Fact>
          ) : null}
          {entry.changed.length > 0 ? <Fact name={t("audit.changed")}>{entry.changed.map((field) => fieldText(metas, entry.object, field)).join(", ")}</Fact> : null}
          {entry.purpose ? <Fact name={t("access.why")}>{entry.purpose}</Fact> : null}
          <Fact name={t("audit.way")}>
            {entry.auth === "cli" || entry.actor === "system" ? channelText(t, entry.channel) : `${channelText(t, entry.channel)} · ${authText(t, entry.auth)}`}
            {entry.address ? <span className="num"> · {entry.address}</span> : null}
          </Fact>
          {entry.rules.length > 0 ? (
            <Fact name={t("audit.rules")}>
              <ul>
                {entry.rules.map((rule) => (
                  <li key={rule} title={rule}>
                    {ruleText(t, metas, rule, nameOf)}
                  </li>
                ))}
              </ul>
            </Fact>
          ) : null}
          {entry.note ? <Fact name={t("audit.note")}>{entry.note}</Fact> : null}
          {entry.request ? (
            <Fact name={t("audit.request")}>
              <code>{entry.request}</code>
            </Fact>
          ) : null}
        </dl>
      </section>
      <Proof key={entry.seq} seq={entry.seq} />
      <section className={css.section}>
        <details>
          <summary>{t("audit.raw")}</summary>
          <pre>{JSON.stringify(entry, null, 1)}</pre>
        </details>
      </section>
    </aside>
  );
}
