// What a control is for or why it cannot be used, in words beside it when one rests on it or comes to it by keyboard. One place
// for the whole page watches all controls, so that a page of two hundred of them does not carry two hundred watchers.

import { lazy, Suspense, useEffect, useState } from "react";

const TipBubble = lazy(() => import("./TipBubble"));

/** How long one rests on a control before the words come, in milliseconds. */
const REST_MILLISECONDS = 350;
export const TIP_ID = "tip";

export type Tipped = { place: HTMLElement; text: string };

function tipped(event: Event): HTMLElement | null {
  return event.target instanceof Element ? event.target.closest<HTMLElement>("[data-tip]") : null;
}

/** Calls `tell` with the control whose words are due, and with null when they are to go. */
function watch(tell: (now: Tipped | null) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let at: HTMLElement | null = null;
  const go = () => {
    clearTimeout(timer);
    at = null;
    tell(null);
  };
  const come = (place: HTMLElement) => {
    if (place === at) return;
    go();
    at = place;
    timer = setTimeout(() => {
      const text = place.isConnected ? place.dataset["tip"] : undefined;
      if (text) tell({ place, text });
    }, REST_MILLISECONDS);
  };
  const over = (event: PointerEvent) => {
    const place = event.pointerType === "touch" ? null : tipped(event);
    if (place) come(place);
    else if (at && !at.matches(":focus-visible")) go();
  };
  const into = (event: FocusEvent) => {
    const place = tipped(event);
    if (place?.matches(":focus-visible")) come(place);
    else if (at) go();
  };
  const out = () => (at && !at.matches(":hover") ? go() : undefined);
  // Escape takes the words away and nothing else with them (WCAG 2.1, 1.4.13); what lies under them hears the key as well.
  const key = (event: KeyboardEvent) => (event.key === "Escape" && at ? go() : undefined);
  document.addEventListener("pointerover", over);
  document.addEventListener("pointerdown", go);
  document.addEventListener("focusin", into);
  document.addEventListener("focusout", out);
  document.addEventListener("keydown", key, true);
  return () => {
    clearTimeout(timer);
    document.removeEventListener("pointerover", over);
    document.removeEventListener("pointerdown", go);
    document.removeEventListener("focusin", into);
    document.removeEventListener("focusout", out);
    document.removeEventListener("keydown", key, true);
  };
}

export function Tips() {
  const [now, setNow] = useState<Tipped | null>(null);
  useEffect(() => watch(setNow), []);
  useEffect(() => {
    const before = now?.place.getAttribute("aria-describedby");
    if (!now || before) return undefined;
    now.place.setAttribute("aria-describedby", TIP_ID);
    return () => now.place.removeAttribute("aria-describedby");
  }, [now]);
  if (!now) return null;
  return (
    <Suspense fallback={null}>
      <TipBubble place={now.place} text={now.text} />
    </Suspense>
  );
}
