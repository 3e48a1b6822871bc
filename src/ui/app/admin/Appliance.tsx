// Settings of the appliance: the house, how it counts, the ribbon, sample data. Changing them is for the system administrator; each
// change is told in the log with what it was before.

import { useT } from "~/i18n";
import { Button } from "~/lib/basics";
import { toast } from "~/lib/toasts";
import { HelpLink } from "~/help/HelpLink";
import { useSettings } from "~/model/house";
import { HouseForm, RegionForm, RibbonForm } from "~/setup/forms";
import { SampleData } from "~/setup/SampleData";
import { useOffices } from "./data";
import { AdminPage, Denied, Panel } from "./Page";

export default function Appliance() {
  const t = useT();
  const offices = useOffices();
  const settings = useSettings();
  if (!offices.system) return <Denied />;
  const saved = () => toast(t("house.saved"), { tone: "good" });
  const forms = [
    { id: "house", title: t("setup.step.organisation"), Form: HouseForm },
    { id: "region", title: t("setup.step.region"), Form: RegionForm },
    { id: "ribbon", title: t("house.ribbon"), Form: RibbonForm },
  ];
  return (
    <AdminPage title={t("house.title")} lead={t("house.lead")}>
      {forms.map(({ id, title, Form }) => (
        <Panel
          key={id}
          title={title}
          end={
            <Button small type="submit" form={`house-${id}`}>
              {t("act.save")}
            </Button>
          }
        >
          <Form settings={settings} id={`house-${id}`} onSaved={saved} />
        </Panel>
      ))}
      <Panel title={t("house.sample")} end={<HelpLink topic="sample" />}>
        <SampleData />
      </Panel>
    </AdminPage>
  );
}
