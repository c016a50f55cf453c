// SPDX-License-Identifier: Apache-2.0
// One operation: what it is, a form for its parameters and body, the answer.
import { curlCommand, send, stop } from "./call.js";
import { el } from "./dom.js";
import { example, memberRows, typeText } from "./schema.js";
import { word } from "./words.js";

const ORIGINS = { documented: "originDocumented", additional: "originAdditional", own: "originOwn" };
const PERMISSIONS = { public: "permissionPublic", login: "permissionLogin" };

function badges(o) {
  const permission = PERMISSIONS[o.permission] ? word(PERMISSIONS[o.permission]) : word("permission", o.permission);
  const texts = [permission, ORIGINS[o.origin] && word(ORIGINS[o.origin]), o.isAsync && word("async")];
  return el("ul", { class: "badges" }, texts.filter(Boolean).map((t) => el("li", {}, t)));
}

function input(parameter) {
  const { name, schema, required } = parameter;
  const common = { name, "aria-label": name, "data-in": parameter.in, "data-required": required === true };
  const choices = schema.type === "boolean" ? ["true", "false"] : schema.enum;
  if (choices)
    return el("select", common, el("option", { value: "" }, ""), choices.map((c) => el("option", {}, c)));
  const placeholder = schema.default !== undefined ? String(schema.default) : "";
  return el("input", { ...common, placeholder, inputmode: schema.type === "integer" ? "numeric" : "text", autocomplete: "off", spellcheck: "false" });
}

function parameterTable(spec, o) {
  const head = ["name", "value", "type", "meaning"].map((k) => el("th", {}, word(k)));
  const rows = o.parameters.map((p) => el("tr", {},
    el("td", {}, el("code", {}, p.name, p.required && el("b", { title: word("required") }, " *")), " ",
       el("small", {}, word(p.in === "path" ? "inPath" : "inQuery"))),
    el("td", {}, input(p)),
    el("td", {}, el("small", {}, typeText(spec, p.schema))),
    el("td", {}, p.description ?? p.schema.description ?? "")));
  return el("div", { class: "card" }, el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)));
}

function memberTable(spec, schema) {
  const head = ["name", "type", "meaning"].map((k) => el("th", {}, word(k)));
  const rows = memberRows(spec, schema).map((r) => el("tr", {},
    el("td", { class: `depth${Math.min(r.depth, 4)}` }, el("code", {}, r.name, r.isRequired && el("b", { title: word("required") }, " *"))),
    el("td", {}, el("small", {}, r.type + (r.def === undefined ? "" : ` = ${JSON.stringify(r.def)}`))),
    el("td", {}, r.text)));
  return el("div", { class: "card" }, el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)));
}

function bodyEditor(spec, o) {
  const text = (all) => JSON.stringify(example(spec, o.body, all), null, 2);
  const editor = el("textarea", { id: "body", spellcheck: "false", "aria-label": word("body"), value: text(false) });
  const fill = (all) => () => {
    editor.value = text(all);
    editor.rows = Math.min(editor.value.split("\n").length + 1, 24);
    editor.focus();
  };
  editor.rows = Math.min(editor.value.split("\n").length + 1, 24);
  return [
    el("h3", {}, word("body"), " ", !o.isBodyRequired && el("span", { class: "soft" }, word("bodyOptional"))),
    editor,
    el("div", { class: "row" }, el("button", { type: "button", onclick: fill(false) }, word("onlyRequired")),
       el("button", { type: "button", onclick: fill(true) }, word("allMembers"))),
    el("details", {}, el("summary", {}, word("members")), memberTable(spec, o.body)),
  ];
}

// What the form says as {url, body}; throws with a sentence for the user and the field to look at.
function readForm(form, o) {
  const query = new URLSearchParams();
  let path = o.path;
  for (const field of form.querySelectorAll("[data-in]")) {
    const value = field.value.trim();
    if (value === "" && field.hasAttribute("data-required"))
      throw Object.assign(new Error(word("missing", field.name)), { field });
    if (field.dataset.in === "path")
      path = path.replace(`{${field.name}}`, encodeURIComponent(value));
    else if (value !== "")
      query.append(field.name, value);
  }
  const url = query.size === 0 ? path : `${path}?${query}`;
  const editor = form.querySelector("#body");
  const text = editor?.value.trim() ?? "";
  if (text === "" && (!editor || !o.isBodyRequired))
    return { url };
  try {
    return { url, body: JSON.stringify(JSON.parse(text)) };
  } catch (error) {
    throw Object.assign(new Error(word("bodyIsNot", error.message)), { field: editor });
  }
}

async function copy(text, note) {
  try {
    await navigator.clipboard.writeText(text);
    note.replaceChildren(word("copied"));
  } catch {
    note.replaceChildren(word("notCopied"), el("pre", {}, text));
  }
}

// Fills `to` with the operation.
export function showOperation(spec, o, to) {
  const answer = el("div", { id: "answer", role: "status" });
  const note = el("div", { id: "note", role: "status" });
  const stopper = el("button", { type: "button", disabled: true, onclick: stop }, word("stop"));
  const form = el("form", { id: "call", novalidate: true });
  const withForm = async (act) => {
    note.replaceChildren();
    try {
      await act(readForm(form, o));
    } catch (error) {
      note.replaceChildren(el("p", { class: "error" }, error.message));
      error.field?.focus();
    }
  };
  const submit = () => withForm(async ({ url, body }) => {
    stopper.disabled = false;
    await send(o, url, body, answer);
    stopper.disabled = true;
  });

  form.addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      submit();
    }
  });
  form.append(...[
    o.parameters.length > 0 && el("h3", {}, word("parameters")), o.parameters.length > 0 && parameterTable(spec, o),
    ...(o.body ? bodyEditor(spec, o) : []),
    el("div", { class: "row" }, el("button", { class: "main" }, word("send")), stopper,
       el("button", { type: "button", onclick: () => withForm(({ url, body }) => copy(curlCommand(o, url, body), note)) }, word("copy")),
       el("kbd", {}, "Ctrl+Enter")),
    note].filter(Boolean));
  to.replaceChildren(
    el("h1", {}, o.summary || o.id),
    el("p", { class: "line" }, el("span", { class: `method ${o.method}` }, o.method), el("span", { class: "path" }, o.path)),
    badges(o), form, el("h3", {}, word("answer")), answer,
    ...(o.answer ? [el("details", {}, el("summary", {}, word("answerMembers")), memberTable(spec, o.answer))] : []));
}
