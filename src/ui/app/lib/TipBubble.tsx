// The words beside one control. They stand where there is room, and go when the control does.

import { Tooltip } from "@mantine/core";
import css from "./lib.module.css";
import { TIP_ID, type Tipped } from "./tips";

export default function TipBubble({ place, text }: Tipped) {
  return <Tooltip id={TIP_ID} target={place} opened unstyled label={text} classNames={{ tooltip: css.tip ?? "" }} withinPortal />;
}
