// What a page can do without at the first look is drawn after it, one piece a task: a key or a click is answered in between,
// and what one came for stands there sooner.

import { useEffect, useState, type ReactNode } from "react";

const waiting: (() => void)[] = [];
let going = false;

function next(): void {
  // A page that nobody sees is drawn at once: browsers let its timers wait for seconds.
  const now = document.hidden ? waiting.splice(0) : waiting.splice(0, 1);
  for (const work of now) work();
  going = waiting.length > 0;
  if (going) setTimeout(next);
}

/** Does something in a task of its own, after what was asked for before; the answer takes it back. */
export function inTurn(work: () => void): () => void {
  waiting.push(work);
  if (!going) {
    going = true;
    setTimeout(next);
  }
  return () => {
    const at = waiting.indexOf(work);
    if (at >= 0) waiting.splice(at, 1);
  };
}

/** Its children, when their turn has come; until then what stands in for them. */
export function Later({ children, until = null }: { children: ReactNode; until?: ReactNode }) {
  const [due, setDue] = useState(false);
  useEffect(() => inTurn(() => setDue(true)), []);
  return due ? children : until;
}
