// Who else has this record open. Says that one is here only while one really is: presence must not keep a session alive.

import { useEffect, useState } from "react";
import { call } from "~/api/client";
import { isThere, watchPresence } from "~/api/live";
import { useMe } from "~/api/session";
import { useT } from "~/i18n";
import { Avatar } from "~/lib/basics";
import { useTitle } from "~/value/title";

function Person({ id }: { id: string }) {
  const t = useT();
  const name = useTitle({ object: "user", id });
  return (
    <span title={t("presence.one", { name })}>
      <Avatar name={name} />
      <span className="sr">{t("presence.one", { name })}</span>
    </span>
  );
}

export function Presence({ object, id }: { object: string; id: string }) {
  const me = useMe();
  const [users, setUsers] = useState<string[]>([]);
  useEffect(() => {
    let ended = false;
    let timer: ReturnType<typeof setTimeout>;
    const tell = async () => {
      let seconds = 30;
      if (isThere()) {
        try {
          const answer = await call("record_presence", { params: { object, id } });
          if (!ended) setUsers(answer.users);
          seconds = answer.seconds;
        } catch {
          seconds = 60;
        }
      }
      if (!ended) timer = setTimeout(() => void tell(), (seconds * 1000) / 2);
    };
    void tell();
    const stop = watchPresence((event) => {
      if (event.object === object && event.id === id) setUsers(event.users);
    });
    return () => {
      ended = true;
      clearTimeout(timer);
      stop();
      call("record_presence_end", { params: { object, id } }).catch(() => undefined);
    };
  }, [object, id]);
  return users
    .filter((user) => user !== me.id)
    .slice(0, 4)
    .map((user) => <Person key={user} id={user} />);
}
