// Keyboard shortcuts. One list of bindings; the last bound one that matches wins. Nothing happens while somebody types, while
// an input method composes, or when shortcuts are switched off (WCAG 2.1.4). `g h` means g, then h.

import { useEffect, useRef } from "react";

type Binding = { keys: string; act: (event: KeyboardEvent) => void; typing: boolean };

const bindings: Binding[] = [];
let pending = "";
let pendingAt = 0;
let enabled = true;

export function enableKeys(on: boolean): void {
  enabled = on;
}

export const onMac = /Mac|iPhone|iPad/.test(navigator.platform);

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) && !(target instanceof HTMLInputElement && target.type === "checkbox");
}

function nameOf(event: KeyboardEvent): string {
  const parts: string[] = [];
  if (event.ctrlKey || event.metaKey) parts.push("mod");
  if (event.altKey) parts.push("alt");
  if (event.shiftKey && (event.key.length > 1 || /[a-z]/i.test(event.key))) parts.push("shift");
  parts.push(event.key === " " ? "space" : event.key.toLowerCase());
  return parts.join("+");
}

function pressed(event: KeyboardEvent): void {
  if (event.isComposing || event.defaultPrevented) return;
  const name = nameOf(event);
  const typing = isTyping(event.target);
  // A dialog or a menu has the keyboard for itself.
  const above = document.querySelector("[role=dialog], [role=menu]") !== null;
  const chord = Date.now() - pendingAt < 1200 && pending ? `${pending} ${name}` : "";
  pending = "";
  for (const wanted of [chord, name]) {
    const found = wanted ? bindings.findLast((binding) => binding.keys === wanted && (binding.typing || (!typing && !above && enabled))) : undefined;
    if (found) {
      event.preventDefault();
      found.act(event);
      return;
    }
  }
  if (!typing && !above && /^[a-z]$/.test(name) && bindings.some((binding) => binding.keys.startsWith(`${name} `))) {
    pending = name;
    pendingAt = Date.now();
  }
}

let listening = false;

/** Binds keys as long as the component lives. `typing` ones also work inside inputs; they need a modifier. */
export function useKeys(map: { [keys: string]: ((event: KeyboardEvent) => void) | undefined }, options: { typing?: boolean } = {}): void {
  const latest = useRef(map);
  useEffect(() => {
    latest.current = map;
  });
  const names = Object.keys(map).join("|");
  const typing = options.typing ?? false;
  useEffect(() => {
    if (!listening) {
      listening = true;
      window.addEventListener("keydown", pressed);
    }
    const mine = names.split("|").map((keys) => ({ keys, typing, act: (event: KeyboardEvent) => latest.current[keys]?.(event) }));
    bindings.push(...mine);
    return () => {
      for (const binding of mine) bindings.splice(bindings.indexOf(binding), 1);
    };
  }, [names, typing]);
}

/** How keys are written for people. */
export function shown(keys: string): string[] {
  const names: { [key: string]: string } = { mod: onMac ? "⌘" : "Ctrl", shift: onMac ? "⇧" : "Shift", alt: "Alt", enter: "Enter", escape: "Esc", space: "Space", arrowright: "→", arrowleft: "←" };
  return keys.split(/[+ ]/).map((key) => names[key] ?? key.toUpperCase());
}
