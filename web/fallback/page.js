// A small query page without any third-party code, for builds without npm: a query, its variables,
// the answer, the examples, and the schema's own descriptions.
import { variablesOf } from "./examples.js";

const texts = {
  en: {
    example: "Example", run: "Run (Ctrl+Enter)", language: "Language", query: "Query", variables: "Variables (JSON)",
    result: "Answer", docs: "Schema: find a type or field", running: "running…", back: "back",
    badVariables: "The variables are not valid JSON", unreachable: "The server cannot be reached", noDocs: "The schema could not be read",
  },
  zh: {
    example: "示例", run: "运行 (Ctrl+Enter)", language: "语言", query: "查询", variables: "变量 (JSON)",
    result: "结果", docs: "接口文档：查找类型或字段", running: "运行中…", back: "返回",
    badVariables: "变量不是有效的 JSON", unreachable: "无法连接服务器", noDocs: "无法读取接口文档",
  },
};

const at = (id) => document.getElementById(id);
const page = {
  example: at("example"), run: at("run"), status: at("status"), language: at("language"), query: at("query"),
  variables: at("variables"), result: at("result"), find: at("find"), docs: at("docs"),
};
let examples = [];
let types = new Map();
let roots = [];
const text = (key) => texts[page.language.value][key];

async function post(query, variables) {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/graphql-response+json, application/json",
      "Accept-Language": page.language.value,
    },
    body: JSON.stringify({ query, variables }),
  });
  const body = await response.text();
  try {
    return { status: response.status, body: JSON.parse(body) };
  } catch {
    return { status: response.status, body };
  }
}

async function run() {
  let variables = {};
  try {
    variables = page.variables.value.trim() ? JSON.parse(page.variables.value) : {};
  } catch (problem) {
    page.status.textContent = `${text("badVariables")}: ${problem.message}`;
    return;
  }
  page.status.textContent = text("running");
  page.run.disabled = true;
  const started = performance.now();
  try {
    const { status, body } = await post(page.query.value, variables);
    page.result.textContent = typeof body === "string" ? body : JSON.stringify(body, null, 2);
    page.status.textContent = `HTTP ${status}, ${Math.round(performance.now() - started)} ms`;
  } catch (problem) {
    page.status.textContent = `${text("unreachable")}: ${problem.message}`;
  } finally {
    page.run.disabled = false;
  }
}

async function show(example) {
  page.query.value = `${example.query}\n`;
  page.result.textContent = "";
  page.status.textContent = "";
  const variables = await variablesOf(example, async (query, values) => (await post(query, values)).body);
  page.variables.value = JSON.stringify(variables, null, 2);
}

// ---- the schema's descriptions

const introspection = `{ __schema {
  queryType { name } mutationType { name } subscriptionType { name }
  types { name kind description
    fields(includeDeprecated: true) { name description deprecationReason type { ...t } args { name type { ...t } defaultValue } }
    inputFields { name description type { ...t } defaultValue }
    enumValues(includeDeprecated: true) { name description }
    possibleTypes { name } }
} }
fragment t on __Type { name kind ofType { name kind ofType { name kind ofType { name kind } } } }`;

function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function link(name, label = name) {
  if (!types.has(name)) return label;
  const button = element("button", "", label);
  button.type = "button";
  button.addEventListener("click", () => showType(name));
  return button;
}

function typeParts(type) {
  if (type.kind === "NON_NULL") return [...typeParts(type.ofType), "!"];
  if (type.kind === "LIST") return ["[", ...typeParts(type.ofType), "]"];
  return [link(type.name)];
}

function fieldLine(field) {
  const line = element("li", "", field.name);
  if (field.args?.length) {
    line.append("(");
    field.args.forEach((arg, place) => {
      line.append(place ? ", " : "", `${arg.name}: `, ...typeParts(arg.type));
      if (arg.defaultValue != null) line.append(` = ${arg.defaultValue}`);
    });
    line.append(")");
  }
  if (field.type) line.append(": ", ...typeParts(field.type));
  if (field.defaultValue != null) line.append(` = ${field.defaultValue}`);
  const about = [field.description, field.deprecationReason && `deprecated: ${field.deprecationReason}`].filter(Boolean);
  if (about.length) line.append(element("div", "about", about.join(" ")));
  return line;
}

function showType(name) {
  const type = types.get(name);
  const back = element("button", "", `‹ ${text("back")}`);
  back.type = "button";
  back.addEventListener("click", showTypes);
  const lines = [...(type.fields ?? []), ...(type.inputFields ?? []), ...(type.enumValues ?? [])].map(fieldLine);
  lines.push(...(type.possibleTypes ?? []).map((t) => element("li", "", link(t.name))));
  page.docs.replaceChildren(back, element("h2", "", name), element("p", "about", type.description ?? ""), element("ul", "", ...lines));
  page.docs.scrollTop = 0;
}

function showTypes() {
  const wanted = page.find.value.trim().toLowerCase();
  const lines = [];
  if (!wanted) {
    const others = [...types.keys()].filter((name) => !roots.includes(name)).sort();
    for (const name of [...roots, ...others]) lines.push(element("li", "", link(name)));
  } else {
    for (const [name, type] of types) {
      if (name.toLowerCase().includes(wanted)) lines.push(element("li", "", link(name)));
      for (const field of [...(type.fields ?? []), ...(type.inputFields ?? [])]) {
        if (field.name.toLowerCase().includes(wanted)) lines.push(element("li", "", link(name, `${name}.${field.name}`)));
      }
      if (lines.length > 200) break;
    }
  }
  page.docs.replaceChildren(element("ul", "", ...lines));
}

async function readSchema() {
  try {
    const schema = (await post(introspection, {})).body.data.__schema;
    types = new Map(schema.types.filter((t) => !t.name.startsWith("__")).map((t) => [t.name, t]));
    roots = [schema.queryType, schema.mutationType, schema.subscriptionType].filter(Boolean).map((t) => t.name);
    showTypes();
  } catch {
    page.docs.replaceChildren(element("p", "about", text("noDocs")));
  }
}

// ---- start

function translate() {
  document.documentElement.lang = page.language.value;
  for (const label of document.querySelectorAll("[data-text]")) label.textContent = text(label.dataset.text);
  const chosen = page.example.selectedIndex;
  page.example.replaceChildren(...examples.map((e, place) => new Option(e.title[page.language.value], String(place))));
  page.example.selectedIndex = Math.max(chosen, 0);
}

function stored(value) {
  try {
    if (value) localStorage.setItem("tillkeep.language", value);
    return localStorage.getItem("tillkeep.language");
  } catch {
    return null;
  }
}

page.language.value = stored() ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
page.language.addEventListener("change", () => {
  stored(page.language.value);
  translate();
});
page.run.addEventListener("click", run);
page.example.addEventListener("change", () => show(examples[page.example.selectedIndex]));
page.find.addEventListener("input", showTypes);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    run();
  }
});

examples = await (await fetch("examples.json")).json();
translate();
await Promise.all([show(examples[0]), readSchema()]);
