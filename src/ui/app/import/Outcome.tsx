// What became of the rows, or would: totals, the reasons by frequency, the first rows that were not taken, and how far it is.

import { fieldErrorText } from "~/api/errors";
import { limits, type Import, type ImportReport, type ImportUndo } from "~/api/types.gen";
import { language, useT, type T } from "~/i18n";
import { number } from "~/i18n/format";
import { dealt, isWorking, partOf } from "./data";
import css from "./import.module.css";

/** What an undo did, without what it did not do. */
export function undoneWords(undo: ImportUndo, t: T): string {
  const parts = [undo.removed > 0 ? t("import.undoneRemoved", { count: undo.removed, number: number(undo.removed) }) : "", undo.restored > 0 ? t("import.undoneRestored", { count: undo.restored, number: number(undo.restored) }) : ""];
  return parts.filter(Boolean).join(" ") || t("import.undoneNothing");
}

export function Totals({ report }: { report: ImportReport }) {
  const t = useT();
  const figures = [
    ["created", report.created, ""],
    ["updated", report.updated, ""],
    ["unchanged", report.unchanged, ""],
    ["skipped", report.skipped, ""],
    ["rejected", report.rejected, report.rejected > 0 ? "bad" : ""],
  ] as const;
  return (
    <dl className={css.totals} data-dry={report.dry_run}>
      {figures.map(([name, count, tone]) => (
        <div key={name} data-tone={tone}>
          <dt>{t(`import.count.${name}`)}</dt>
          <dd className="num">{number(count)}</dd>
        </div>
      ))}
      {report.related > 0 ? (
        <div>
          <dt>{t("import.count.related")}</dt>
          <dd className="num">{number(report.related)}</dd>
        </div>
      ) : null}
    </dl>
  );
}

/** How far it is; a job at work says so to screen readers in steps, not with each row. */
export function Progress({ one, label }: { one: Import; label: string }) {
  const t = useT();
  const { progress } = one;
  const undoing = one.state === "undoing";
  const undone = one.undo ? one.undo.removed + one.undo.restored + one.undo.failed : 0;
  const part = undoing ? (one.undo && one.undo.total > 0 ? undone / one.undo.total : 0) : partOf(progress);
  const percent = Math.floor(part * 100);
  const words = undoing ? t("import.undoing", { done: number(undone), total: number(one.undo?.total ?? 0) }) : progress.late > 0 ? t("import.linking", { done: number(progress.late) }) : t("import.rowsDone", { rows: number(dealt(progress)) });
  return (
    <div className={css.progress}>
      <div className={css.progressHead}>
        <strong>{label}</strong>
        <span className="num">{number(percent)} %</span>
      </div>
      <progress max={1} value={part} aria-label={label} />
      <span className="soft num">{words}</span>
      <span className="sr" role="status">
        {isWorking(one) ? `${number(Math.floor(percent / 10) * 10)} %` : ""}
      </span>
    </div>
  );
}

/** A reason as it is kept: `code: words`. */
function split(reason: string): { code: string; detail: string } {
  const at = reason.indexOf(": ");
  return at < 0 ? { code: reason, detail: "" } : { code: reason.slice(0, at), detail: reason.slice(at + 2) };
}

/** In Chinese the kind of error first, in words of the interface: the details come as the server wrote them. */
function useReason() {
  const english = language() === "en";
  return (code: string, detail: string): string => {
    if (english) return detail || code;
    const said = fieldErrorText({ code, detail: "", pointer: "" });
    return said ? `${said}（${detail}）` : detail || code;
  };
}

export function Reasons({ one, report }: { one: Import; report: ImportReport }) {
  const t = useT();
  const words = useReason();
  const reasons = Object.entries(report.reasons).sort((a, b) => b[1] - a[1]);
  if (report.rejected === 0) return null;
  return (
    <>
      <h3 className={css.small}>{t("import.reasons")}</h3>
      <ul className={css.reasons}>
        {reasons.slice(0, 8).map(([reason, count]) => {
          const { code, detail } = split(reason);
          return (
            <li key={reason}>
              <span className="num">{number(count)}</span>
              <span>{words(code, detail)}</span>
            </li>
          );
        })}
      </ul>
      {one.first_errors.length > 0 ? (
        <>
          <h3 className={css.small}>{report.rejected > one.first_errors.length ? t("import.firstErrors", { count: Math.min(one.first_errors.length, limits.IMPORT_ERRORS_SHOWN) }) : t("import.errors")}</h3>
          <div className={css.errors} role="region" aria-label={t("import.errors")} tabIndex={0}>
            <table>
              <thead>
                <tr>
                  <th scope="col">{t("import.line")}</th>
                  <th scope="col">{t("import.reason")}</th>
                </tr>
              </thead>
              <tbody>
                {one.first_errors.map((row, index) => (
                  <tr key={index}>
                    <td className="num">{number(row.line)}</td>
                    <td>{words(row.code, row.reason)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      ) : null}
    </>
  );
}
