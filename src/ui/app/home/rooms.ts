// How much room each widget took when it last had its content: while it is read again, nothing below it jumps. Kept in this
// browser; numbers only, nothing of what was shown.

import { useEffect, useState, type CSSProperties, type RefObject } from "react";

const PLACE = "kontor.rooms";

function kept(): { [widget: string]: number } {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(PLACE) ?? "{}");
    return found && typeof found === "object" ? (found as { [widget: string]: number }) : {};
  } catch {
    return {};
  }
}

/** Keeps the height of a widget once it is settled; hands back that of the last time, for the style sheet to use until then. */
export function useRoom(id: string, place: RefObject<HTMLElement | null>): CSSProperties {
  const [room] = useState(() => Number(kept()[id]) || 0);
  useEffect(() => {
    const widget = place.current;
    if (!widget) return undefined;
    const sizes = new ResizeObserver(() => {
      if (widget.querySelector("[data-bone]")) return;
      try {
        localStorage.setItem(PLACE, JSON.stringify({ ...kept(), [id]: widget.offsetHeight }));
      } catch {
        // A browser that keeps nothing draws it without.
      }
    });
    sizes.observe(widget);
    return () => sizes.disconnect();
  }, [id, place]);
  return { "--room": `${room}px` } as CSSProperties;
}
