// The icons: our own, 16 px, one stroke. They carry no meaning alone; a word or a name for screen readers stands beside them.

const PATHS = {
  home: "M2.5 7.2 8 2.5l5.5 4.7M4 6v7.5h8V6M6.7 13.5V9.6h2.6v3.9",
  account: "M3 13.5v-10h6v10M9 6.5h4v7M2 13.5h12M5 6h2M5 8.5h2M5 11h2M11 9h0M11 11.2h0",
  contact: "M8 8a2.6 2.6 0 1 0 0-5.2A2.6 2.6 0 0 0 8 8ZM3 13.5c.3-2.6 2.2-4 5-4s4.7 1.4 5 4",
  lead: "M2.5 3h11L9.5 8.2v4.3l-3 1.3V8.2Z",
  opportunity: "M2.5 12.5 6.3 8l2.7 2.4 4.5-6M10.2 4.4h3.3v3.2",
  case: "M3 3h10v7.5H8l-3 2.8v-2.8H3ZM5.7 6h4.6M5.7 8h2.8",
  activity: "M3 4h10v9.5H3ZM3 7h10M5.8 2.5v2.8M10.2 2.5v2.8M6 10.3l1.4 1.3L10 9.3",
  product: "M8 2.3l5.3 2.9v5.7L8 13.8l-5.3-2.9V5.2ZM2.9 5.3 8 8.1l5.1-2.8M8 8.1v5.6",
  users: "M6 7.5a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4ZM1.8 13c.2-2.3 1.7-3.6 4.2-3.6s4 1.3 4.2 3.6M10.6 3.3a2.1 2.1 0 0 1 0 4M11.6 9.6c1.6.4 2.5 1.5 2.6 3.4",
  unit: "M6 2.5h4v3H6ZM2 10.5h4v3H2ZM10 10.5h4v3h-4ZM8 5.5V8M4 10.5V8h8v2.5",
  tag: "M2.5 2.5h5l6 6-5 5-6-6ZM5.3 5.3h0",
  object: "M3 3.5h10v9H3ZM3 6.5h10M6.5 6.5v6",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3l3.2 3.2",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  check: "M3.2 8.4 6.5 11.6 12.8 4.8",
  down: "M4.5 6.5 8 10l3.5-3.5",
  up: "M4.5 9.5 8 6l3.5 3.5",
  left: "M9.5 4.5 6 8l3.5 3.5",
  right: "M6.5 4.5 10 8l-3.5 3.5",
  first: "M11.5 4 7.5 8l4 4M4.5 4v8",
  sun: "M8 10.6a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2ZM8 1.8v1.6M8 12.6v1.6M1.8 8h1.6M12.6 8h1.6M3.6 3.6l1.1 1.1M11.3 11.3l1.1 1.1M3.6 12.4l1.1-1.1M11.3 4.7l1.1-1.1",
  moon: "M13 9.6A5.4 5.4 0 0 1 6.4 3 5.4 5.4 0 1 0 13 9.6Z",
  contrast: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 2v12M8 4.5h4M8 7h5.5M8 9.5h5.5M8 12h3.5",
  system: "M2.5 3h11v7.5h-11ZM5.5 13.5h5M8 10.5v3",
  language: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM2 8h12M8 2c2 1.8 2.6 3.6 2.6 6S10 12.2 8 14c-2-1.8-2.6-3.6-2.6-6S6 3.8 8 2Z",
  seal: "M4 7.200h8v6H4ZM5.7 7.200V5.300a2.3 2.3 0 0 1 4.6 0v1.900M8 9.600v1.5",
  eye: "M1.8 8S4 3.8 8 3.8 14.2 8 14.2 8 12 12.2 8 12.2 1.8 8 1.8 8ZM8 9.900a1.9 1.9 0 1 0 0-3.8 1.9 1.9 0 0 0 0 3.800Z",
  eyeoff: "M2.5 2.500l11 11M6.3 4.100A6.6 6.6 0 0 1 8 3.800c4 0 6.2 4.2 6.2 4.200a10 10 0 0 1-1.9 2.400M4 5.400A10 10 0 0 0 1.8 8S4 12.2 8 12.200c.8 0 1.6-.2 2.3-.5",
  history: "M2.8 8a5.2 5.2 0 1 0 1.7-3.900M2.6 2.800v2.500h2.500M8 5.200V8l2 1.5",
  filter: "M2.5 4h11M4.5 8h7M6.5 12h3",
  columns: "M2.5 3h11v10h-11ZM6.2 3v10M9.8 3v10",
  tick: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM5.5 8.200l1.8 1.7 3.3-3.7",
  board: "M2.5 3h3.200v10H2.5ZM6.4 3h3.200v6.500H6.4ZM10.3 3h3.200v8.200H10.3Z",
  density: "M2.5 3.500h11M2.5 6.500h11M2.5 9.500h11M2.5 12.500h11",
  sortup: "M8 13V3.500M4.5 7 8 3.5 11.5 7",
  sortdown: "M8 3v9.500M4.5 9 8 12.5 11.5 9",
  peek: "M2.5 3h11v10h-11ZM9 3v10",
  edit: "M10.8 2.800l2.4 2.400L6 12.400l-3.2.8.8-3.200Z",
  trash: "M3 4.500h10M6.5 4.500V3h3v1.500M4.3 4.500l.6 9h6.200l.6-9M6.7 7v4M9.3 7v4",
  more: "M3.5 8h0M8 8h0M12.5 8h0",
  bell: "M4 11.500V7a4 4 0 0 1 8 0v4.500l1 1H3ZM6.7 14h2.6",
  help: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM6.2 6.300A1.8 1.8 0 1 1 8 8.300v1M8 11.500h0",
  out: "M6.5 2.500h-4v11h4M6 8h7.500M10.8 5.3 13.5 8l-2.7 2.7",
  settings: "M2.5 4.500h5M11 4.500h2.500M2.5 11.500h2.500M8.5 11.500h5M9.2 6.200a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.400ZM6.8 13.200a1.7 1.7 0 1 0 0-3.4 1.7 1.7 0 0 0 0 3.400Z",
  warn: "M8 2.500l6 11H2ZM8 6.500v3.200M8 11.600h0",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 7.300v3.900M8 4.900h0",
  offline: "M2.5 2.500l11 11M1.8 6.200A9 9 0 0 1 5 4.200M7.5 3.600a9 9 0 0 1 6.7 2.600M4.2 8.800a5.4 5.4 0 0 1 2.3-1.300M9.9 7.700c.7.3 1.3.6 1.9 1.100M8 12h0",
  call: "M4 2.500l2 3-1.2 1.300a9 9 0 0 0 4.4 4.400L10.5 10l3 2-.8 1.800c-5 .6-10.9-5.2-10.5-10.500Z",
  task: "M3 3h10v10H3ZM5.5 8.200l1.8 1.7 3.3-3.7",
  meeting: "M3 4h10v9.500H3ZM3 7h10M5.8 2.500v2.800M10.2 2.500v2.8",
  note: "M3.5 2.500h9v8l-3 3h-6ZM9.5 13.500v-3h3M5.7 5.500h4.600M5.7 8h3",
  link: "M6.8 9.200a2.6 2.6 0 0 0 3.7 0l2.2-2.200A2.6 2.6 0 0 0 9 3.300l-.8.8M9.2 6.800a2.6 2.6 0 0 0-3.7 0L3.3 9A2.6 2.6 0 0 0 7 12.700l.8-.8",
  flag: "M4 14V2.500M4 3h8.500l-2 2.700 2 2.800H4",
  star: "M8 2.300l1.8 3.6 4 .6-2.9 2.8.7 4L8 11.400l-3.6 1.9.7-4L2.2 6.500l4-.6Z",
  keyboard: "M1.8 4h12.400v8H1.800ZM4.3 6.700h0M6.8 6.700h0M9.3 6.700h0M11.8 6.700h0M5 9.500h6",
  refresh: "M13 7.200A5.2 5.2 0 0 0 3.7 5M3 8.800A5.2 5.2 0 0 0 12.3 11M3.5 2.600V5H6M12.5 13.400V11H10",
  log: "M4 2.500h8v11H4ZM6 5.500h4M6 8h4M6 10.500h2.5",
  menu: "M2.5 4.500h11M2.5 8h11M2.5 11.500h11",
  grip: "M6 4h0M10 4h0M6 8h0M10 8h0M6 12h0M10 12h0",
  undo: "M3 6.500h6.500a3.3 3.3 0 0 1 0 6.600H6M5.7 3.6 2.9 6.500l2.8 2.9",
  copy: "M5.5 5.500h8v8h-8ZM10.5 5.500v-3h-8v8h3",
} as const;

export type IconName = keyof typeof PATHS;

/** Decorative unless it has a title. */
export function Icon({ name, size = 16, title, className }: { name: IconName; size?: number; title?: string; className?: string | undefined }) {
  const wide = name === "more" || name === "grip" || name === "warn" || name === "info" || name === "help";
  return (
    <svg className={className} width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth={wide && (name === "more" || name === "grip") ? 2 : 1.4} strokeLinecap="round" strokeLinejoin="round" role={title ? "img" : undefined} aria-hidden={title ? undefined : true} focusable="false">
      {title ? <title>{title}</title> : null}
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The mark: a gabled house with a keyhole. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden focusable="false">
      <path d="M16 2 28 12v18H4V12z" fill="var(--mark-house)" />
      <path d="M16 4.6 26 13v15H6V13z" fill="none" stroke="var(--brass-line)" strokeWidth="1.2" />
      <circle cx="16" cy="17" r="3" fill="var(--brass-line)" />
      <path d="m16 18 2.2 7h-4.400z" fill="var(--brass-line)" />
    </svg>
  );
}
