// Table, board or calendar of the same records: what an object can be shown as, and the switch between them.

import { useT } from "~/i18n";
import type { FieldDef } from "~/api/types.gen";
import { calendarOf } from "~/calendar/model";
import { Icon } from "~/lib/icons";
import { HOUSE_OBJECTS, stageField, type Meta } from "~/model/meta";
import type { ListState } from "./state";
import css from "./list.module.css";

export type Shape = "table" | "board" | "calendar";

/** The field whose options are the columns of the board. */
export function boardField(meta: Meta, state: ListState): FieldDef | undefined {
  if (HOUSE_OBJECTS.has(meta.name)) return undefined;
  const wanted = state.search.as === "board" ? meta.fields.get(state.search.by ?? "") : undefined;
  const field = wanted?.type === "enum" ? wanted : stageField(meta);
  return field && meta.view.access[field.name]?.filterable ? field : undefined;
}

/** What is shown: the address's wish, when the object can be shown so. */
export function useShape(meta: Meta, state: ListState): Shape {
  if (state.search.deleted) return "table";
  if (state.search.as === "board" && boardField(meta, state)) return "board";
  if (state.search.as === "calendar" && calendarOf(meta)) return "calendar";
  return "table";
}

export function ViewSwitch({ meta, state, shape }: { meta: Meta; state: ListState; shape: Shape }) {
  const t = useT();
  const shapes: { shape: Shape; icon: "columns" | "board" | "activity" }[] = [{ shape: "table", icon: "columns" }];
  if (boardField(meta, state)) shapes.push({ shape: "board", icon: "board" });
  if (calendarOf(meta)) shapes.push({ shape: "calendar", icon: "activity" });
  if (shapes.length === 1 || state.search.deleted) return null;
  return (
    <div className={css.switch} role="group" aria-label={t("shape.label")}>
      {shapes.map((one) => (
        <button key={one.shape} type="button" aria-pressed={one.shape === shape} aria-label={t(`shape.${one.shape}`)} onClick={() => state.set({ as: one.shape === "table" ? "" : one.shape, by: "", peek: "" })}>
          <Icon name={one.icon} size={14} />
          <span className={one.shape === shape ? undefined : css.hideSmall}>{t(`shape.${one.shape}`)}</span>
        </button>
      ))}
    </div>
  );
}
