// The frame of a page of administration, and small parts that several of them have.

import { Link } from "@tanstack/react-router";
import { useRef, type ReactNode } from "react";
import { useMe } from "~/api/session";
import { useT } from "~/i18n";
import { Bone, Button, IconButton, libCss, State } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import { Dialog } from "~/lib/overlays";
import { toast } from "~/lib/toasts";
import { objectLabel, type Meta } from "~/model/meta";
import { PageTitle } from "~/shell/PageTitle";
import css from "./admin.module.css";

type PageProps = { title: string; count?: ReactNode; badges?: ReactNode; lead?: ReactNode; acts?: ReactNode; crumb?: { to: string; label: string }; children: ReactNode };

export function AdminPage({ title, count, badges, lead, acts, crumb, children }: PageProps) {
  const t = useT();
  return (
    <div className={css.page}>
      {crumb ? (
        <nav className={css.crumbs} aria-label={t("record.crumbs")}>
          <Icon name="left" size={10} />
          <Link to={crumb.to}>{crumb.label}</Link>
        </nav>
      ) : null}
      <div className={css.head}>
        <PageTitle title={title} className={css.title}>
          {title || <Bone width={200} height={18} />}
        </PageTitle>
        {badges}
        {count !== undefined ? (
          <span className={css.count} aria-live="polite">
            {count}
          </span>
        ) : null}
        {acts ? <div className={css.headEnd}>{acts}</div> : null}
      </div>
      {lead ? <p className={css.lead}>{lead}</p> : null}
      {children}
    </div>
  );
}

/** Many at once: leads to the import of an object, where one may import and make records of it. */
export function FromFile({ meta, named }: { meta: Meta; /** Where several objects stand side by side. */ named?: boolean }) {
  const t = useT();
  const may = useMe().actions.includes("import") && meta.may.create;
  if (!may) return null;
  return (
    <Link to="/import" search={{ object: meta.name }} className={libCss.button}>
      <Icon name="down" />
      {named ? `${objectLabel(meta, true)}: ${t("import.fromFile")}` : t("import.fromFile")}
    </Link>
  );
}

export function Panel({ title, end, children }: { title: string; end?: ReactNode; children: ReactNode }) {
  return (
    <section className={css.panel} aria-label={title}>
      <div className={css.panelHead}>
        <h2>{title}</h2>
        {end}
      </div>
      {children}
    </section>
  );
}

/** A page that the session may not use; the server would say the same. */
export function Denied() {
  const t = useT();
  return (
    <>
      <PageTitle title={t("trouble.denied.title")} quiet />
      <State icon="seal" title={t("trouble.denied.title")} text={t("trouble.denied.place")} />
    </>
  );
}

export function Bones({ lines = 8 }: { lines?: number }) {
  return (
    <div className={css.panel} aria-hidden>
      {Array.from({ length: lines }, (_, line) => (
        <Bone key={line} width={line % 3 === 0 ? "60%" : "80%"} height={14} />
      ))}
    </div>
  );
}

/** Says what will happen, and does it only then. */
export function Confirm({ open, title, act, danger, busy, onClose, onAct, children }: { open: boolean; title: string; act: string; danger?: boolean; busy?: boolean; onClose: () => void; onAct: () => void; children: ReactNode }) {
  const t = useT();
  return (
    <Dialog
      open={open}
      onClose={onClose}
      title={title}
      closeLabel={t("act.close")}
      size="narrow"
      foot={
        <>
          <Button onClick={onClose}>{t("act.cancel")}</Button>
          <Button tone={danger ? "danger" : "primary"} busy={busy ?? false} onClick={onAct}>
            {act}
          </Button>
        </>
      }
    >
      {children}
    </Dialog>
  );
}

/** Chooses a file. The browser's own button speaks the browser's language and cannot be styled. */
export function FileButton({ label, accept, busy, onFile }: { label: string; accept?: string; busy?: boolean; onFile: (file: File) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button icon="up" busy={busy ?? false} onClick={() => input.current?.click()}>
        {label}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        accept={accept}
        aria-label={label}
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = "";
          if (file) onFile(file);
        }}
      />
    </>
  );
}

/** A secret that is shown once: it can be copied, and it is gone with the dialog. */
export function Once({ text, label }: { text: string; label: string }) {
  const t = useT();
  return (
    <div className={css.once}>
      <code aria-label={label}>{text}</code>
      <IconButton icon="copy" label={t("admin.copy")} onClick={() => void navigator.clipboard.writeText(text).then(() => toast(t("admin.copied")))} />
    </div>
  );
}
