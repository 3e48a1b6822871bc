// The auditor's desk on the home page: the questions that are asked most, each one click away, and the last entries when somebody
// asks for them. Reading the log is itself logged, so nothing of it is read by only coming here.

import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { usePeople } from "~/admin/data";
import { call } from "~/api/client";
import { sentence } from "~/audit/words";
import { addDays, dayOf, startOf } from "~/calendar/model";
import { useT, type Key } from "~/i18n";
import { ago } from "~/i18n/format";
import { Bone, Button } from "~/lib/basics";
import { Icon, type IconName } from "~/lib/icons";
import { useMetas } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import css from "~/pages/pages.module.css";
import own from "./home.module.css";

const QUESTIONS: { words: Key; icon: IconName; verb: string; days: number }[] = [
  { words: "home.desk.denied", icon: "warn", verb: "denied", days: 7 },
  { words: "home.desk.signIns", icon: "keyboard", verb: "sign_in_failed", days: 7 },
  { words: "home.desk.revealed", icon: "eye", verb: "reveal", days: 7 },
  { words: "home.desk.exported", icon: "out", verb: "export", days: 30 },
  { words: "home.desk.roles", icon: "users", verb: "role_change", days: 30 },
];

function Last() {
  const t = useT();
  const metas = useMetas();
  const people = usePeople();
  const { data, error, refetch } = useQuery({ queryKey: ["audit", "last"], queryFn: ({ signal }) => call("audit_entries", { query: { limit: 8 }, signal }), staleTime: Infinity, refetchOnWindowFocus: false, retry: false });
  if (error) return <Trouble error={error} retry={() => void refetch()} />;
  if (!data) return <Bone height={120} />;
  return (
    <ul>
      {data.items.map((entry) => (
        <li key={entry.seq} className={css.row}>
          <Icon name={entry.decision === "deny" ? "warn" : "log"} />
          <Link to="/audit" search={{ entry: String(entry.seq) }} className={`clip ${own.name}`}>
            {sentence(t, entry, metas, people)}
          </Link>
          <span />
          <span className="soft num">{ago(entry.at)}</span>
        </li>
      ))}
    </ul>
  );
}

export function Desk() {
  const t = useT();
  const [asked, setAsked] = useState(false);
  return (
    <>
      <ul>
        {QUESTIONS.map((one) => (
          <li key={one.verb}>
            <Link to="/audit" search={{ verb: one.verb, from: startOf(addDays(dayOf(new Date()), -one.days)).toISOString() }} className={css.row}>
              <Icon name={one.icon} />
              <span className="clip">{t(one.words)}</span>
              <span className="faint">{t("home.desk.days", { count: one.days })}</span>
              <Icon name="right" size={12} />
            </Link>
          </li>
        ))}
      </ul>
      {asked ? (
        <Last />
      ) : (
        <div className={own.under}>
          <span className="faint">{t("home.desk.logged")}</span>
          <Button small tone="quiet" onClick={() => setAsked(true)}>
            {t("home.desk.last")}
          </Button>
        </div>
      )}
    </>
  );
}
