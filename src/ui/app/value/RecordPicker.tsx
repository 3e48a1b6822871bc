// Picks a record by searching on the server. Shows what was picked by its name, and takes it away again.

import { Combobox, useCombobox } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { call } from "~/api/client";
import { errorText } from "~/api/errors";
import { useT } from "~/i18n";
import { cx, IconButton } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import libCss from "~/lib/lib.module.css";
import { iconOf } from "~/model/layouts";
import { titleOf, useMetas } from "~/model/meta";
import { useTitle, type Picked } from "./title";
import css from "./value.module.css";

type Props = {
  objects: string[];
  value: Picked | null;
  onChange: (value: Picked | null) => void;
  id?: string | undefined;
  describedBy?: string | undefined;
  invalid?: boolean;
  label?: string | undefined;
  autoFocus?: boolean;
};

function useFound(objects: string[], text: string, on: boolean) {
  const metas = useMetas();
  const [query, setQuery] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setQuery(text.trim()), 150);
    return () => clearTimeout(timer);
  }, [text]);
  const readable = objects.filter((object) => metas.get(object)?.may.read);
  return useQuery({
    queryKey: ["pick", readable.join(), query],
    queryFn: async ({ signal }) => {
      const pages = await Promise.all(
        readable.map(async (object): Promise<Picked[]> => {
          const meta = metas.get(object);
          if (!meta) return [];
          const page = await call("record_query", { params: { object }, body: { fields: [meta.titleField], limit: 8, ...(query ? { q: query } : { sort: ["-updated_at"] }) }, signal });
          return page.items.map((record) => ({ object, id: record.id, title: titleOf(meta, record) }));
        }),
      );
      return pages.flat();
    },
    enabled: on,
    placeholderData: keepPreviousData,
  });
}

export function RecordPicker({ objects, value, onChange, id, describedBy, invalid, label, autoFocus }: Props) {
  const t = useT();
  const combobox = useCombobox({ onDropdownClose: () => combobox.resetSelectedOption() });
  const [text, setText] = useState("");
  // Who takes the old one away goes on by looking for another.
  const [cleared, setCleared] = useState(false);
  const found = useFound(objects, text, combobox.dropdownOpened);
  const title = useTitle(value);
  const options = found.data ?? [];
  if (value) {
    return (
      <div className={css.chosen} data-invalid={invalid || undefined}>
        <Icon name={iconOf(value.object)} />
        <span className="clip">{title}</span>
        <IconButton id={id} small icon="close" label={`${t("pick.clear")}: ${title}`} aria-describedby={describedBy} autoFocus={autoFocus} onClick={() => { setCleared(true); onChange(null); }} />
      </div>
    );
  }
  return (
    <Combobox
      unstyled
      store={combobox}
      withinPortal
      transitionProps={{ duration: 0 }}
      classNames={{ dropdown: css.options ?? "", option: css.option ?? "" }}
      onOptionSubmit={(chosen) => {
        const picked = options.find((one) => one.id === chosen);
        if (picked) onChange(picked);
        setText("");
        combobox.closeDropdown();
      }}
    >
      <Combobox.Target>
        <input
          id={id}
          className={cx(libCss.input)}
          aria-label={label}
          aria-invalid={invalid || undefined}
          aria-describedby={describedBy}
          autoFocus={autoFocus || cleared}
          autoComplete="off"
          placeholder={t("pick.hint")}
          value={text}
          maxLength={200}
          onFocus={() => combobox.openDropdown()}
          onClick={() => combobox.openDropdown()}
          onBlur={() => combobox.closeDropdown()}
          onChange={(event) => {
            setText(event.target.value);
            combobox.openDropdown();
            combobox.updateSelectedOptionIndex();
          }}
        />
      </Combobox.Target>
      <Combobox.Dropdown>
        <Combobox.Options aria-label={label ?? t("pick.hint")}>
          {options.map((one) => (
            <Combobox.Option key={one.id} value={one.id} className={css.option}>
              <Icon name={iconOf(one.object)} size={14} />
              <span className="clip">{one.title}</span>
            </Combobox.Option>
          ))}
          {options.length === 0 ? <div className={css.option} role="presentation">{found.error ? errorText(found.error) : found.isFetching ? t("state.loading") : t("search.none", { query: text })}</div> : null}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  );
}
