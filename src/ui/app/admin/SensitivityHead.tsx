// The head of a table of levels: one column for each sensitivity.

import { useT } from "~/i18n";
import { SENSITIVITIES } from "./rights";

export function SensitivityHead() {
  const t = useT();
  return (
    <thead>
      <tr>
        <th scope="col">{t("roles.object")}</th>
        {SENSITIVITIES.map((sensitivity) => (
          <th key={sensitivity} scope="col">
            {sensitivity} · {t(`roles.sensitivity.${sensitivity}`)}
          </th>
        ))}
      </tr>
    </thead>
  );
}
