// Short messages at the edge of the page, read out by screen readers. One with an action stays ten seconds; an error stays
// until it is closed. They never hold the only copy of anything.

import { useSyncExternalStore } from "react";
import { Button, IconButton } from "./basics";
import { Icon } from "./icons";
import css from "./lib.module.css";

type Toast = { id: number; text: string; note?: string | undefined; tone: "plain" | "good" | "bad"; action?: { label: string; act: () => void } | undefined };

let toasts: Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();

function set(now: Toast[]): void {
  toasts = now;
  for (const listener of listeners) listener();
}

export function closeToast(id: number): void {
  set(toasts.filter((toast) => toast.id !== id));
}

export function toast(text: string, options: { tone?: Toast["tone"]; note?: string; action?: Toast["action"] } = {}): number {
  const id = next++;
  const tone = options.tone ?? "plain";
  set([...toasts.filter((one) => one.text !== text), { id, text, tone, note: options.note, action: options.action }].slice(-4));
  if (tone !== "bad") setTimeout(() => closeToast(id), options.action ? 10_000 : 5_000);
  return id;
}

export function Toasts({ label, closeLabel }: { label: string; closeLabel: string }) {
  const now = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
  return (
    <section className={css.toasts} aria-label={label} aria-live="polite" aria-relevant="additions">
      {now.map((one) => (
        <div key={one.id} className={css.toast} data-tone={one.tone} role={one.tone === "bad" ? "alert" : undefined}>
          <Icon name={one.tone === "bad" ? "warn" : one.tone === "good" ? "check" : "info"} />
          <div className={css.toastText}>
            {one.text}
            {one.note ? <div className={css.quote}>{one.note}</div> : null}
          </div>
          {one.action ? (
            <Button
              small
              onClick={() => {
                closeToast(one.id);
                one.action?.act();
              }}
            >
              {one.action.label}
            </Button>
          ) : null}
          <IconButton icon="close" label={closeLabel} small onClick={() => closeToast(one.id)} />
        </div>
      ))}
    </section>
  );
}
