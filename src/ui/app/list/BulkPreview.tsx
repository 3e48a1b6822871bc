// What a bulk change would do: the server tries it on the first records and takes it back. Nothing is changed here.

import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { call } from "~/api/client";
import type { BulkRequest } from "~/api/types.gen";
import { useT } from "~/i18n";
import { number } from "~/i18n/format";
import { titleOf, type Meta } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { Side } from "~/record/History";
import css from "./list.module.css";

const SHOWN = 5;

/** The preview of a request; none is asked for while there is nothing to try. */
export function usePreview(object: string, request: BulkRequest | null) {
  // While somebody types, nothing is tried.
  const [settled] = useDebouncedValue(request, 300);
  const current = JSON.stringify(settled) === JSON.stringify(request);
  const query = useQuery({
    queryKey: ["bulk-preview", object, settled],
    queryFn: ({ signal }) => call("bulk_preview", { params: { object }, body: settled ?? { change: { action: "delete" } }, signal }),
    enabled: settled !== null && current,
    staleTime: 0,
    gcTime: 0,
    retry: false,
  });
  return { data: current ? query.data : undefined, error: current ? query.error : null, retry: () => void query.refetch() };
}

/** The field that a change is about, and what it becomes. */
function changeOf(change: BulkRequest["change"]): { name: string; value: unknown } | null {
  if (change.action === "assign") return { name: "owner", value: change.owner };
  const [first] = change.action === "update" ? Object.entries(change.fields) : [];
  return first ? { name: first[0], value: first[1] } : null;
}

export function BulkPreview({ meta, request, preview }: { meta: Meta; request: BulkRequest | null; preview: ReturnType<typeof usePreview> }) {
  const t = useT();
  if (!request) return null;
  if (preview.error) return <Trouble error={preview.error} retry={preview.retry} />;
  const { data } = preview;
  if (!data) return <p role="status" className="soft">{t("bulk.trying")}</p>;
  const moved = changeOf(request.change);
  const field = moved ? meta.fields.get(moved.name) : undefined;
  const figures = { change: number(data.change), same: number(data.same), refused: number(data.refused) };
  return (
    <section className={css.preview} aria-label={t("bulk.preview")}>
      <p role="status">
        {data.tried < data.count ? `${t("bulk.triedSome", { tried: number(data.tried), count: number(data.count) })} ` : ""}
        {t("bulk.would", figures)}
      </p>
      {data.reasons.length > 0 ? (
        <ul className={css.failed}>
          {data.reasons.map((reason) => (
            <li key={reason.code + reason.detail}>
              <strong className="num">{number(reason.count)}</strong> {reason.detail}
            </li>
          ))}
        </ul>
      ) : null}
      {data.sample.length > 0 ? (
        <table className={css.sample}>
          <caption className="sr">{t("bulk.sample")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("bulk.sample")}</th>
              {moved ? <th scope="col">{t("bulk.now")}</th> : null}
              {moved ? <th scope="col">{t("bulk.then")}</th> : null}
            </tr>
          </thead>
          <tbody>
            {data.sample.slice(0, SHOWN).map((record) => (
              <tr key={record.id}>
                <th scope="row">{titleOf(meta, record)}</th>
                {moved ? (
                  <td>
                    {typeof record.reduced?.[moved.name] === "string" ? record.reduced[moved.name] : <Side field={field} value={record.fields[moved.name]} />}
                  </td>
                ) : null}
                {moved ? (
                  <td>
                    <Side field={field} value={moved.value as never} />
                  </td>
                ) : null}
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
    </section>
  );
}
