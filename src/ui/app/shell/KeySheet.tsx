// The sheet of shortcuts, shown by `?`. Single-key shortcuts can be switched off here (WCAG 2.1.4).

import { useT, type Key } from "~/i18n";
import { Kbd } from "~/lib/basics";
import { CheckField } from "~/lib/fields";
import { shown } from "~/lib/keys";
import { Dialog } from "~/lib/overlays";
import { HelpLink } from "~/help/HelpLink";
import { setPrefs, usePrefs } from "~/model/prefs";
import { show } from "./stage";
import css from "./Shell.module.css";

const SHEET: { title: Key; keys: [string, Key][] }[] = [
  { title: "keys.everywhere", keys: [["/", "keys.search"], ["mod+k", "keys.palette"], ["?", "keys.sheet"], ["escape", "keys.close"], ["c", "keys.create"]] },
  { title: "keys.go", keys: [["g h", "rail.home"], ["g a", "keys.accounts"], ["g c", "keys.contacts"], ["g l", "keys.leads"], ["g o", "keys.opportunities"], ["g t", "keys.cases"], ["g k", "keys.activities"]] },
  { title: "keys.list", keys: [["j", "keys.next"], ["k", "keys.previous"], ["enter", "keys.open"], ["space", "keys.peek"], ["x", "keys.select"], ["shift+x", "keys.range"], ["f", "keys.filter"], ["arrowright", "keys.cells"], ["f2", "keys.cell"]] },
  { title: "keys.record", keys: [["e", "keys.edit"], ["s", "star.title"], ["mod+s", "keys.save"], ["mod+arrowright", "keys.nextrecord"], ["mod+arrowleft", "keys.previousrecord"], ["n", "keys.note"], ["t", "keys.task"], ["m", "keys.meeting"], [".", "keys.acts"]] },
];

export default function KeySheet() {
  const t = useT();
  const { keysOff } = usePrefs();
  return (
    <Dialog open onClose={() => show({ what: "none" })} title={t("bar.keys")} closeLabel={t("act.close")} size="wide" foot={
        <>
          <CheckField label={t("keys.off")} checked={keysOff} onChange={(off) => setPrefs({ keysOff: off })} />
          <HelpLink topic="keys" before={() => show({ what: "none" })} />
        </>
      }>
      <div className={css.sheet}>
        {SHEET.map((group) => (
          <section key={group.title}>
            <h3>{t(group.title)}</h3>
            <dl>
              {group.keys.map(([keys, what]) => (
                <div key={keys} className={css.keyRow}>
                  <dt>{t(what)}</dt>
                  <dd>
                    {shown(keys).map((key) => (
                      <Kbd key={key}>{key}</Kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
