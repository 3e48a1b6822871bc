// Units as a tree. Made from the list of units and their parents; a ring of parents (which a careless import can leave) does not
// hang it: units of a ring stand at the top.

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { call } from "~/api/client";
import { limits, type RecordView } from "~/api/types.gen";
import { useMetas } from "~/model/meta";

/** At most so many units are drawn as a tree. */
const UNITS_MAX = 2000;

export type Unit = { id: string; name: string; code: string; parent: string | null; record: RecordView };
export type Node = Unit & { children: Node[]; depth: number; /** Whether it stands at the top because its parents form a ring. */ ring: boolean };

export function treeOf(units: Unit[]): Node[] {
  const byId = new Map(units.map((unit) => [unit.id, { ...unit, children: [], depth: 0, ring: false } as Node]));
  const top: Node[] = [];
  for (const node of byId.values()) {
    const seen = new Set([node.id]);
    let above = byId.get(node.parent ?? "");
    while (above && !seen.has(above.id)) {
      seen.add(above.id);
      above = byId.get(above.parent ?? "");
    }
    node.ring = above?.id === node.id;
    const parent = node.ring ? undefined : byId.get(node.parent ?? "");
    (parent ? parent.children : top).push(node);
  }
  const order = (nodes: Node[], depth: number) => {
    nodes.sort((a, b) => a.code.localeCompare(b.code) || a.name.localeCompare(b.name));
    for (const node of nodes) {
      node.depth = depth;
      order(node.children, depth + 1);
    }
  };
  order(top, 0);
  return top;
}

export function flatten(nodes: Node[], shut: ReadonlySet<string> = new Set()): Node[] {
  return nodes.flatMap((node) => [node, ...(shut.has(node.id) ? [] : flatten(node.children, shut))]);
}

/** Whether `id` is `node` or stands below it. */
export function within(node: Node, id: string): boolean {
  return node.id === id || node.children.some((child) => within(child, id));
}

async function allUnits(signal: AbortSignal): Promise<Unit[]> {
  const units: Unit[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: RecordView[]; next: string | null } = await call("record_query", { params: { object: "unit" }, body: { fields: ["name", "code", "type", "parent", "active_to", "data_boundary"], sort: ["name"], limit: limits.PAGE_ROWS_MAX, ...(cursor ? { cursor } : {}) }, signal });
    for (const one of page.items) {
      const parent = one.fields["parent"];
      units.push({ id: one.id, name: String(one.fields["name"] ?? ""), code: String(one.fields["code"] ?? ""), parent: typeof parent === "string" ? parent : null, record: one });
    }
    cursor = page.next;
  } while (cursor && units.length < UNITS_MAX);
  return units;
}

export function useUnits() {
  const readable = useMetas().get("unit")?.may.read ?? false;
  const query = useQuery({ queryKey: ["list", "unit", "tree"], queryFn: ({ signal }) => allUnits(signal), enabled: readable });
  const tree = useMemo(() => treeOf(query.data ?? []), [query.data]);
  const flat = useMemo(() => flatten(tree), [tree]);
  return { query, tree, flat };
}
