// A small question mark beside one thing: help about that thing.

import { useT } from "~/i18n";
import { IconButton } from "~/lib/basics";
import { showHelp } from "./open";
import type { TopicName } from "./topics";

/** In a dialog, `before` closes it: the help stands beside the page. */
export function HelpLink({ topic, before }: { topic: TopicName; before?: () => void }) {
  const t = useT();
  return (
    <IconButton
      small
      icon="help"
      label={t("help.this")}
      onClick={() => {
        before?.();
        // After the dialog gave the focus back.
        requestAnimationFrame(() => showHelp(topic));
      }}
    />
  );
}
