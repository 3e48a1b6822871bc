// The one h1 of a page. It takes the focus after a navigation, so that keyboard and screen reader begin at the new page, and
// it names the browser tab.

import { useEffect, useRef, type ReactNode } from "react";

/** The first page after loading keeps the focus where the browser puts it. */
let navigated = false;

export function PageTitle({ title, children, quiet, className }: { title: string; children?: ReactNode; quiet?: boolean; className?: string | undefined }) {
  const place = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = title ? `${title} · Kontor` : "Kontor";
  }, [title]);
  useEffect(() => {
    if (navigated) place.current?.focus({ preventScroll: true });
    navigated = true;
  }, []);
  return (
    <h1 ref={place} tabIndex={-1} className={quiet ? "sr" : className}>
      {children ?? title}
    </h1>
  );
}
