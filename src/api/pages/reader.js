// Shows the API description of this appliance. Reads one file of the same server and nothing else; builds the page from
// text nodes only, so nothing in a description can become markup.
import { words } from "/pages/reader_words.js";

const kept = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const keep = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window */ } };

let language = kept("kontor.language") ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
let text = null;

const word = (key) => words[language][key] ?? key;
const byId = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

const shapeName = (reference) => reference.split("/").pop();
const shapeLink = (reference) => make("a", { href: `#shape-${shapeName(reference)}` }, shapeName(reference));

// A schema in a few words, with links to the shapes it names.
function brief(schema) {
  if (schema === undefined || schema === true || Object.keys(schema).length === 0) return "…";
  if (schema.$ref) return shapeLink(schema.$ref);
  if ("const" in schema) return make("code", {}, JSON.stringify(schema.const));
  if (schema.enum) return make("span", {}, ...schema.enum.flatMap((value, at) => [at ? " · " : "", make("code", {}, value === null ? "null" : String(value))]));
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return make("span", {}, ...several.flatMap((one, at) => [at ? " | " : "", brief(one)]));
  const types = Array.isArray(schema.type) ? schema.type.join(" | ") : schema.type ?? "object";
  if (schema.items) return make("span", {}, `${types}: `, brief(schema.items));
  const bounds = [schema.format, schema.maxLength && `≤ ${schema.maxLength}`, schema.pattern && `/${schema.pattern}/`].filter(Boolean).join(", ");
  return bounds ? `${types} (${bounds})` : types;
}

function table(heads, rows) {
  const head = make("tr", {}, ...heads.map((name) => make("th", { scope: "col" }, word(name))));
  const body = rows.map((cells) => make("tr", {}, ...cells.map((cell) => make("td", {}, cell ?? ""))));
  return make("div", { class: "scroll" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
}

function label(schema, name) {
  const own = language === "zh" ? schema["x-kontor-label-zh"] ?? schema.title : schema.title;
  return [own && own !== name ? own : "", schema.description].filter(Boolean).join(" — ");
}

function properties(schema) {
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).flatMap(([name, part]) => {
    const row = [make("code", {}, name + (required.has(name) ? " *" : "")), brief(part), label(part, name)];
    const inner = part.type === "object" && part.properties ? Object.entries(part.properties).map(([sub, deep]) => [make("code", {}, `${name}.${sub}`), brief(deep), label(deep, sub)]) : [];
    return [row, ...inner];
  });
  if (rows.length) return table(["name", "type", "about"], rows);
  return make("p", {}, brief(schema));
}

function access(name) {
  const [kind, right] = name.split(":");
  return right ? make("span", {}, `${word("access_act")} `, make("code", {}, right)) : word(`access_${kind}`);
}

function resolved(part) {
  return part.$ref ? part.$ref.split("/").slice(1).reduce((at, key) => at[key], text) : part;
}

function operation(path, verb, details) {
  const summary = make("summary", {}, make("span", { class: `verb ${verb.toUpperCase()}` }, verb.toUpperCase()), make("code", {}, path), make("span", {}, details.summary));
  const inside = make("div", { class: "inside" }, make("p", { class: "soft" }, `${word("access")}: `, access(details["x-kontor-access"])));
  const parameters = (details.parameters ?? []).map(resolved);
  if (parameters.length) {
    inside.append(make("h3", {}, word("parameters")));
    inside.append(table(["name", "where", "type", "about"], parameters.map((one) => [make("code", {}, one.name + (one.required ? " *" : "")), one.in, brief(one.schema), one.description])));
  }
  const shapes = (content) => Object.entries(content ?? {}).map(([media, one]) => make("p", {}, make("code", {}, media), " ", one.schema ? brief(one.schema) : ""));
  if (details.requestBody) inside.append(make("h3", {}, word("body")), ...shapes(details.requestBody.content));
  inside.append(make("h3", {}, word("answer")));
  for (const [status, answer] of Object.entries(details.responses)) {
    const whole = resolved(answer);
    inside.append(make("p", {}, make("code", {}, status), " ", whole.content ? "" : whole.description), ...shapes(whole.content));
  }
  return make("details", { id: details.operationId }, summary, inside);
}

function section(id, title, parts, note) {
  return make("section", { id: `group-${id}` }, make("h2", {}, title), note && make("p", { class: "soft" }, note), ...parts);
}

function fits(query, ...texts) {
  return query === "" || texts.some((one) => one?.toLowerCase().includes(query));
}

function draw() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
  byId("language").textContent = word("other");
  if (text === null) return;
  const query = byId("find").value.trim().toLowerCase();
  const parts = [];
  for (const tag of text.tags) {
    const operations = Object.entries(text.paths).flatMap(([path, verbs]) => Object.entries(verbs)
      .filter(([, details]) => details.tags.includes(tag.name) && fits(query, path, details.summary, details.operationId))
      .map(([verb, details]) => operation(path, verb, details)));
    const title = language === "zh" ? tag["x-kontor-description-zh"] : tag.description;
    if (operations.length) parts.push(section(tag.name, title, operations));
  }
  const shapes = Object.entries(text.components.schemas).filter(([name, schema]) => fits(query, name, schema.title, schema.description, schema["x-kontor-label-zh"]));
  if (shapes.length) {
    parts.push(section("schemas", word("schemas"), shapes.map(([name, schema]) => make("details", { id: `shape-${name}` },
      make("summary", {}, make("code", {}, name), make("span", { class: "soft" }, label(schema, name))), make("div", { class: "inside" }, properties(schema))))));
  }
  const errors = text["x-kontor-errors"].filter((one) => fits(query, one.code, one.title, one.title_zh));
  if (errors.length) {
    parts.push(section("errors", word("errors"), [table(["code", "status", "retry", "about"], errors.map((one) => [
      make("a", { href: `/docs/errors#${one.code}` }, one.code), String(one.status), word(one.retryable ? "yes" : "no"), language === "zh" ? one.title_zh : one.title]))]));
  }
  const limits = Object.entries(text["x-kontor-limits"]).filter(([name]) => fits(query, name));
  if (limits.length) parts.push(section("limits", word("limits"), [table(["name", "value"], limits.map(([name, value]) => [make("code", {}, name), value.toLocaleString(language)]))]));
  const head = make("div", {}, make("h1", {}, `Kontor ${text.info.version}`), make("p", { class: "soft" }, word("note")));
  byId("content").replaceChildren(head, ...(parts.length ? parts : [make("p", {}, word("nothing"))]));
  byId("groups").replaceChildren(...parts.map((part) => make("a", { href: `#${part.id}` }, part.querySelector("h2").textContent)));
  reveal();
}

// A link to a shape or operation opens it.
function reveal() {
  const target = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) { target.open = true; target.scrollIntoView(); }
}

byId("language").addEventListener("click", () => { language = language === "zh" ? "en" : "zh"; keep("kontor.language", language); draw(); });
byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  keep("kontor.theme", root.dataset.theme);
});
byId("find").addEventListener("input", draw);
addEventListener("hashchange", reveal);
if (kept("kontor.theme")) document.documentElement.dataset.theme = kept("kontor.theme");

draw();
try {
  const answer = await fetch("/api/v1/openapi.json", { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  text = await answer.json();
  draw();
} catch (error) {
  byId("content").replaceChildren(make("p", {}, `${word("failed")} ${error.message}`));
}
