// The builder of nested filters: groups of which all or any must hold, with conditions and further groups inside. Nothing is
// asked of the server before it is applied.

import { useState } from "react";
import { limits } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button, IconButton } from "~/lib/basics";
import libCss from "~/lib/lib.module.css";
import { Dialog } from "~/lib/overlays";
import { choices, count, isComplete, isLeaf, leafOf, parts, pruned, shownOp, type Leaf, type Node } from "~/model/filter";
import { useMetas, type Meta } from "~/model/meta";
import { ConditionLine, firstLeaf, operandOf } from "./ConditionEditor";
import css from "./list.module.css";

type Group = { and: Node[] } | { or: Node[] };

function complete(node: Node): boolean {
  return isLeaf(node) ? isComplete(shownOp(node), operandOf(node)) : parts(node).every(complete);
}

function GroupEditor({ meta, group, depth, onChange, onRemove }: { meta: Meta; group: Group; depth: number; onChange: (group: Group) => void; onRemove?: () => void }) {
  const t = useT();
  const metas = useMetas();
  const any = "or" in group;
  const inside = parts(group);
  const make = (list: Node[], or = any): Group => (or ? { or: list } : { and: list });
  const add = (): Leaf => {
    const first = choices(meta, metas)[0];
    if (!first) return { op: "mine" };
    const start = firstLeaf(first.field, first.path);
    return leafOf(first.path, start.op, start.value);
  };
  return (
    <div className={css.tree} role="group" aria-label={any ? t("filter.any") : t("filter.allOf")}>
      <div className={css.treeHead}>
        <select className={libCss.input} style={{ width: "auto" }} aria-label={t("filter.join")} value={any ? "or" : "and"} onChange={(event) => onChange(make(inside, event.target.value === "or"))}>
          <option value="and">{t("filter.allOf")}</option>
          <option value="or">{t("filter.any")}</option>
        </select>
        <Button small icon="plus" onClick={() => onChange(make([...inside, add()]))}>
          {t("filter.condition")}
        </Button>
        {depth < limits.FILTER_DEPTH_MAX - 2 ? (
          <Button small icon="plus" onClick={() => onChange(make([...inside, any ? { and: [add()] } : { or: [add()] }]))}>
            {t("filter.group")}
          </Button>
        ) : null}
        {onRemove ? <IconButton small icon="trash" label={t("filter.removeGroup")} onClick={onRemove} /> : null}
      </div>
      {inside.map((node, index) => {
        const replace = (next: Node) => onChange(make(inside.map((one, at) => (at === index ? next : one))));
        const remove = () => onChange(make(inside.filter((_, at) => at !== index)));
        if (!isLeaf(node)) return <GroupEditor key={index} meta={meta} group={node} depth={depth + 1} onChange={replace} onRemove={remove} />;
        return (
          <div key={`${index}-${inside.length}`} className={css.condition}>
            <ConditionLine meta={meta} leaf={node} onChange={replace} />
            <IconButton icon="close" label={t("filter.removeCondition")} onClick={remove} />
          </div>
        );
      })}
    </div>
  );
}

export function FilterBuilder({ meta, node, onClose, onApply }: { meta: Meta; node: Node | null; onClose: () => void; onApply: (node: Node | null) => void }) {
  const t = useT();
  const [tree, setTree] = useState<Group>(node && !isLeaf(node) ? node : { and: node ? [node] : [] });
  const ready = parts(tree).every(complete);
  const many = count(tree) > limits.FILTER_LEAVES_MAX;
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("filter.builder")}
      closeLabel={t("act.close")}
      size="wide"
      easy={false}
      foot={
        <>
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button tone="primary" blocked={!ready ? t("filter.incomplete") : many ? t("filter.many", { count: limits.FILTER_LEAVES_MAX }) : undefined} onClick={() => onApply(pruned(tree))}>
            {t("filter.apply")}
          </Button>
        </>
      }
    >
      <GroupEditor meta={meta} group={tree} depth={0} onChange={setTree} />
    </Dialog>
  );
}
