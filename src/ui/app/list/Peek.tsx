// The panel beside the list: the facts of the row that is peeked at, without leaving the list.

import { useT } from "~/i18n";
import { Bone, Button, IconButton } from "~/lib/basics";
import { Icon } from "~/lib/icons";
import type { RecordView } from "~/api/types.gen";
import { iconOf } from "~/model/layouts";
import { titleOf, useMetas, type Meta } from "~/model/meta";
import { Trouble } from "~/pages/Trouble";
import { useRecord } from "~/record/data";
import { Facts } from "~/record/Facts";
import css from "./list.module.css";

export default function Peek({ meta, id, onClose, onOpen }: { meta: Meta; id: string; onClose: () => void; onOpen: (record: RecordView) => void }) {
  const t = useT();
  const metas = useMetas();
  const { data, error, refetch } = useRecord(meta, metas, id);
  return (
    <aside className={css.peek} aria-label={t("list.peek")} onKeyDown={(event) => (event.key === "Escape" ? onClose() : undefined)}>
      <div className={css.peekHead}>
        <Icon name={iconOf(meta.name)} />
        <h2 className="clip">{data ? titleOf(meta, data) : <Bone width={160} />}</h2>
        {data ? (
          <Button small onClick={() => onOpen(data)}>
            {t("act.open")}
          </Button>
        ) : null}
        <IconButton icon="close" label={t("list.unpeek")} onClick={onClose} />
      </div>
      {error ? <Trouble error={error} retry={() => void refetch()} /> : null}
      {data ? <Facts meta={meta} record={data} save={null} history={false} hideEmpty /> : null}
    </aside>
  );
}
