// The auditor's desk: the log searched by person, record, object, act and time; one entry opened beside the others; what was
// found as a file. What is looked for stands in the address. Reading the log is itself logged, so it is read only when asked.

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { call } from "~/api/client";
import { useT, type Key } from "~/i18n";
import { instant, number } from "~/i18n/format";
import { Bone, Button, State } from "~/lib/basics";
import { CheckField, Framed, SelectField, TextField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import { useKeys } from "~/lib/keys";
import libCss from "~/lib/lib.module.css";
import { objectLabel, useMetas } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { PageTitle } from "~/shell/PageTitle";
import { RecordPicker } from "~/value/RecordPicker";
import { usePeople, useOffices } from "~/admin/data";
import { Denied } from "~/admin/Page";
import { Checkpoint } from "./Checkpoint";
import { Ended } from "./Ended";
import { EntryPanel } from "./EntryPanel";
import { ExportDialog } from "./ExportDialog";
import { ACT_GROUPS, actText, channelText, fieldText, objectText, short, whoText, type Entry } from "./words";
import type { Found } from "./exporting";
import css from "./audit.module.css";
import adminCss from "~/admin/admin.module.css";

type AuditSearch = { [key in "user" | "object" | "record" | "verb" | "from" | "to" | "denied" | "pulse" | "entry" | "tab"]?: string };

/** Objects that the log names and that an auditor may not know of. */
const OBJECTS: { [object: string]: Key } = { account: "keys.accounts", contact: "keys.contacts", lead: "keys.leads", opportunity: "keys.opportunities", case: "keys.cases", activity: "keys.activities" };

const local = (utc: string | undefined) => {
  if (!utc) return "";
  const at = new Date(utc);
  return Number.isNaN(at.getTime()) ? "" : new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};
const utc = (text: string) => (text ? new Date(text).toISOString() : "");

function asked(search: AuditSearch): Found {
  const { user = "", object = "", record = "", verb = "", from = "", to = "" } = search;
  return Object.fromEntries(Object.entries({ user, object, record, verb, from, to }).filter(([, value]) => value));
}

/** What is asked of the log: without the sign of life that the appliance gives each minute, unless somebody wants it. */
function askedOfLog(search: AuditSearch): Found {
  return search.verb || search.pulse === "1" ? asked(search) : { ...asked(search), without: "heartbeat" };
}

function Asking({ search, set }: { search: AuditSearch; set: (change: AuditSearch) => void }) {
  const t = useT();
  const metas = useMetas();
  const people = usePeople();
  const [record, setRecord] = useState(search.record ?? "");
  const wrongId = record !== "" && !/^[0-9a-f-]{36}$/i.test(record.trim());
  const objects = useMemo(() => {
    const known = new Map(Object.entries(OBJECTS).map(([name, key]) => [name, t(key)]));
    for (const meta of metas.values()) known.set(meta.name, objectLabel(meta, true));
    return [...known].map(([value, label]) => ({ value, label })).sort((a, b) => a.label.localeCompare(b.label));
  }, [metas, t]);
  const user = search.user ? { object: "user", id: search.user, title: people.get(search.user)?.name } : null;
  return (
    <div className={`${adminCss.bar} ${css.ask}`} role="search" aria-label={t("audit.ask")}>
      <Framed label={t("audit.person")}>{({ id }) => <RecordPicker id={id} objects={["user"]} value={user} onChange={(picked) => set({ user: picked?.id ?? "" })} />}</Framed>
      <Framed label={t("audit.act")}>
        {({ id }) => (
          <select id={id} className={libCss.input} value={search.verb ?? ""} onChange={(event) => set({ verb: event.target.value })}>
            <option value="">{t("users.any")}</option>
            {ACT_GROUPS.map((group) => (
              <optgroup key={group.key} label={t(group.key)}>
                {group.acts.map((act) => (
                  <option key={act} value={act}>
                    {actText(t, act)}
                  </option>
                ))}
              </optgroup>
            ))}
          </select>
        )}
      </Framed>
      <SelectField label={t("roles.object")} value={search.object ?? ""} empty={t("users.any")} choices={objects} onChange={(event) => set({ object: event.target.value })} />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!wrongId) set({ record: record.trim() });
        }}
      >
        <TextField label={t("audit.recordId")} value={record} spellCheck={false} error={wrongId ? t("audit.wrongId") : undefined} onChange={(event) => setRecord(event.target.value)} onBlur={() => (!wrongId && record.trim() !== (search.record ?? "") ? set({ record: record.trim() }) : undefined)} />
      </form>
      <div className={css.when}>
        <TextField label={t("filter.from")} type="datetime-local" value={local(search.from)} onChange={(event) => set({ from: utc(event.target.value) })} />
      </div>
      <div className={css.when}>
        <TextField label={t("filter.to")} type="datetime-local" value={local(search.to)} onChange={(event) => set({ to: utc(event.target.value) })} />
      </div>
      <div style={{ minWidth: 0, alignSelf: "end", whiteSpace: "nowrap" }}>
        <CheckField label={t("audit.onlyDenied")} checked={search.denied === "1"} onChange={(on) => set({ denied: on ? "1" : "" })} />
        {search.verb ? null : <CheckField label={t("audit.pulse")} checked={search.pulse === "1"} onChange={(on) => set({ pulse: on ? "1" : "" })} />}
      </div>
    </div>
  );
}

function useEntries(search: AuditSearch) {
  const query = askedOfLog(search);
  return useInfiniteQuery({
    queryKey: ["audit", query],
    queryFn: ({ pageParam, signal }) => call("audit_entries", { query: { ...query, limit: 100, ...(pageParam ? { before: pageParam } : {}) }, signal }),
    initialPageParam: 0,
    getNextPageParam: (page) => page.next ?? undefined,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    retry: false,
  });
}

function Line({ entry, on, onOpen }: { entry: Entry; on: boolean; onOpen: () => void }) {
  const t = useT();
  const metas = useMetas();
  const people = usePeople();
  const fields = [...entry.changed, ...entry.fields.map(([field]) => String(field))];
  const about = [...fields.slice(0, 3).map((field) => fieldText(metas, entry.object, field)), ...(fields.length > 3 ? [`+${fields.length - 3}`] : []), entry.note, entry.error].filter(Boolean).join(", ");
  return (
    <tr className={css.row} data-open={on} onClick={onOpen}>
      <td className={`${adminCss.fit} num`}>{instant(entry.at)}</td>
      <td className={adminCss.fit}>{whoText(t, entry, people)}</td>
      <td>
        <button type="button" className={adminCss.name} aria-expanded={on} data-seq={entry.seq} onClick={(event) => { event.stopPropagation(); onOpen(); }}>
          {actText(t, entry.verb)}
        </button>{" "}
        <Ended entry={entry} quiet /> {entry.repeats > 1 ? <span className="faint num">× {number(entry.repeats)}</span> : null}
      </td>
      <td>
        {entry.object ? objectText(metas, entry.object) : null} {entry.record ? <code className="faint">{short(entry.record)}</code> : entry.count > 1 ? <span className="faint num">× {number(entry.count)}</span> : null}
      </td>
      <td className={`${css.more} soft`}>{about}</td>
      <td className={`${css.more} soft`}>{entry.purpose}</td>
      <td className={`${css.more} soft`}>{channelText(t, entry.channel)}</td>
      <td className={`${adminCss.fit} ${css.more} faint num`}>{number(entry.seq)}</td>
    </tr>
  );
}

/** The entry of the address, wherever it stands in the log. */
function useOpened(search: AuditSearch, entries: Entry[]) {
  const seq = search.entry === undefined ? null : Number(search.entry);
  const here = entries.find((one) => one.seq === seq);
  const far = useQuery({
    queryKey: ["audit-entry", seq],
    queryFn: ({ signal }) => call("audit_entries", { query: { before: (seq ?? 0) + 1, limit: 1 }, signal }),
    enabled: seq !== null && Number.isInteger(seq) && !here,
    staleTime: Infinity,
    refetchOnWindowFocus: false,
    retry: false,
  });
  return here ?? far.data?.items.find((one) => one.seq === seq);
}

function Entries({ search, set }: { search: AuditSearch; set: (change: AuditSearch, replace?: boolean) => void }) {
  const t = useT();
  const list = useEntries(search);
  const [exporting, setExporting] = useState(false);
  const place = useRef<HTMLDivElement>(null);
  const read = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  const denied = search.denied === "1";
  const shown = useMemo(() => (denied ? read.filter((entry) => entry.decision === "deny") : read), [read, denied]);
  const opened = useOpened(search, read);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  // The decision is no parameter of the log's index: it is looked for in what was read, and some pages more are read for it.
  useEffect(() => {
    if (denied && hasNextPage && !isFetchingNextPage && shown.length < 20 && read.length < 2000) void fetchNextPage();
  }, [denied, hasNextPage, isFetchingNextPage, shown.length, read.length, fetchNextPage]);
  const walk = (step: number) => {
    const at = shown.findIndex((one) => one.seq === opened?.seq);
    const to = shown[at + step];
    if (to) {
      set({ entry: String(to.seq) }, true);
      place.current?.querySelector(`[data-seq="${to.seq}"]`)?.scrollIntoView({ block: "nearest" });
    }
  };
  useKeys({ j: () => walk(1), k: () => walk(-1), escape: opened ? () => set({ entry: "" }, true) : undefined });
  return (
    <>
      <Asking key={`${search.record ?? ""}`} search={search} set={set} />
      <div className={css.body}>
        <div className={css.list} ref={place} data-beside={opened ? true : undefined}>
          {list.error && read.length === 0 ? <Trouble error={list.error} retry={() => void list.refetch()} /> : null}
          {list.data && shown.length === 0 && !hasNextPage ? (
            <State icon="log" title={t("audit.none")} text={t("audit.noneText")}>
              <Link className={libCss.button} to="/audit">
                {t("filter.clear")}
              </Link>
            </State>
          ) : (
            <table className={adminCss.table}>
              <thead>
                <tr>
                  <th scope="col">{t("access.when")}</th>
                  <th scope="col">{t("access.who")}</th>
                  <th scope="col">{t("access.what")}</th>
                  <th scope="col">{t("audit.target")}</th>
                  <th scope="col" className={css.more}>{t("audit.about")}</th>
                  <th scope="col" className={css.more}>{t("access.why")}</th>
                  <th scope="col" className={css.more}>{t("audit.way")}</th>
                  <th scope="col" className={css.more}>{t("audit.number")}</th>
                </tr>
              </thead>
              <tbody>
                {list.isPending
                  ? Array.from({ length: 12 }, (_, row) => (
                      <tr key={row} aria-hidden>
                        <td colSpan={8}>
                          <Bone width="70%" height={16} />
                        </td>
                      </tr>
                    ))
                  : shown.map((entry) => <Line key={entry.seq} entry={entry} on={opened?.seq === entry.seq} onOpen={() => set({ entry: opened?.seq === entry.seq ? "" : String(entry.seq) }, true)} />)}
              </tbody>
            </table>
          )}
          <div className={css.foot} aria-live="polite">
            {hasNextPage ? (
              <Button busy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
                {t("timeline.older")}
              </Button>
            ) : null}
            <span className="num">{denied ? t("audit.deniedOf", { shown: number(shown.length), read: number(read.length) }) : t("audit.read", { read: number(read.length) })}</span>
            <Button icon="refresh" busy={list.isFetching && !isFetchingNextPage} onClick={() => void list.refetch()}>
              {t("list.refresh")}
            </Button>
            <Button blocked={read.length === 0 ? t("audit.none") : undefined} onClick={() => setExporting(true)}>
              {t("audit.export")}
            </Button>
          </div>
        </div>
        {opened ? <EntryPanel key={opened.seq} entry={opened} onClose={() => set({ entry: "" }, true)} /> : null}
      </div>
      {exporting ? <ExportDialog query={askedOfLog(search)} denied={denied} onClose={() => setExporting(false)} /> : null}
    </>
  );
}

function Desk() {
  const t = useT();
  const navigate = useNavigate();
  const search = useSearch({ from: "/shell/audit" });
  const set = (change: AuditSearch, replace = false) => void navigate({ to: "/audit", search: Object.fromEntries(Object.entries({ ...search, ...change }).filter(([, value]) => value)), replace });
  const log = search.tab === "log";
  return (
    <div className={css.page}>
      <div className={adminCss.head}>
        <PageTitle title={t("audit.title")} className={adminCss.title} />
        <div className={adminCss.headEnd}>
          {Object.keys(asked(search)).length > 0 || search.denied || search.pulse ? (
            <Link className={`${libCss.button} ${libCss.quiet}`} to="/audit">
              {t("filter.clear")}
            </Link>
          ) : null}
          <Link className={libCss.button} to="/audit" search={log ? {} : { tab: "log" }}>
            <Icon name={log ? "search" : "seal"} />
            {log ? t("audit.back") : t("audit.verify")}
          </Link>
        </div>
      </div>
      {log ? (
        <div style={{ overflowY: "auto", maxWidth: 900 }}>
          <Checkpoint />
        </div>
      ) : (
        <Entries search={search} set={set} />
      )}
    </div>
  );
}

export default function AuditDesk() {
  const offices = useOffices();
  return offices.audit ? <Desk /> : <Denied />;
}
