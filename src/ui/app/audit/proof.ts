// The arithmetic of the log in the browser: checkpoints (C2SP signed note), leaf hashes out of entry bundles, and proofs as RFC
// 9162 section 2.1 checks them. It trusts nothing that it can compute, but it runs on a page of the same server: who doubts the
// server uses tools from elsewhere.

import { call, callBytes } from "~/api/client";

export type Bytes = Uint8Array<ArrayBuffer>;
export type Checkpoint = { text: string; origin: string; size: number; root: string; signed: { name: string; bytes: Bytes }[]; body: string };

export const hex = (bytes: Bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function fromHex(text: string): Bytes {
  return new Uint8Array((text.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
}

export function fromBase64(text: string): Bytes {
  return Uint8Array.from(atob(text.trim()), (sign) => sign.charCodeAt(0));
}

async function hash(...parts: Bytes[]): Promise<Bytes> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}

const pair = (left: Bytes, right: Bytes) => hash(Uint8Array.of(1), left, right);
export const leafHash = (entry: Bytes) => hash(Uint8Array.of(0), entry);

/** Reads a checkpoint; null when it is none. */
export function readCheckpoint(text: string): Checkpoint | null {
  const [body, notes] = text.split("\n\n", 2);
  const [origin, size, root] = (body ?? "").split("\n");
  if (!origin || !size || !root || !/^\d{1,15}$/.test(size)) return null;
  try {
    const signed = (notes ?? "")
      .split("\n")
      .filter((line) => line.startsWith("\u2014 "))
      .map((line) => {
        const [name = "", value = ""] = line.slice(2).split(" ");
        return { name, bytes: fromBase64(value) };
      });
    return { text, origin, size: Number(size), root: hex(fromBase64(root)), signed, body: `${body}\n` };
  } catch {
    return null;
  }
}

export async function fetchCheckpoint(signal?: AbortSignal): Promise<Checkpoint> {
  const text = new TextDecoder().decode(await callBytes("audit_checkpoint", signal ? { signal } : {}));
  const read = readCheckpoint(text);
  if (!read) throw new Error("no checkpoint");
  return read;
}

/** N in groups of three digits, all but the last after an x. */
export function tileName(index: number): string {
  const groups: string[] = [];
  for (let rest = index, first = true; first || rest > 0; rest = Math.floor(rest / 1000), first = false) groups.unshift(String(rest % 1000).padStart(3, "0"));
  return groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join("/");
}

const BUNDLE = 256;

/** Entries of a bundle, each after its length in two big-endian bytes. */
export function entryOf(bundle: Bytes, place: number): Bytes | null {
  let at = 0;
  for (let number = 0; at + 2 <= bundle.length; number += 1) {
    const length = (bundle[at] ?? 0) * 256 + (bundle[at + 1] ?? 0);
    if (number === place) return bundle.slice(at + 2, at + 2 + length);
    at += 2 + length;
  }
  return null;
}

/** The bytes of one entry as they lie in the log, when the log has `size` entries. */
export async function fetchEntry(seq: number, size: number): Promise<Bytes | null> {
  const bundle = Math.floor(seq / BUNDLE);
  const width = size - bundle * BUNDLE;
  const path = `entries/${tileName(bundle)}${width < BUNDLE ? `.p/${width}` : ""}`;
  return entryOf(await callBytes("audit_tile", { params: { path } }), seq % BUNDLE);
}

export async function inclusionHolds(seq: number, size: number, leaf: Bytes, hashes: Bytes[], root: string): Promise<boolean> {
  let [at, last, now] = [seq, size - 1, leaf];
  if (seq >= size) return false;
  for (const other of hashes) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      now = await pair(other, now);
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else {
      now = await pair(now, other);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && hex(now) === root;
}

export async function consistencyHolds(old: { size: number; root: string }, now: { size: number; root: string }, hashes: Bytes[]): Promise<boolean> {
  if (old.size === 0) return true;
  if (old.size === now.size) return old.root === now.root && hashes.length === 0;
  if (old.size > now.size) return false;
  const whole = Number.isInteger(Math.log2(old.size));
  const path = whole ? [fromHex(old.root), ...hashes] : hashes;
  let [at, last] = [old.size - 1, now.size - 1];
  while (at % 2 === 1) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  let [first, second] = [path[0], path[0]];
  if (!first || !second) return false;
  for (const other of path.slice(1)) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      first = await pair(other, first);
      second = await pair(other, second);
      while (at % 2 === 0 && at !== 0) [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
    } else {
      second = await pair(second, other);
    }
    [at, last] = [Math.floor(at / 2), Math.floor(last / 2)];
  }
  return last === 0 && hex(first) === old.root && hex(second) === now.root;
}

export type Proven = { holds: boolean; size: number; root: string; leaf: string; steps: number; signedSize: number | null };

/** Fetches an entry, its proof and the checkpoint, and computes whether they belong together. */
export async function prove(seq: number): Promise<Proven> {
  for (let again = 0; ; again += 1) {
    const [proof, checkpoint] = [await call("audit_proof_inclusion", { params: { seq } }), await fetchCheckpoint()];
    // Reading the log is itself logged, so the checkpoint may have moved between the two answers.
    if (proof.size !== checkpoint.size && again < 4) continue;
    const entry = await fetchEntry(seq, proof.size);
    const leaf = entry ? await leafHash(entry) : null;
    const holds = leaf !== null && (await inclusionHolds(seq, proof.size, leaf, proof.hashes.map(fromHex), proof.root));
    const same = proof.size === checkpoint.size;
    return { holds: holds && (!same || proof.root === checkpoint.root), size: proof.size, root: proof.root, leaf: leaf ? hex(leaf) : "", steps: proof.hashes.length, signedSize: same ? checkpoint.size : null };
  }
}

/** Whether the log still begins with an older checkpoint. */
export async function stillBegins(old: Checkpoint): Promise<{ holds: boolean; size: number }> {
  const proof = await call("audit_proof_consistency", { params: { size: old.size } });
  return { holds: await consistencyHolds(old, proof, proof.hashes.map(fromHex)), size: proof.size };
}

/** Checks the signature with the key as text (`name+id+key`). `cannot`: this browser has no Ed25519. */
export async function signatureHolds(checkpoint: Checkpoint, keyText: string): Promise<"holds" | "wrong" | "cannot" | "noKey"> {
  const [, name = "", id = "", value = ""] = /^\s*([^+\s]+)\+([0-9a-f]{8})\+(\S+)\s*$/.exec(keyText) ?? [];
  let raw: Bytes;
  try {
    raw = fromBase64(value);
  } catch {
    return "noKey";
  }
  if (raw.length !== 33 || raw[0] !== 1) return "noKey";
  const signature = checkpoint.signed.find((one) => one.name === name && hex(one.bytes.slice(0, 4)) === id);
  if (!signature) return "wrong";
  try {
    const key = await crypto.subtle.importKey("raw", raw.slice(1), "Ed25519", false, ["verify"]);
    const good = await crypto.subtle.verify("Ed25519", key, signature.bytes.slice(4), new TextEncoder().encode(checkpoint.body));
    return good ? "holds" : "wrong";
  } catch {
    return "cannot";
  }
}
