// Who has a role. The API tells the roles of one user at a time, so this asks for each user, a few at once, when somebody wants
// to know; it says how far it has come.

import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { errorText } from "~/api/errors";
import { useT } from "~/i18n";
import { moment } from "~/i18n/format";
import { Badge, Button } from "~/lib/basics";
import { optionLabel, useMetas } from "~/model/meta";
import { useOffices, usePeople, userRolesQuery, type Person } from "./data";
import { Panel } from "./Page";
import { STATUS_TONES } from "./Users";
import css from "./admin.module.css";

const AT_ONCE = 6;

type Found = { person: Person; from: string | null; to: string | null };

export function Holders({ role }: { role: string }) {
  const t = useT();
  const client = useQueryClient();
  const offices = useOffices();
  const people = usePeople();
  const states = useMetas().get("user")?.fields.get("status");
  const [found, setFound] = useState<Found[] | null>(null);
  const [asked, setAsked] = useState(0);
  const [wrong, setWrong] = useState("");
  const live = useRef(true);
  useEffect(() => {
    live.current = true;
    return () => {
      live.current = false;
    };
  }, []);

  async function look() {
    setFound([]);
    setAsked(0);
    setWrong("");
    const waiting = [...people.values()];
    const one = async () => {
      for (let person = waiting.shift(); person && live.current; person = waiting.shift()) {
        const answer = await client.fetchQuery({ ...userRolesQuery(person.id), staleTime: 60_000 });
        const held = answer.roles.find((has) => has.role === role);
        const who = person;
        if (held) setFound((before) => [...(before ?? []), { person: who, from: held.valid_from, to: held.valid_to }].sort((a, b) => a.person.name.localeCompare(b.person.name)));
        setAsked((count) => count + 1);
      }
    };
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, one));
    } catch (error) {
      waiting.length = 0;
      setWrong(errorText(error));
    }
  }
  const done = found !== null && asked >= people.size;
  return (
    <Panel
      title={t("roles.holders")}
      end={
        <Button small busy={found !== null && !done && !wrong} onClick={() => void look()}>
          {found === null ? t("roles.look") : t("list.refresh")}
        </Button>
      }
    >
      <p className="soft" aria-live="polite">
        {found === null ? t("roles.lookText", { count: people.size }) : done ? t("roles.found", { count: found.length }) : t("roles.asking", { asked, count: people.size })}
        {wrong ? ` ${wrong}` : ""}
      </p>
      <ul className={`${css.lines} ${css.people}`}>
        {found?.map(({ person, from, to }) => (
          <li key={person.id}>
            {offices.users ? <Link to="/admin/users/$id" params={{ id: person.id }}>{person.name}</Link> : <span>{person.name}</span>}
            <span className="faint">{person.login}</span>
            {states && person.status && person.status !== "active" ? <Badge tone={STATUS_TONES[person.status] ?? "plain"}>{optionLabel(states, person.status)}</Badge> : null}
            {from ? <span className="soft">{t("users.from", { when: moment(from) })}</span> : null}
            {to ? <span className="soft">{t("users.until", { when: moment(to) })}</span> : null}
          </li>
        ))}
      </ul>
    </Panel>
  );
}
