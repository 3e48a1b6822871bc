// Where the focus was before something was laid over the page, and the way back to it. It takes no focus that went elsewhere.

import { useEffect, useState } from "react";

/** Who should have the focus again: of an entry in a menu, which is gone by then, the button of the menu. */
function holder(): HTMLElement | null {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement)) return null;
  const menu = active.closest("[role=menu]");
  return menu?.id ? document.querySelector<HTMLElement>(`[aria-controls="${CSS.escape(menu.id)}"]`) : active;
}

/** Gives the focus back when this is closed or taken away. Looked up while rendering: a field with autofocus takes it before any effect runs. */
export function useFocusBack(open: boolean): void {
  const [state, setState] = useState(() => ({ open, from: open ? holder() : null }));
  if (state.open !== open) setState({ open, from: open ? holder() : state.from });
  const { from } = state;
  useEffect(() => {
    if (!open) return undefined;
    return () => {
      setTimeout(() => {
        const now = document.activeElement;
        if (from?.isConnected && (now === null || now === document.body)) from.focus({ preventScroll: true });
      });
    };
  }, [open, from]);
}
