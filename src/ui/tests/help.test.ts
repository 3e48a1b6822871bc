// Help leads somewhere: each target stands in the manual, in both languages, and each page of the interface has one.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { drawn, partOf } from "~/help/manual";
import { anchorOf, manualPage, TOPICS, topicOf } from "~/help/topics";

const docs = join(__dirname, "../../../docs");

test("every target of help stands in the manual, in both languages", () => {
  for (const [name, { page, part }] of Object.entries(TOPICS)) {
    for (const language of ["en", "zh"] as const) {
      const file = join(docs, `${manualPage(page, language).replace("/docs/", "")}.md`);
      expect(existsSync(file), `${name}: ${file}`).toBe(true);
      const wanted = part[language];
      expect(Boolean(part.en) === Boolean(part.zh), name).toBe(true);
      const lines = readFileSync(file, "utf8").split("\n");
      const there = !wanted || lines.some((line) => line.replace(/^#+ /, "") === wanted && line.startsWith("##")) || lines.some((line) => line.startsWith(`**${wanted}.**`) || line.startsWith(`**${wanted}。**`));
      expect(there, `${name}: ${wanted} in ${file}`).toBe(true);
    }
  }
});

test("every main page has help of its own", () => {
  const paths = ["/", "/o/lead", "/o/lead/x", "/settings", "/tokens", "/audit", "/admin/users", "/admin/users/x", "/admin/units", "/admin/teams", "/admin/roles", "/admin/roles/edit", "/admin/rights", "/admin/view-as", "/admin/objects", "/admin/objects/x", "/import", "/import/x", "/admin/health", "/admin/appliance", "/setup"];
  for (const path of paths) expect(topicOf(path, {}), path).not.toBe("frame");
  expect(topicOf("/o/lead", { as: "board" })).toBe("board");
  expect(topicOf("/o/lead/x", { tab: "access" })).toBe("access");
});

test("a part ends where the next begins, and nothing but known elements is taken over", () => {
  const page = document.createElement("main");
  page.innerHTML = "<h1>T</h1><p><strong>One.</strong> a</p><p>b</p><p><strong>Two。</strong> c</p><h2>Three</h2><p>d <a href='https://x.example'>e</a><a href='/docs/f'>g</a><script>h</script></p><h3>Inner</h3><p>i</p><h2>Four</h2><p>j</p>";
  const text = (part: string) => partOf(page, part).map((element) => element.textContent).join("|");
  expect(text("One")).toBe("One. a|b");
  expect(text("Two")).toBe("Two。 c");
  expect(text("Three")).toBe("Three|d egh|Inner|i");
  expect(text("None")).toBe(text(""));
  const flat = JSON.stringify(partOf(page, "Three").map(drawn));
  expect(flat).not.toMatch(/x\.example|"script"/);
  expect(flat).toContain("/docs/f");
  expect(anchorOf("What is: a Log?")).toBe("what-is-a-log");
  expect(anchorOf("在其他程序中使用日历")).toBe("在其他程序中使用日历");
});
