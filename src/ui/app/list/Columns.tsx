// Chooses the columns of a list and their order, by mouse and by keyboard.

import { useState } from "react";
import { useT } from "~/i18n";
import { Button, IconButton } from "~/lib/basics";
import { CheckField } from "~/lib/fields";
import libCss from "~/lib/lib.module.css";
import { Popover } from "~/lib/overlays";
import { layoutOf } from "~/model/layouts";
import { canSee, fieldLabel, useMetas, type Meta } from "~/model/meta";
import css from "./list.module.css";

/** Paths that can be a column: own fields, and the title of each single reference. */
function offered(meta: Meta, metas: ReturnType<typeof useMetas>): string[] {
  return [...meta.fields.values()]
    .filter((field) => canSee(meta, field.name) && !["json", "file"].includes(field.type))
    .map((field) => {
      const target = field.type === "reference" && field.targets?.length === 1 ? metas.get(field.targets[0] ?? "") : undefined;
      return target?.may.read ? `${field.name}.${target.titleField}` : field.name;
    });
}

export function Columns({ meta, columns, onChange, onReset }: { meta: Meta; columns: string[]; onChange: (columns: string[]) => void; onReset: () => void }) {
  const t = useT();
  const metas = useMetas();
  const [open, setOpen] = useState(false);
  const [text, setText] = useState("");
  const rest = offered(meta, metas).filter((path) => !columns.includes(path) && fieldLabel(meta, path, metas).toLowerCase().includes(text.trim().toLowerCase()));
  const move = (index: number, by: number) => {
    const next = [...columns];
    const [moved] = next.splice(index, 1);
    if (moved) next.splice(index + by, 0, moved);
    onChange(next);
  };
  const same = columns.join() === layoutOf(meta).columns.join();
  return (
    <Popover open={open} onOpen={setOpen} align="end" width={320} label={t("list.columns")} target={<IconButton icon="columns" label={t("list.columns")} aria-expanded={open} onClick={() => setOpen(!open)} />}>
      <div className={css.chooser}>
        <ol className={css.chooserList} aria-label={t("list.shown")}>
          {columns.map((path, index) => {
            const name = fieldLabel(meta, path, metas);
            return (
              <li key={path}>
                <span className="clip">{name}</span>
                <IconButton small icon="up" label={t("list.up", { name })} blocked={index === 0 ? t("list.isFirst") : undefined} onClick={() => move(index, -1)} />
                <IconButton small icon="down" label={t("list.down", { name })} blocked={index === columns.length - 1 ? t("list.isLast") : undefined} onClick={() => move(index, 1)} />
                <IconButton small icon="close" label={t("list.hide", { name })} blocked={columns.length === 1 ? t("list.oneStays") : undefined} onClick={() => onChange(columns.filter((one) => one !== path))} />
              </li>
            );
          })}
        </ol>
        <input className={libCss.input} aria-label={t("list.findColumn")} placeholder={t("list.findColumn")} value={text} maxLength={80} onChange={(event) => setText(event.target.value)} />
        <div className={css.chooserChecks} role="group" aria-label={t("list.more")}>
          {rest.map((path) => (
            <CheckField key={path} label={fieldLabel(meta, path, metas)} checked={false} onChange={() => onChange([...columns, path])} />
          ))}
        </div>
        <div className={css.editorFoot}>
          <Button small tone="quiet" blocked={same ? t("list.isStandard") : undefined} onClick={onReset}>
            {t("list.standard")}
          </Button>
        </div>
      </div>
    </Popover>
  );
}
