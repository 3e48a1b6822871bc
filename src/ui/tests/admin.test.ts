// What administration and the audit desk compute: the tree of units, rights of roles, names and options, proofs, files of entries.

import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { expect, test } from "vitest";
import { nameFrom, optionsFrom } from "~/admin/FieldDialogs";
import type { RoleView } from "~/admin/data";
import { firstPassword } from "~/admin/passwords";
import { recordIn } from "~/admin/RightsCheck";
import { draftOf, exceptions, levelFor, named, patchOf, rowsOf, scopeOf, withAct, withField, withLevel, withScope } from "~/admin/rights";
import { byObject, levelText, scopeText } from "~/admin/roleWords";
import { networks } from "~/admin/Tokens";
import { flatten, treeOf, within, type Unit } from "~/admin/tree";
import { cell, csvOf } from "~/audit/exporting";
import { consistencyHolds, entryOf, fromHex, hex, inclusionHolds, leafHash, readCheckpoint, signatureHolds, tileName, type Bytes } from "~/audit/proof";
import type { Entry } from "~/audit/words";

const unit = (id: string, parent: string | null): Unit => ({ id, name: id, code: id, parent, record: { id, object: "unit", version: 1, fields: {} } });

test("units become a tree; a ring of parents stands at the top instead of hanging the page", () => {
  const tree = treeOf([unit("b", "a"), unit("a", null), unit("c", "b"), unit("lost", "gone")]);
  expect(flatten(tree).map((node) => `${node.depth}${node.id}`)).toEqual(["0a", "1b", "2c", "0lost"]);
  expect(flatten(tree, new Set(["b"])).map((node) => node.id)).toEqual(["a", "b", "lost"]);
  expect(tree[0] && within(tree[0], "c")).toBe(true);
  const ring = treeOf([unit("x", "y"), unit("y", "x"), unit("z", "y")]);
  expect(flatten(ring).map((node) => `${node.id}${node.ring}`)).toEqual(["xtrue", "ytrue", "zfalse"]);
});

const role = (more: Partial<RoleView>): RoleView => ({ name: "r", label: { en: "R", zh: "R" }, description: { en: "", zh: "" }, kind: "business", objects: {}, levels: {}, object_levels: {}, fields: {}, actions: [], forbid: { objects: {}, fields: [], actions: [] }, assignable: true, custom: true, ...more });
const row = (name: string, kind = "business") => ({ name, kind, label: name });

test("rights: a named object goes before its kind, what is forbidden wins, administrators see no customers", () => {
  const seller = role({ objects: { "*": { read: "own" }, account: { read: "team", delete: "own" }, organisation: { read: "all" } }, forbid: { objects: { account: ["delete"], "*": ["reveal"] }, fields: [], actions: [] } });
  expect([scopeOf(seller, row("account"), "read"), scopeOf(seller, row("lead"), "read"), scopeOf(seller, row("user", "organisation"), "read"), scopeOf(seller, row("tag", "reference"), "read")]).toEqual(["team", "own", "all", "none"]);
  expect([scopeOf(seller, row("account"), "delete"), scopeOf(seller, row("x_new"), "reveal")]).toEqual(["forbidden", "forbidden"]);
  expect(scopeOf(role({ kind: "audit_administration", objects: { "*": { read: "all" } } }), row("account"), "read")).toBe("none");
  const levels = role({ levels: { S2: "masked" }, object_levels: { user: { S2: "read" } } });
  expect([levelFor(levels, null, "S2"), levelFor(levels, "user", "S2"), levelFor(levels, "user", "S3")]).toEqual(["masked", "read", "none"]);
  expect(rowsOf([row("user", "organisation"), row("lead")], [seller], (name) => name).map((one) => one.name)).toEqual(["account", "lead", "*", "user"]);
});

test("a role is edited without touching what it was; only what differs is sent", () => {
  const before = draftOf(role({ objects: { "*": { read: "own" } }, levels: { S1: "edit" }, fields: { "account.phone": "read" } }));
  const account = row("account");
  let draft = named(before, account, true);
  expect(draft.objects["account"]).toEqual({ read: "own" });
  expect(Object.keys(patchOf(before, draft))).toEqual(["objects"]);
  draft = withScope(withScope(draft, "account", "delete", "forbidden"), "account", "read", "team");
  expect([draft.objects["account"], draft.forbid.objects]).toEqual([{ read: "team" }, { account: ["delete"] }]);
  draft = withScope(draft, "account", "delete", "own");
  expect([draft.objects["account"], draft.forbid.objects]).toEqual([{ read: "team", delete: "own" }, {}]);
  expect(patchOf(before, named(draft, account, false))).toEqual({});
  draft = withLevel(withField(withField(draft, "account.phone", ""), "account.email", "forbidden"), "account", "S3", "none");
  expect([draft.fields, draft.forbid.fields, exceptions(draft, "account")]).toEqual([{}, ["account.email"], 2]);
  expect(patchOf(before, withLevel(withField(withField(draft, "account.phone", "read"), "account.email", ""), "account", "S3", "")).object_levels).toBeUndefined();
  expect(withAct(withAct(draft, "bulk", "yes"), "bulk", "forbidden")).toMatchObject({ actions: [], forbid: { actions: ["bulk"] } });
  expect(before).toEqual(draftOf(role({ objects: { "*": { read: "own" } }, levels: { S1: "edit" }, fields: { "account.phone": "read" } })));
});

test("what roles say is put into words, and a pasted address gives object and record", () => {
  const say = (key: string) => key.split(".").at(-1) ?? "";
  expect(["none", "forbidden", "team+unit", "all"].map((scope) => scopeText(say, scope))).toEqual(["–", "forbidden", "team + unit", "all"]);
  expect(["edit", "none", "read:own masked:all"].map((level) => levelText(say, level))).toEqual(["edit", "hidden", "read (own), masked (all)"]);
  const verb = (object: string) => ({ kind: "verb" as const, object, verb: "read" as const, before: "none", after: "own", effect: "wider" as const });
  const act = { kind: "act" as const, act: "bulk" as const, before: "no", after: "yes", effect: "wider" as const };
  expect(byObject([verb("b"), act, verb("a"), verb("b")]).map(([group, lines]) => `${group}${lines.length}`)).toEqual(["b2", "a1", "+acts1"]);
  const id = "01890A5D-ac96-774b-bcce-b302099a8057";
  expect(recordIn(`https://crm.example/app/o/account/${id}?tab=x`)).toEqual({ record: id.toLowerCase(), object: "account" });
  expect([recordIn(` ${id} `).record, recordIn("Hafen GmbH").record]).toEqual([id.toLowerCase(), ""]);
});

test("names, options, networks and first passwords", () => {
  expect([nameFrom("Shoe size (EU)"), nameFrom("2nd Größe"), nameFrom("鞋码")]).toEqual(["shoe_size_eu", "nd_gro_e", ""]);
  expect(optionsFrom("gold = Gold / 金卡\n\n Silver card ")).toEqual([
    { code: "gold", label: { en: "Gold", zh: "金卡" } },
    { code: "silver_card", label: { en: "Silver card", zh: "Silver card" } },
  ]);
  expect(networks(" 10.0.0.0/8,\n192.168.1.1 ")).toEqual(["10.0.0.0/8", "192.168.1.1"]);
  expect(firstPassword()).toMatch(/^[a-km-np-z2-9]{5}(-[a-km-np-z2-9]{5}){3}$/);
  expect(firstPassword()).not.toBe(firstPassword());
});

test("cells of a file are no formulas", () => {
  expect(["=1+1", "+1", "-1", "@a", "\tx", "plain", 'say "a", b'].map(cell)).toEqual(["'=1+1", "'+1", "'-1", "'@a", "'\tx", "plain", '"say ""a"", b"']);
  const entry: Entry = { seq: 7, at: "2026-01-01T00:00:00Z", verb: "update", actor: "user", user: "u", on_behalf_of: null, auth: "password", channel: "ui", address: "::1", request: null, purpose: "=cmd()", object: "account", record: "r", ids: [], count: 0, fields: [["name", "clear"]], changed: ["name"], repeats: 1, phase: "single", outcome: "ok", decision: "allow", error: "", rules: [], note: "" };
  const lines = csvOf([entry], () => "-Ann").split("\r\n");
  expect(lines[0]?.startsWith("\ufeffseq,at,act,")).toBe(true);
  expect(lines[1]).toContain("name:clear");
  expect(lines[1]).toContain("'=cmd()");
  expect(lines[1]?.endsWith(",'-Ann")).toBe(true);
});

const sha = (...parts: Uint8Array[]): Bytes => new Uint8Array(createHash("sha256").update(Buffer.concat(parts)).digest());
const node = (left: Bytes, right: Bytes) => sha(Uint8Array.of(1), left, right);
const split = (size: number) => 2 ** Math.ceil(Math.log2(size) - 1);
const root = (leaves: Bytes[]): Bytes => (leaves.length === 1 ? (leaves[0] ?? sha()) : node(root(leaves.slice(0, split(leaves.length))), root(leaves.slice(split(leaves.length)))));
function path(at: number, leaves: Bytes[]): Bytes[] {
  if (leaves.length <= 1) return [];
  const cut = split(leaves.length);
  return at < cut ? [...path(at, leaves.slice(0, cut)), root(leaves.slice(cut))] : [...path(at - cut, leaves.slice(cut)), root(leaves.slice(0, cut))];
}
function older(size: number, leaves: Bytes[], whole: boolean): Bytes[] {
  if (size === leaves.length) return whole ? [] : [root(leaves)];
  const cut = split(leaves.length);
  return size <= cut ? [...older(size, leaves.slice(0, cut), whole), root(leaves.slice(cut))] : [...older(size - cut, leaves.slice(cut), false), root(leaves.slice(0, cut))];
}

test("proofs hold for every entry of trees of many sizes, and for nothing else", async () => {
  const entries = Array.from({ length: 21 }, (_, at) => new Uint8Array([at, 1, 2]));
  const all = await Promise.all(entries.map((entry) => leafHash(entry)));
  for (const size of [1, 2, 3, 7, 8, 13, 21]) {
    const leaves = all.slice(0, size);
    const top = hex(root(leaves));
    for (let at = 0; at < size; at += 1) {
      const leaf = leaves[at] ?? sha();
      expect(await inclusionHolds(at, size, leaf, path(at, leaves), top)).toBe(true);
      expect(await inclusionHolds(at, size, sha(leaf), path(at, leaves), top)).toBe(false);
      expect(await inclusionHolds((at + 1) % (size + 1), size, leaf, path(at, leaves), top)).toBe(false);
    }
    for (let old = 1; old <= size; old += 1) {
      const before = { size: old, root: hex(root(leaves.slice(0, old))) };
      expect(await consistencyHolds(before, { size, root: top }, older(old, leaves, true))).toBe(true);
      expect(await consistencyHolds({ ...before, root: hex(sha(fromHex(before.root))) }, { size, root: top }, older(old, leaves, true))).toBe(false);
    }
  }
});

test("tiles, bundles and checkpoints are read as the format says", async () => {
  expect([tileName(0), tileName(67), tileName(1234067)]).toEqual(["000", "067", "x001/x234/067"]);
  const bundle = new Uint8Array([0, 2, 7, 8, 0, 1, 9]);
  expect([entryOf(bundle, 0), entryOf(bundle, 1), entryOf(bundle, 2)]).toEqual([new Uint8Array([7, 8]), new Uint8Array([9]), null]);
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.concat([Buffer.from([1]), Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url")]);
  const name = "kontor.local/x/log";
  const id = createHash("sha256").update(Buffer.concat([Buffer.from(`${name}\n`), raw])).digest().subarray(0, 4);
  const body = `${name}\n5\n${Buffer.alloc(32, 3).toString("base64")}\n`;
  const note = `${body}\n\u2014 ${name} ${Buffer.concat([id, sign(null, Buffer.from(body), privateKey)]).toString("base64")}\n`;
  const checkpoint = readCheckpoint(note);
  expect(checkpoint && [checkpoint.origin, checkpoint.size, checkpoint.root]).toEqual([name, 5, "03".repeat(32)]);
  if (!checkpoint) return;
  const key = `${name}+${id.toString("hex")}+${raw.toString("base64")}\n`;
  expect(["holds", "cannot"]).toContain(await signatureHolds(checkpoint, key));
  expect(["wrong", "cannot"]).toContain(await signatureHolds({ ...checkpoint, body: body.replace("5", "6") }, key));
  expect([await signatureHolds(checkpoint, "nonsense"), readCheckpoint("no checkpoint")]).toEqual(["noKey", null]);
});
