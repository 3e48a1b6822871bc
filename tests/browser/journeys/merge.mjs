// Two records of one customer become one: found by the same telephone number, chosen field by field, and the old address leads on.

import { equal, journey } from "../house.mjs";

/** Makes a record as the signed-in person does, without a form. */
async function made(page, object, fields) {
  return page.evaluate(
    async ([name, body]) => {
      const session = await (await fetch("/api/v1/session")).json();
      const answer = await fetch(`/api/v1/records/${name}`, { method: "POST", headers: { "content-type": "application/json", "x-csrf-token": session.csrf }, body: JSON.stringify(body) });
      if (!answer.ok) throw new Error(await answer.text());
      return (await answer.json()).id;
    },
    [object, fields],
  );
}

journey("a manager finds a duplicate, compares both field by field and merges them; the old address leads to the one that stays", async (page, { signIn, accessible }) => {
  await signIn("sales_manager");
  // Numbers of their own, so that a second attempt does not find what the first one left.
  const phone = `+49 451 ${String(Date.now()).slice(-8)}`;
  const name = `Kaufhaus Probe ${phone.slice(-6)}`;
  const stays = await made(page, "account", { name, phone });
  const goes = await made(page, "account", { name: `${name} GmbH`, phone, website: "https://probe.example" });
  const contact = await made(page, "contact", { full_name: "Merle Probe", account: goes });
  await page.goto(`/app/o/account/${stays}`);
  await page.getByRole("button", { name: "Actions", exact: true }).click();
  await page.getByRole("menuitem", { name: "Find duplicates and merge" }).click();
  await page.getByRole("dialog").getByRole("link", { name: `Merge with ${name} GmbH` }).click();
  await page.waitForURL(/\/app\/merge\/account\?ids=/);
  const website = page.locator('[data-field="website"]');
  await website.getByRole("radio", { name: `Website from ${name} GmbH` }).waitFor();
  equal(await website.getByRole("radio", { name: `Website from ${name} GmbH` }).isChecked(), true, "what is empty comes from the other");
  await page.locator('[data-field="name"]').getByRole("radio", { name: `Name from ${name} GmbH` }).check();
  await page.getByText(`Into the bin: ${name} GmbH`).waitFor();
  await page.getByRole("main").getByRole("listitem").filter({ hasText: "Contacts" }).waitFor();
  for (const theme of ["light", "dark"]) await accessible("the page that merges", theme);
  await page.getByRole("button", { name: "Merge", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Merge", exact: true }).click();
  await page.waitForURL(new RegExp(`/app/o/account/${stays}$`));
  await page.getByRole("heading", { name: `${name} GmbH`, level: 1 }).waitFor();
  await page.goto(`/app/o/contact/${contact}`);
  await page.getByRole("heading", { name: "Merle Probe", level: 1 }).waitFor();
  await page.getByRole("link", { name: `${name} GmbH` }).first().waitFor();
  await page.goto(`/app/o/account/${goes}`);
  await page.getByRole("link", { name: "Merged: open the record that stayed" }).click();
  await page.waitForURL(new RegExp(`/app/o/account/${stays}$`));
});

journey("a selection of two rows leads to the same page, and a selection of one says why it does not", async (page, { signIn }) => {
  await signIn("sales_manager");
  await page.goto("/app/o/account");
  const boxes = page.getByRole("row").getByRole("checkbox");
  await boxes.nth(2).waitFor();
  await boxes.nth(1).check();
  const merge = page.getByRole("group", { name: "Selected rows" }).getByRole("button", { name: "Merge" });
  equal(await merge.getAttribute("aria-disabled"), "true", "one row cannot be merged");
  await boxes.nth(2).check();
  await page.getByText("2 selected").first().waitFor();
  await merge.click();
  await page.waitForURL(/\/app\/merge\/account\?ids=/);
  await page.getByRole("radio", { name: "This one stays" }).first().waitFor();
});
