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

const PROBE_MILLISECONDS = 5000;
let probing: ReturnType<typeof setInterval> | undefined;

function reached(now: boolean): void {
  if (wire.reachable === now) return;
  wire.reachable = now;
  clearInterval(probing);
  if (!now) probing = setInterval(() => void probe(), PROBE_MILLISECONDS);
  tell();
}

/** Looks whether the server answers again. It asks nothing that would keep a session alive. */
async function probe(): Promise<void> {
  try {
    if ((await fetch("/healthz", { cache: "no-store", credentials: "omit" })).ok) reached(true);
  } catch {
    // Still away; the next look comes by itself.
  }
}

window.addEventListener("offline", () => reached(false));
window.addEventListener("online", () => void probe());

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

/** Signing in is no reason to ask for a sign-in, and neither is a look aside while somebody types. */
const WITHOUT_SESSION = new Set<Name>(["session_open", "session_show", "session_close", "record_duplicates"]);

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

export type Upload<N extends Name> = { file: Blob; query?: Partial<Operations[N]["query"]>; name: string; signal: AbortSignal; /** The part that was sent, from 0 to 1. */ progress: (part: number) => void };

/** Sends a file as the body. Only the older way of asking can tell how far a body has gone. */
export async function callUpload<N extends Name>(name: N, params: Operations[N]["params"], { file, name: title, signal, progress, query = {} }: Upload<N>): Promise<Operations[N]["answer"]> {
  const sendFile = (of: N) =>
    new Promise<Response>((done, failed) => {
      const [verb, path] = operations[of];
      const request = new XMLHttpRequest();
      const stop = () => request.abort();
      request.open(verb, address(path, params, query));
      headersOf(verb, {}).forEach((value, header) => request.setRequestHeader(header, value));
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.setRequestHeader("Content-Disposition", `attachment; filename*=UTF-8''${encodeURIComponent(title).replace(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)}`);
      request.upload.onprogress = (event) => (event.lengthComputable ? progress(event.loaded / event.total) : undefined);
      request.onload = () => {
        reached(true);
        const requestId = request.getResponseHeader("X-Request-Id") ?? "";
        done(new Response(request.status === 204 ? null : request.responseText, { status: request.status, headers: { "X-Request-Id": requestId } }));
      };
      request.onerror = () => {
        reached(false);
        failed(new Refusal({ code: "unreachable" }));
      };
      request.onabort = () => failed(new DOMException("stopped", "AbortError"));
      request.onloadend = () => signal.removeEventListener("abort", stop);
      signal.addEventListener("abort", stop);
      if (signal.aborted) request.abort();
      else request.send(file);
    });
  const answer = await answerTo(name, { params } as Args<N>, sendFile);
  return (await answer.json()) as Operations[N]["answer"];
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
