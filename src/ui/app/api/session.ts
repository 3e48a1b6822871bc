// Who is signed in. Tells the client about CSRF token and time; knows when the session will end.

import { queryOptions, useQuery, type QueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { call, wire } from "./client";
import { limits, type Me, type Session } from "./types.gen";
import { ownPrefs } from "~/model/prefs";

/** When the session ends at the latest, whatever one does; known since the sign-in of this browser tab. */
const UNTIL = "kontor.until";

function take(session: Session): Session {
  wire.csrf = session.csrf;
  wire.lastSeen = Date.now();
  if (session.expires_at) sessionStorage.setItem(UNTIL, session.expires_at);
  ownPrefs(session.user.id);
  return session;
}

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }) => take(await call("session_show", { signal })),
  staleTime: Infinity,
  retry: false,
});

export function useMe(): Me {
  const { data } = useQuery(sessionQuery);
  return data?.user ?? NOBODY;
}
const NOBODY: Me = { id: "", login: "", display_name: "", roles: [], unit: null, teams: [], locale: "en", actions: [] };

export async function signIn(client: QueryClient, login: string, password: string, code?: string): Promise<Session> {
  const session = take(await call("session_open", { body: { login, password, ...(code ? { code } : {}) } }));
  client.setQueryData(sessionQuery.queryKey, session);
  return session;
}

export async function signOut(): Promise<void> {
  await call("session_close");
  sessionStorage.clear();
  // A full load: nothing of what was shown stays in memory.
  location.assign("/app/sign-in");
}

/** Keeps the session alive, because somebody said so. */
export async function stay(): Promise<void> {
  take(await call("session_show"));
}

/** Milliseconds until the session ends if nothing more is asked of the server. */
export function sessionLeft(now = Date.now()): number {
  const idle = wire.lastSeen + limits.SESSION_IDLE_SECONDS * 1000 - now;
  const until = sessionStorage.getItem(UNTIL);
  const absolute = until ? new Date(until).getTime() - now : Infinity;
  return Math.min(idle, absolute);
}

/** The same, each second; a component that shows it draws itself again. */
export function useSessionLeft(): number {
  const [left, setLeft] = useState(sessionLeft);
  useEffect(() => {
    const timer = setInterval(() => setLeft(sessionLeft()), 1000);
    return () => clearInterval(timer);
  }, []);
  return left;
}
