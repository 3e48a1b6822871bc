// An import in a list of them, and where it stands in a word. Everything else is on its own page.

import { Link } from "@tanstack/react-router";
import type { Import } from "~/api/types.gen";
import { useT } from "~/i18n";
import { bytes, moment, number } from "~/i18n/format";
import { Badge, type Tone } from "~/lib/basics";
import type { IconName } from "~/lib/icons";
import { objectLabel, useMetas } from "~/model/meta";
import { isWorking, partOf } from "./data";
import { undoneWords } from "./Outcome";
import css from "./import.module.css";

const LOOKS: { [state in Import["state"]]: [Tone, IconName | null] } = {
  new: ["plain", null],
  checking: ["brass", "refresh"],
  checked: ["plain", "check"],
  running: ["brass", "refresh"],
  paused: ["warn", "history"],
  interrupted: ["warn", "warn"],
  stopped: ["bad", "warn"],
  cancelled: ["warn", "close"],
  done: ["good", "check"],
  undoing: ["brass", "undo"],
  undone: ["plain", "undo"],
};

export function StateBadge({ one }: { one: Import }) {
  const t = useT();
  const [tone, icon] = LOOKS[one.state];
  return (
    <Badge tone={tone} {...(icon ? { icon } : {})}>
      {t(`import.state.${one.state}`)}
    </Badge>
  );
}

/** What became of the rows, in one line; nothing while nothing was written. */
export function useOutcome() {
  const t = useT();
  return (one: Import): string => {
    const { created, updated, rejected } = one.progress;
    if (one.state === "undone" && one.undo) return undoneWords(one.undo, t);
    if (created + updated + rejected === 0) return "";
    return t("import.outcome", { created: number(created), updated: number(updated), rejected: number(rejected) });
  };
}

export function ImportLine({ one }: { one: Import }) {
  const metas = useMetas();
  const outcome = useOutcome()(one);
  return (
    <li className={css.line}>
      <div className={css.lineName}>
        <Link to="/import/$id" params={{ id: one.id }} search={{}}>
          {one.file_name}
        </Link>
        <span className="faint num">{[one.object ? objectLabel(metas.get(one.object), true) : "", bytes(one.size), moment(one.at)].filter(Boolean).join(" · ")}</span>
      </div>
      <div className={css.lineState}>
        {isWorking(one) ? <progress max={1} value={partOf(one.progress)} aria-label={one.file_name} /> : <span className="soft num">{outcome}</span>}
        <StateBadge one={one} />
      </div>
    </li>
  );
}
