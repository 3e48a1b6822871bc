// Buttons, badges, keys, avatars and placeholders. A disabled control says why, to everybody: it stays focusable.

import { cloneElement, type ButtonHTMLAttributes, type ReactElement, type ReactNode, type Ref } from "react";
import { Icon, type IconName } from "./icons";
import css from "./lib.module.css";

export function cx(...names: (string | false | undefined | null)[]): string {
  return names.filter(Boolean).join(" ");
}

/** Words beside a control; `Tips` shows them. Its child is an element of the page. */
export function Tip({ text, children }: { text: string | undefined; children: ReactElement<{ "data-tip"?: string | undefined }> }) {
  return text ? cloneElement(children, { "data-tip": text }) : children;
}

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "disabled"> & {
  tone?: "plain" | "primary" | "danger" | "quiet";
  icon?: IconName;
  small?: boolean;
  /** Why it cannot be used now. It stays focusable and says so. */
  blocked?: string | undefined;
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
};

export function Button({ tone = "plain", icon, small, blocked, busy, children, className, onClick, type = "button", ...rest }: ButtonProps) {
  const stopped = Boolean(blocked) || busy;
  return (
    <Tip text={blocked}>
      <button {...rest} type={stopped ? "button" : type} aria-disabled={stopped || undefined} aria-busy={busy || undefined} className={cx(css.button, tone !== "plain" && css[tone], small && css.small, className)} onClick={stopped ? (event) => event.preventDefault() : onClick}>
        {icon ? <Icon name={icon} /> : null}
        {children}
      </button>
    </Tip>
  );
}

type IconButtonProps = Omit<ButtonProps, "icon" | "children"> & { icon: IconName; label: string; keys?: string };

export function IconButton({ icon, label, keys, tone = "quiet", small, blocked, className, onClick, busy, ...rest }: IconButtonProps) {
  const stopped = Boolean(blocked) || busy;
  return (
    <Tip text={blocked ?? (keys ? `${label} (${keys})` : label)}>
      <button {...rest} type="button" aria-label={label} aria-disabled={stopped || undefined} className={cx(css.button, css.icon, tone !== "plain" && css[tone], small && css.small, className)} onClick={stopped ? (event) => event.preventDefault() : onClick}>
        <Icon name={icon} />
      </button>
    </Tip>
  );
}

export function Kbd({ children }: { children: ReactNode }) {
  return <kbd className={css.kbd}>{children}</kbd>;
}

/** Words with what is typed or stands in a file between backticks. */
export function Typed({ text }: { text: string }) {
  return <>{text.split("`").map((part, at) => (at % 2 === 1 ? <code key={at}>{part}</code> : part))}</>;
}

export type Tone = "plain" | "good" | "warn" | "bad" | "brass";

export function Badge({ tone = "plain", icon, children }: { tone?: Tone; icon?: IconName; children: ReactNode }) {
  return (
    <span className={css.badge} data-tone={tone}>
      {icon ? <Icon name={icon} size={12} /> : null}
      <span className="clip">{children}</span>
    </span>
  );
}

/** One Chinese character, or two Latin initials. */
export function initials(name: string): string {
  const text = name.trim();
  if (/[\u3400-\u9fff]/.test(text)) return text.slice(-1);
  const words = text.split(/\s+/).filter(Boolean);
  return `${words[0]?.[0] ?? ""}${words.length > 1 ? (words.at(-1)?.[0] ?? "") : ""}`.toUpperCase();
}

export function Avatar({ name, large }: { name: string; large?: boolean }) {
  return (
    <span className={css.avatar} data-large={large || undefined} aria-hidden>
      {initials(name)}
    </span>
  );
}

/** A placeholder of the size of what will come. */
export function Bone({ width = "100%", height = 12 }: { width?: number | string; height?: number }) {
  return <div className={css.bone} style={{ width, height }} data-bone aria-hidden />;
}

/** A whole page or panel that has nothing to show: why, and what to do. */
export function State({ title, text, quote, children, icon }: { title: string; text?: string | undefined; quote?: string | undefined; children?: ReactNode; icon?: IconName }) {
  return (
    <div className={css.state}>
      {icon ? <Icon name={icon} size={24} className="faint" /> : null}
      <h2>{title}</h2>
      {text ? <p>{text}</p> : null}
      {quote ? <p className={css.quote}>{quote}</p> : null}
      {children ? <div className={css.stateActions}>{children}</div> : null}
    </div>
  );
}

export { css as libCss };
