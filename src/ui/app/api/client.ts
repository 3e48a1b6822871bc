// The only way to the server. Adds language, CSRF token, versions and idempotency keys; turns every error into a Refusal;
// waits for somebody to sign in again when the session has ended, then repeats the request. It keeps no answer.

import { operations, type Operations } from "./types.gen";
import { Refusal } from "./problem";

type Name = keyof Operations;
type None = { [key: string]: never };

export type Args<N extends Name> = {
  query?: Partial<Operations[N]["query"]>;
  /** The version that was read; sent as If-Match. */
  version?: number;
  /** Why; it is logged. */
  purpose?: string;
  signal?: AbortSignal;
  /** A key under which a repeated POST does its work once. */
  once?: string;
} & (Operations[N]["params"] extends None ? { params?: undefined } : { params: Operations[N]["params"] }) &
  (Operations[N]["body"] extends undefined ? { body?: undefined } : { body: Operations[N]["body"] });

type Listener = () => void;

/** What the client knows of the session; the shell fills and watches it. */
export const wire = {
  csrf: null as string | null,
  language: "en",
  /** When the server last knew of us, in milliseconds of this machine. */
  lastSeen: 0,
  reachable: true,
  /** Asks for a sign-in over the page; resolves when there is a session again. */
  signInAgain: null as (() => Promise<void>) | null,
  listeners: new Set<Listener>(),
};

function tell(): void {
  for (const listener of wire.listeners) listener();
}

export function watchWire(listener: Listener): () => void {
  wire.listeners.add(listener);
  return () => wire.listeners.delete(listener);
}

/** The address of an operation; each part is escaped. */
export function address(path: string, params: { [name: string]: unknown } = {}, query: { [name: string]: unknown } = {}): string {
  // A path inside of an address keeps its slashes.
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const text = String(params[name] ?? "");
    return name === "path" ? text.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(text);
  });
  const parts = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  const text = parts.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`).join("&");
  return text ? `${filled}?${text}` : filled;
}

function reached(now: boolean): void {
  if (wire.reachable === now) return;
  wire.reachable = now;
  tell();
}

/** What goes along with every request. */
function headersOf(verb: string, args: { version?: number; purpose?: string; once?: string }): Headers {
  const headers = new Headers({ Accept: "application/json", "Accept-Language": wire.language });
  if (verb !== "GET" && wire.csrf) headers.set("X-CSRF-Token", wire.csrf);
  if (args.version !== undefined) headers.set("If-Match", `"${args.version}"`);
  // A header is bytes; the server reads them as UTF-8.
  if (args.purpose) headers.set("X-Purpose", String.fromCharCode(...new TextEncoder().encode(args.purpose)));
  if (args.once) headers.set("Idempotency-Key", args.once);
  return headers;
}

async function send<N extends Name>(name: N, args: Args<N>): Promise<Response> {
  const [verb, path] = operations[name];
  const headers = headersOf(verb, args);
  if (args.body !== undefined) headers.set("Content-Type", "application/json");
  try {
    const answer = await fetch(address(path, args.params, args.query), {
      method: verb,
      headers,
      body: args.body === undefined ? null : JSON.stringify(args.body),
      signal: args.signal ?? null,
      credentials: "same-origin",
      cache: "no-store",
    });
    reached(true);
    return answer;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    reached(false);
    throw new Refusal({ code: "unreachable" });
  }
}

async function refusal(answer: Response): Promise<Refusal> {
  const requestId = answer.headers.get("X-Request-Id") ?? "";
  try {
    return new Refusal(await answer.json());
  } catch {
    return new Refusal({ status: answer.status, code: "internal", request_id: requestId });
  }
}

/** Signing in is no reason to ask for a sign-in. */
const WITHOUT_SESSION = new Set<Name>(["session_open", "session_show", "session_close"]);

/** The answer to one operation, as it came. */
async function answerTo<N extends Name>(name: N, args: Args<N>, by: (name: N, args: Args<N>) => Promise<Response> = send): Promise<Response> {
  for (let again = 0; ; again += 1) {
    const answer = await by(name, args);
    if (answer.ok) {
      wire.lastSeen = Date.now();
      tell();
      return answer;
    }
    const wrong = await refusal(answer);
    const ended = wrong.status === 401 || wrong.code === "csrf_required";
    if (ended && again < 3 && wire.signInAgain && !WITHOUT_SESSION.has(name)) {
      await wire.signInAgain();
      continue;
    }
    throw wrong;
  }
}

/** Does one operation of the API. */
export async function call<N extends Name>(name: N, ...rest: keyof Args<N> extends never ? [] : [args?: Args<N>]): Promise<Operations[N]["answer"]> {
  const answer = await answerTo(name, (rest[0] ?? {}) as Args<N>);
  return (answer.status === 204 ? undefined : await answer.json()) as Operations[N]["answer"];
}

/** Does one operation whose answer is not JSON. */
export async function callBytes<N extends Name>(name: N, args: Args<N>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await (await answerTo(name, args)).arrayBuffer());
}

/** The text of a page beside the API, such as one of the manual. It needs no session and keeps none alive. */
export async function pageText(path: string, signal: AbortSignal): Promise<string> {
  let answer: Response;
  try {
    answer = await fetch(path, { headers: { Accept: "text/html" }, signal, credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refusal({ code: "unreachable" });
  }
  if (!answer.ok) throw await refusal(answer);
  return answer.text();
}

/** A key for one act of one person; the same act repeated carries the same key. */
export function actKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
