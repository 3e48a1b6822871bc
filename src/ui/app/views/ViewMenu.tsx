// The menu of saved views beside the name of a list: own ones, shared ones, and what can be done with the one that is shown.
// What was changed and not saved is marked, and can be saved or dropped.

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "~/api/client";
import { errorNote, errorText } from "~/api/errors";
import { refusalOf } from "~/api/problem";
import type { View } from "~/api/types.gen";
import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { Menu, type MenuItems } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import type { ListState } from "~/list/state";
import { objectLabel, type Meta } from "~/model/meta";
import { KIND_ICONS, viewsKey } from "~/model/views";
import { useStar } from "~/shell/favourites";
import { definitionOf, isChanged, kindOf, NO_VIEW, searchOf } from "./data";
import { ViewDialog, type ViewDraft } from "./ViewDialog";
import css from "./views.module.css";

/** Nothing of the list before stays when another view is chosen. */
const BLANK = { f: "", sort: "", cols: "", by: "", sums: "", as: "", q: "", peek: "", deleted: "", view: "", at: "", span: "" };

export function ViewMenu({ meta, state, views }: { meta: Meta; state: ListState; views: View[] }) {
  const t = useT();
  const client = useQueryClient();
  const [dialog, setDialog] = useState<"new" | "edit" | null>(null);
  const [busy, setBusy] = useState(false);
  const { set } = state;
  const current = views.find((view) => view.id === state.search.view);
  const changed = current !== undefined && isChanged(meta, current, state);
  const star = useStar({ kind: "view", object: meta.name, id: current?.id ?? "" }, current?.name ?? "");
  const choose = (view: View | null) => set({ ...BLANK, ...(view ? searchOf(view) : { view: NO_VIEW }) });
  const all = t("view.all", { objects: objectLabel(meta, true) });

  /** Does it and says what went wrong; the list of views is read again either way. */
  async function act<R>(work: () => Promise<R>): Promise<R | null> {
    setBusy(true);
    try {
      return await work();
    } catch (error) {
      toast(errorText(error), { tone: "bad", note: refusalOf(error).detail || errorNote(error) });
      return null;
    } finally {
      await client.invalidateQueries({ queryKey: viewsKey(meta.name) });
      setBusy(false);
    }
  }
  const params = (view: View) => ({ object: meta.name, view: view.id });

  const save = (view: View) => act(() => call("view_change", { params: params(view), version: view.version, body: { kind: kindOf(state.search), definition: definitionOf(meta, state) } })).then((saved) => (saved ? void toast(t("view.saved", { name: view.name }), { tone: "good" }) : undefined));

  async function finish(draft: ViewDraft): Promise<unknown> {
    setBusy(true);
    try {
      if (dialog === "new") {
        const made = await call("view_create", { params: { object: meta.name }, body: { ...draft, kind: kindOf(state.search), definition: definitionOf(meta, state) } });
        await client.invalidateQueries({ queryKey: viewsKey(meta.name) });
        set({ ...BLANK, ...searchOf(made), q: state.search.q ?? "" });
      } else if (current) {
        await call("view_change", { params: params(current), version: current.version, body: draft });
        await client.invalidateQueries({ queryKey: viewsKey(meta.name) });
      }
      setDialog(null);
      toast(t("view.saved", { name: draft.name }), { tone: "good" });
      return null;
    } catch (error) {
      return error;
    } finally {
      setBusy(false);
    }
  }

  async function remove(view: View) {
    const gone = await act(async () => {
      await call("view_delete", { params: params(view), version: view.version });
      return true;
    });
    if (!gone) return;
    choose(null);
    const { name, kind, definition, shared, roles, default_roles } = view;
    toast(t("view.deleted", { name }), { action: { label: t("act.undo"), act: () => void act(() => call("view_create", { params: { object: meta.name }, body: { name, kind, definition, shared, roles, default_roles, default: view.default } })).then((made) => (made ? choose(made) : undefined)) } });
  }

  const entry = (view: View) => ({ label: view.name, checked: view.id === current?.id, end: view.default ? <Icon name="flag" size={12} title={t("view.isDefault")} /> : <Icon name={KIND_ICONS[view.kind]} size={12} />, act: () => choose(view) });
  const mine = views.filter((view) => view.mine);
  const shared = views.filter((view) => !view.mine);
  const foreign = current && !current.mine ? t("view.notYours") : undefined;
  const items: MenuItems = [
    { label: all, checked: !current, act: () => choose(null) },
    ...(mine.length > 0 ? [{ kind: "group" as const, label: t("view.mine") }, ...mine.map(entry)] : []),
    ...(shared.length > 0 ? [{ kind: "group" as const, label: t("view.shared") }, ...shared.map(entry)] : []),
    { kind: "rule" },
    ...(current
      ? [
          { label: t("view.save"), icon: "check" as const, blocked: foreign ?? (changed ? undefined : t("view.nothingToSave")), act: () => void save(current) },
          { label: t("view.edit"), icon: "edit" as const, blocked: foreign, act: () => setDialog("edit") },
          { label: star.label, icon: "star" as const, act: star.toggle },
          { label: current.default ? t("view.noDefault") : t("view.makeDefault"), icon: "flag" as const, act: () => void act(() => call("view_change", { params: params(current), version: current.version, body: { default: !current.default } })) },
          { label: t("view.delete"), icon: "trash" as const, danger: true, blocked: foreign, act: () => void remove(current) },
        ]
      : []),
    { label: t("view.saveAs"), icon: "plus", act: () => setDialog("new") },
  ];
  return (
    <span className={css.place}>
      <Menu
        label={t("view.label")}
        items={items}
        target={
          <button type="button" className={css.button}>
            <span className="clip">{current ? current.name : all}</span>
            {current && (current.shared !== "private" || !current.mine) ? <Icon name="users" size={13} title={t("view.isShared")} /> : null}
            <Icon name="down" size={12} />
          </button>
        }
      />
      {changed ? (
        <span className={css.changed}>
          <span className={css.mark}>{t("view.changed")}</span>
          {foreign ? (
            <Button small onClick={() => setDialog("new")}>
              {t("view.saveAs")}
            </Button>
          ) : (
            <Button small busy={busy} onClick={() => current && void save(current)}>
              {t("act.save")}
            </Button>
          )}
          <Button small tone="quiet" onClick={() => current && choose(current)}>
            {t("view.drop")}
          </Button>
        </span>
      ) : null}
      {dialog ? <ViewDialog view={dialog === "edit" ? (current ?? null) : null} busy={busy} onClose={() => setDialog(null)} onSave={finish} /> : null}
    </span>
  );
}
