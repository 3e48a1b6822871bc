// The steps of the first run that explain and are confirmed: who holds the keys, where copies go. They say only what is so.

import type { Setup } from "~/api/types.gen";
import { manualPage } from "~/help/topics";
import { language, useT } from "~/i18n";
import { date } from "~/i18n/format";
import { Badge } from "~/lib/basics";
import { CheckField } from "~/lib/fields";
import { Icon } from "~/lib/icons";
import admin from "~/admin/admin.module.css";
import css from "./setup.module.css";

export function Custody({ setup, sure, onSure }: { setup: Setup; sure: boolean; onSure: (sure: boolean) => void }) {
  const t = useT();
  const kinds = new Set(setup.slots.map((slot) => slot.kind));
  return (
    <div className={css.words}>
      <p>{t("custody.text")}</p>
      <section className={css.block} aria-labelledby="slots">
        <h3 id="slots">{t("custody.slots")}</h3>
        <ul className={css.lines}>
          {setup.slots.map((slot) => (
            <li key={slot.slot}>
              <Icon name="seal" />
              <span>
                {t(`custody.kind.${slot.kind}`)} <span className="faint">{slot.label}</span>
              </span>
              <span className="faint num">{date(slot.created_at.slice(0, 10))}</span>
            </li>
          ))}
        </ul>
      </section>
      {kinds.has("passphrase") ? <p>{t("custody.passphrase")}</p> : null}
      {kinds.has("key_file") ? <p>{t("custody.keyFile")}</p> : null}
      {kinds.has("shares") ? <p>{t("custody.shares")}</p> : null}
      {kinds.size === 1 ? (
        <p className={admin.warning}>
          <Icon name="warn" />
          <span>{kinds.has("shares") ? t("custody.onlyShares") : kinds.has("key_file") ? t("custody.onlyFile") : t("custody.onlyPassphrase")}</span>
        </p>
      ) : null}
      <p>{t("custody.more")}</p>
      <code className={css.code}>{"kontor slot list --dir /srv/kontor\nkontor slot add-passphrase --dir /srv/kontor --label deed-box\nkontor slot add-key-file --dir /srv/kontor --label usb-stick /media/usb/kontor.key\nkontor slot add-shares --dir /srv/kontor --sheets /media/usb"}</code>
      <CheckField checked={sure} onChange={onSure} label={t("custody.sure")} />
    </div>
  );
}

export function Backup({ sure, onSure }: { sure: boolean; onSure: (sure: boolean) => void }) {
  const t = useT();
  return (
    <div className={css.words}>
      <p>
        <Badge tone="warn" icon="warn">
          {t("backup.badge")}
        </Badge>
      </p>
      <p>{t("backup.text")}</p>
      <p>{t("backup.how")}</p>
      <code className={css.code}>{"[backup.targets]\ndisk2 = \"/mnt/disk2/kontor\""}</code>
      <p>{t("backup.apart")}</p>
      <p>
        <a href={manualPage("admin/backup", language())} target="_blank" rel="noreferrer">
          {t("backup.help")}
        </a>
      </p>
      <CheckField checked={sure} onChange={onSure} label={t("backup.sure")} />
    </div>
  );
}
