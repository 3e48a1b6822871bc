// One set: what it is, whether it stays, what a restore of it would lose, and the commands that restore it. A browser cannot
// restore an appliance that serves it: that is done on the machine, into a folder of its own.

import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useOffices } from "~/admin/data";
import { call } from "~/api/client";
import type { BackupSet } from "~/api/types.gen";
import { Bones, Once } from "~/admin/Page";
import { useT } from "~/i18n";
import { bytes, moment, number } from "~/i18n/format";
import { Badge, Button } from "~/lib/basics";
import { TextField } from "~/lib/fields";
import { Dialog } from "~/lib/overlays";
import { objectLabel, useMetas } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { planOf, stateOf, useBackupAct } from "./data";
import adminCss from "~/admin/admin.module.css";
import css from "./backup.module.css";

/** A folder as it is written in a shell. */
export function quoted(path: string): string {
  return /^[A-Za-z0-9_./:@+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

function Lost({ set }: { set: BackupSet }) {
  const t = useT();
  const metas = useMetas();
  const after = set.log_now - set.log_then;
  const named = set.tables.flatMap((one) => (metas.has(one.table) && one.then !== one.now ? [{ ...one, name: objectLabel(metas.get(one.table), true) }] : []));
  return (
    <section className={css.part} aria-label={t("backup.lost")}>
      <h3>{t("backup.lost")}</h3>
      <p>{after > 0 ? t("backup.lostActs", { number: number(after), when: moment(set.made_at) }) : t("backup.lostNothing")}</p>
      {named.length > 0 ? (
        <div className={adminCss.scroll}>
          <table className={adminCss.table}>
            <thead>
              <tr>
                <th scope="col">{t("backup.records")}</th>
                <th scope="col" className={adminCss.num}>{t("backup.then")}</th>
                <th scope="col" className={adminCss.num}>{t("backup.now")}</th>
              </tr>
            </thead>
            <tbody>
              {named.map((one) => (
                <tr key={one.table}>
                  <td>{one.name}</td>
                  <td className={adminCss.num}>{number(one.then)}</td>
                  <td className={adminCss.num}>{number(one.now)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : after > 0 ? (
        <p className="soft">{t("backup.sameCounts")}</p>
      ) : null}
      <p className="soft">{t("backup.lostNote")}</p>
    </section>
  );
}

function Restoring({ set }: { set: BackupSet }) {
  const t = useT();
  const [dir, setDir] = useState("/srv/kontor-restored");
  const from = quoted(set.folder ? set.place : `/media/${set.name}`);
  const to = quoted(dir.trim() || "/srv/kontor-restored");
  const commands = [
    { text: t("backup.step.verify"), command: `kontor backup verify --from ${from}` },
    { text: t("backup.step.restore"), command: `kontor backup restore --from ${from} --dir ${to}` },
    { text: t("backup.step.serve"), command: `kontor serve --dir ${to}` },
  ];
  return (
    <section className={css.part} aria-label={t("backup.restore")}>
      <h3>{t("backup.restore")}</h3>
      <p>{t("backup.restoreText", { size: bytes(set.holds_bytes) })}</p>
      {set.folder ? null : <p>{t("backup.fetch", { place: set.place, folder: `/media/${set.name}` })}</p>}
      <TextField label={t("backup.into")} value={dir} onChange={(event) => setDir(event.target.value)} spellCheck={false} autoComplete="off" />
      <ol className={css.commands}>
        {commands.map((one) => (
          <li key={one.command}>
            {one.text}
            <Once text={one.command} label={one.text} />
          </li>
        ))}
      </ol>
      <p className="soft">{t("backup.step.needs")}</p>
    </section>
  );
}

function Facts({ set }: { set: BackupSet }) {
  const t = useT();
  const state = stateOf(t, set);
  return (
    <dl className={adminCss.facts}>
      <dt>{t("backup.state")}</dt>
      <dd>
        <Badge tone={state.tone}>{state.text}</Badge> {set.proven_at ? moment(set.proven_at) : null}
      </dd>
      <dt>{t("backup.readBack")}</dt>
      <dd>{set.verified_at ? moment(set.verified_at) : "–"}</dd>
      <dt>{t("backup.plan")}</dt>
      <dd>{planOf(t, set)}</dd>
      <dt>{t("backup.place")}</dt>
      <dd>
        <code>{set.place}</code>
      </dd>
      <dt>{t("backup.size")}</dt>
      <dd>{t("backup.sizes", { packed: bytes(set.bytes), whole: bytes(set.holds_bytes) })}</dd>
      <dt>{t("backup.madeBy")}</dt>
      <dd className="num">Kontor {set.made_by}</dd>
    </dl>
  );
}

export function SetDialog({ sequence, target, may, onClose }: { sequence: number; target: string; may: boolean; onClose: () => void }) {
  const t = useT();
  const offices = useOffices();
  const navigate = useNavigate();
  const params = { sequence: String(sequence), target };
  const { data, error, refetch } = useQuery({ queryKey: ["backup", sequence, target], queryFn: ({ signal }) => call("backup_show", { params, signal }), retry: false });
  const pin = useBackupAct((pinned: boolean) => call("backup_pin", { params, body: { pinned } }));
  return (
    <Dialog
      open
      onClose={onClose}
      title={data ? t("backup.setTitle", { number: sequence, when: moment(data.made_at) }) : t("backup.setNumber", { number: sequence })}
      closeLabel={t("act.close")}
      size="wide"
      foot={
        <>
          {data && data.state === "verified" ? (
            <Button icon="search" blocked={offices.pick ? undefined : t("pick.needsRight")} onClick={() => void navigate({ to: "/admin/backups/pick", search: { set: `${sequence}@${target}` } })}>
              {t("pick.browse")}
            </Button>
          ) : null}
          {data && may ? (
            <Button icon="seal" busy={pin.isPending} aria-pressed={data.pinned} onClick={() => pin.mutate(!data.pinned)}>
              {data.pinned ? t("backup.unpin") : t("backup.pin")}
            </Button>
          ) : null}
          <Button tone="primary" onClick={onClose}>
            {t("act.close")}
          </Button>
        </>
      }
    >
      {error ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {!data && !error ? <Bones lines={6} /> : null}
      {data ? (
        <>
          <Facts set={data} />
          <Lost set={data} />
          <Restoring set={data} />
          <section className={css.part} aria-label={t("backup.files")}>
            <h3>{t("backup.files")}</h3>
            <p className="soft">{t("backup.filesText")}</p>
            <ul className={css.files}>
              {data.files.map((file) => (
                <li key={file.name}>
                  <code>{file.name}</code>
                  <span className="num soft">{bytes(file.bytes)}</span>
                  <code className="faint">{file.sha256}</code>
                </li>
              ))}
            </ul>
          </section>
        </>
      ) : null}
    </Dialog>
  );
}
