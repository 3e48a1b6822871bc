// What lies above the page: dialogs, menus, popovers. Focus goes in, stays in, and goes back. The policy of the appliance
// forbids style elements that scripts make, so Mantine's parts come without their styles and without scroll lock.

import { Menu as MantineMenu, Modal, Popover as MantinePopover } from "@mantine/core";
import { useEffect, useId, useRef, useState, type ReactNode } from "react";
import { IconButton, cx } from "./basics";
import { useFocusBack } from "./focusBack";
import { Icon, type IconName } from "./icons";
import css from "./lib.module.css";

type DialogProps = {
  open: boolean;
  onClose: () => void;
  title: string;
  closeLabel: string;
  size?: "narrow" | "plain" | "wide";
  foot?: ReactNode;
  children: ReactNode;
  /** Whether Escape and a click outside close it; not where typed text would be lost. */
  easy?: boolean;
  /** Without a close button, above any other dialog: the only ways out are inside. */
  firm?: boolean;
};

/** The part that scrolls. Text alone that is longer than the dialog takes the focus, so that the keyboard can scroll it. */
function DialogBody({ children }: { children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null);
  const [scrolls, setScrolls] = useState(false);
  useEffect(() => {
    const body = place.current;
    if (!body) return undefined;
    // The trap of the focus goes to what is marked, else to the close button of the head: the first field is what one came for.
    if (!body.closest("[role=dialog]")?.querySelector("[data-autofocus]")) body.querySelector("input:not([type=hidden], [type=file], :disabled), select:not(:disabled), textarea:not(:disabled)")?.setAttribute("data-autofocus", "");
    const look = () => setScrolls(body.scrollHeight > body.clientHeight + 1);
    const sizes = new ResizeObserver(look);
    const changes = new MutationObserver(look);
    sizes.observe(body);
    changes.observe(body, { childList: true, subtree: true });
    look();
    return () => {
      sizes.disconnect();
      changes.disconnect();
    };
  }, []);
  return (
    <div ref={place} className={css.dialogBody} tabIndex={scrolls ? 0 : undefined}>
      {children}
    </div>
  );
}

export function Dialog({ open, onClose, title, closeLabel, size = "plain", foot, children, easy = true, firm = false }: DialogProps) {
  const id = useId();
  useFocusBack(open);
  return (
    <Modal.Root opened={open} onClose={onClose} unstyled lockScroll={false} closeOnClickOutside={easy && !firm} closeOnEscape={!firm} transitionProps={{ duration: 0 }} id={id}>
      <Modal.Overlay className={cx(css.veil, firm && css.veilAbove)} />
      <Modal.Content classNames={{ inner: cx(css.dialogPlace, firm && css.placeAbove), content: cx(css.dialog, size !== "plain" && css[size]) }}>
        <div className={css.dialogHead}>
          <Modal.Title className={css.dialogTitle}>{title}</Modal.Title>
          {firm ? null : <IconButton icon="close" label={closeLabel} onClick={onClose} />}
        </div>
        <DialogBody>{children}</DialogBody>
        {foot ? <div className={css.dialogFoot}>{foot}</div> : null}
      </Modal.Content>
    </Modal.Root>
  );
}

/** Closes by Escape also in the moment before the focus is inside, or where there is nothing that could take it. */
function useEscape(open: boolean, close: () => void): void {
  const latest = useRef(close);
  useEffect(() => {
    latest.current = close;
  });
  useEffect(() => {
    if (!open) return undefined;
    const pressed = (event: KeyboardEvent) => {
      const inside = document.activeElement?.closest("[role=dialog], [role=menu]");
      if (event.key === "Escape" && !event.isComposing && !event.defaultPrevented && !inside) latest.current();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, [open]);
}

type MenuItem =
  | { kind?: "item"; label: string; icon?: IconName; end?: ReactNode; note?: string | undefined; danger?: boolean; checked?: boolean; blocked?: string | undefined; act: () => void }
  | { kind: "rule" }
  | { kind: "group"; label: string };

export type MenuItems = (MenuItem | null | false | undefined)[];

/** A menu under its button. */
export function Menu({ target, items, align = "start", label }: { target: ReactNode; items: MenuItems; align?: "start" | "end"; label: string }) {
  const [open, setOpen] = useState(false);
  useEscape(open, () => setOpen(false));
  return (
    <MantineMenu unstyled opened={open} onChange={setOpen} position={align === "start" ? "bottom-start" : "bottom-end"} transitionProps={{ duration: 0 }} offset={4} withinPortal classNames={{ dropdown: cx(css.floating, css.menu), itemLabel: css.itemBody ?? "" }} loop>
      <MantineMenu.Target>{target as React.ReactElement}</MantineMenu.Target>
      <MantineMenu.Dropdown aria-label={label}>
        {items.map((item, index) => {
          if (!item) return null;
          if (item.kind === "rule") return <hr key={index} className={css.rule} />;
          if (item.kind === "group") return <div key={index} className={css.groupName} role="presentation">{item.label}</div>;
          return (
            <MantineMenu.Item key={index} className={css.item} data-danger={item.danger || undefined} aria-disabled={item.blocked ? true : undefined} data-disabled={item.blocked ? true : undefined} closeMenuOnClick={!item.blocked} onClick={item.blocked ? undefined : item.act}>
              {item.checked !== undefined ? item.checked ? <Icon name="check" /> : <span style={{ width: 16 }} /> : item.icon ? <Icon name={item.icon} /> : null}
              <span>
                {item.label}
                {item.blocked || item.note ? <span className={css.itemNote}>{item.blocked ?? item.note}</span> : null}
              </span>
              {item.end ? <span className={css.itemEnd}>{item.end}</span> : null}
            </MantineMenu.Item>
          );
        })}
      </MantineMenu.Dropdown>
    </MantineMenu>
  );
}

/** A small panel under its button, with focus inside. */
export function Popover({ open, onOpen, target, children, align = "start", width, label }: { open: boolean; onOpen: (open: boolean) => void; target: ReactNode; children: ReactNode; align?: "start" | "end"; width?: number; label: string }) {
  useEscape(open, () => onOpen(false));
  return (
    <MantinePopover unstyled opened={open} onChange={onOpen} position={align === "start" ? "bottom-start" : "bottom-end"} offset={4} withinPortal trapFocus returnFocus transitionProps={{ duration: 0 }} classNames={{ dropdown: cx(css.floating, css.menu, css.panel) }} closeOnEscape middlewares={{ shift: true, flip: true }}>
      <MantinePopover.Target>{target as React.ReactElement}</MantinePopover.Target>
      <MantinePopover.Dropdown aria-label={label} style={width ? { width: `min(${width}px, calc(100vw - 16px))`, maxWidth: "none" } : undefined}>
        {children}
      </MantinePopover.Dropdown>
    </MantinePopover>
  );
}
