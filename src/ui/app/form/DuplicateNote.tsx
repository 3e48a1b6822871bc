// Says that a record may be there already: which, and in what they agree; of those beyond the reader's reach only that there is
// one. Records open beside, so that nothing typed is lost.

import type { Duplicates } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Icon } from "~/lib/icons";
import { fieldLabel, objectLabel, type Meta } from "~/model/meta";
import css from "./form.module.css";

export function DuplicateNote({ meta, found, small, mergeInto }: { meta: Meta; found: Duplicates; small?: boolean; /** The record that is there already and may be the same. */ mergeInto?: string }) {
  const t = useT();
  if (found.items.length === 0 && !found.others) return null;
  return (
    <div className={css.same} data-small={small || undefined}>
      <strong>
        <Icon name="warn" size={14} />
        {t("same.title")}
      </strong>
      <ul>
        {found.items.map((item) => (
          <li key={item.id}>
            <a href={`/app/o/${meta.name}/${item.id}`} target="_blank" rel="noreferrer" aria-label={t("same.open", { name: item.title ?? item.id.slice(0, 8) })}>
              {item.title ?? item.id.slice(0, 8)}
            </a>
            {mergeInto && meta.may.update && meta.may.delete ? (
              <a href={`/app/merge/${meta.name}?ids=${mergeInto},${item.id}`} aria-label={t("same.mergeNamed", { name: item.title ?? item.id.slice(0, 8) })}>
                {t("same.merge")}
              </a>
            ) : null}
            <span className="soft">{t("same.why", { fields: item.why.map((name) => fieldLabel(meta, name)).join(", ") })}</span>
          </li>
        ))}
        {found.others ? <li>{t("same.others", { object: objectLabel(meta) })}</li> : null}
      </ul>
    </div>
  );
}
