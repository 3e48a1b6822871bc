// Inputs with their label, hint and error tied together. Labels are text beside the input, never a placeholder.

import { useId, type InputHTMLAttributes, type ReactNode, type Ref, type SelectHTMLAttributes, type TextareaHTMLAttributes } from "react";
import { Icon } from "./icons";
import { cx } from "./basics";
import css from "./lib.module.css";

export type FieldFrame = {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
  /** The word beside the label of a field that must be filled in. */
  required?: string | undefined;
  hideLabel?: boolean;
};

type Ids = { id: string; describedBy: string | undefined };

export function Framed({ label, hint, error, required, hideLabel, id: given, children }: FieldFrame & { id?: string | undefined; children: (ids: Ids) => ReactNode }) {
  const made = useId();
  const id = given ?? made;
  const describedBy = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ") || undefined;
  return (
    <div className={css.field}>
      <label className={cx(css.label, hideLabel && "sr")} htmlFor={id}>
        {label}
        {required ? <span className={css.required}>{required}</span> : null}
      </label>
      {children({ id, describedBy })}
      {hint ? <div id={`${id}-hint`} className={css.hint}>{hint}</div> : null}
      {error ? (
        <div id={`${id}-error`} className={css.error}>
          <Icon name="warn" size={13} />
          <span>{error}</span>
        </div>
      ) : null}
    </div>
  );
}

type TextProps = FieldFrame & Omit<InputHTMLAttributes<HTMLInputElement>, "required"> & { ref?: Ref<HTMLInputElement> };

export function TextField({ label, hint, error, required, hideLabel, className, ...rest }: TextProps) {
  return (
    <Framed label={label} hint={hint} error={error} required={required} hideLabel={hideLabel ?? false} id={rest.id}>
      {({ id, describedBy }) => <input {...rest} id={id} className={cx(css.input, className)} aria-invalid={error ? true : undefined} aria-describedby={describedBy} aria-required={required ? true : undefined} />}
    </Framed>
  );
}

type AreaProps = FieldFrame & Omit<TextareaHTMLAttributes<HTMLTextAreaElement>, "required"> & { ref?: Ref<HTMLTextAreaElement> };

export function AreaField({ label, hint, error, required, hideLabel, className, ...rest }: AreaProps) {
  return (
    <Framed label={label} hint={hint} error={error} required={required} hideLabel={hideLabel ?? false} id={rest.id}>
      {({ id, describedBy }) => <textarea {...rest} id={id} className={cx(css.input, className)} aria-invalid={error ? true : undefined} aria-describedby={describedBy} aria-required={required ? true : undefined} />}
    </Framed>
  );
}

export type Choice = { value: string; label: string };

type SelectProps = FieldFrame & Omit<SelectHTMLAttributes<HTMLSelectElement>, "required"> & { choices: Choice[]; empty?: string | undefined; ref?: Ref<HTMLSelectElement> };

export function SelectField({ label, hint, error, required, hideLabel, choices, empty, className, ...rest }: SelectProps) {
  return (
    <Framed label={label} hint={hint} error={error} required={required} hideLabel={hideLabel ?? false} id={rest.id}>
      {({ id, describedBy }) => (
        <select {...rest} id={id} className={cx(css.input, className)} aria-invalid={error ? true : undefined} aria-describedby={describedBy} aria-required={required ? true : undefined}>
          {empty !== undefined ? <option value="">{empty}</option> : null}
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.label}
            </option>
          ))}
        </select>
      )}
    </Framed>
  );
}

export function CheckField({ label, checked, onChange, disabled }: { label: ReactNode; checked: boolean; onChange: (checked: boolean) => void; disabled?: boolean }) {
  const id = useId();
  return (
    <div className={css.checkLine}>
      <input id={id} type="checkbox" className={css.check} checked={checked} disabled={disabled} onChange={(event) => onChange(event.target.checked)} />
      <label htmlFor={id}>{label}</label>
    </div>
  );
}
