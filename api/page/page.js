// SPDX-License-Identifier: Apache-2.0
// Loads the OpenAPI document, lists its operations by chapter, and shows the one that the address names: #/operation-id.
import { request, setLogin, stop, user } from "./call.js";
import { byId, el } from "./dom.js";
import { showOperation } from "./operation.js";
import { matches, operations } from "./schema.js";
import { language, switchLanguage, word } from "./words.js";

const DOCUMENT = "/api/v2/openapi.json";

let spec = null;
let all = [];

const wanted = () => decodeURIComponent(location.hash.replace(/^#\/?/, ""));

function showList() {
  const text = byId("search").value.trim();
  const found = all.filter((o) => text === "" || matches(o, text));
  const chapters = Map.groupBy ? Map.groupBy(found, (o) => o.tag) : grouped(found);
  const link = (o) => el("a", { href: `#/${encodeURIComponent(o.id)}`, "aria-current": o.id === wanted() ? "page" : null },
    el("span", { class: `method ${o.method}` }, o.method), el("span", { class: "path" }, o.path), el("small", {}, o.summary));
  byId("count").textContent = spec ? word("count", found.length, all.length) : "";
  byId("list").replaceChildren(...[...chapters].flatMap(([tag, rows]) => [el("h2", {}, tag), ...rows.map(link)]));
  if (spec && found.length === 0)
    byId("list").append(el("p", { class: "soft row" }, word("none", text), el("button", { type: "button", onclick: clearSearch }, word("clear"))));
}

function grouped(rows) {
  const groups = new Map();
  for (const row of rows)
    groups.set(row.tag, [...(groups.get(row.tag) ?? []), row]);
  return groups;
}

function clearSearch() {
  byId("search").value = "";
  showList();
  byId("search").focus();
}

function showWelcome(to) {
  to.replaceChildren(
    el("h1", {}, word("welcome")), el("p", {}, word("welcomeText")),
    el("p", { class: "soft" }, el("kbd", {}, "/"), " ", el("kbd", {}, "↑ ↓"), " ", el("kbd", {}, "Enter"), " ", el("kbd", {}, "Ctrl+Enter"), " ", word("keys")),
    el("p", {}, el("a", { href: DOCUMENT }, word("document"))));
}

function showChosen() {
  const to = byId("operation"), id = wanted();
  const chosen = all.find((o) => o.id === id);
  stop();
  for (const a of byId("list").querySelectorAll("a"))
    a.getAttribute("href") === `#/${encodeURIComponent(id)}` ? a.setAttribute("aria-current", "page") : a.removeAttribute("aria-current");
  if (chosen)
    showOperation(spec, chosen, to);
  else if (id !== "")
    to.replaceChildren(el("p", { class: "notice bad" }, word("unknown", id)));
  else
    showWelcome(to);
  to.scrollTop = 0;
}

function showWords() {
  document.documentElement.lang = language();
  document.title = word("title");
  for (const node of document.querySelectorAll("[data-word]"))
    node.textContent = word(node.dataset.word);
  byId("search").placeholder = word("searchHint");
  byId("language").textContent = word("other");
}

async function load() {
  const to = byId("operation");
  to.setAttribute("aria-busy", "true");
  to.replaceChildren(el("p", { class: "soft" }, word("loading")));
  try {
    const reply = await request("GET", DOCUMENT);
    if (!reply.ok)
      throw new Error(`${reply.status} ${reply.statusText}`);
    spec = await reply.json();
    all = operations(spec);
    byId("version").textContent = spec.info?.version ?? "";
    showList();
    showChosen();
  } catch (error) {
    to.replaceChildren(el("p", { class: "notice bad" }, word("failed", error.message)),
                       el("button", { type: "button", onclick: load }, word("again")));
  }
  to.setAttribute("aria-busy", "false");
}

// Tries the credentials at once, so that a wrong password shows here and not at the first call.
async function signIn(event) {
  const who = byId("who"), say = (kind, ...what) => { who.className = kind; who.replaceChildren(...what); };
  event.preventDefault();
  setLogin(byId("user").value.trim(), byId("password").value);
  if (user() === undefined)
    return say("", word("signedOut"));
  say("", word("sending"));
  try {
    const reply = await request("GET", "/api/v2/profiles/me");
    const answer = await reply.json();
    if (reply.ok)
      return say("ok", word("signedIn", user()));
    const change = all.find((o) => o.path.endsWith("/changePassword") && o.path.includes("/profiles/me"));
    if (answer.error?.code === 3020 && change)
      return say("bad", word("changeFirst"), " ", el("a", { href: `#/${encodeURIComponent(change.id)}` }, change.path));
    say("bad", answer.error?.message ?? `${reply.status}`);
  } catch (error) {
    say("bad", word("answerFailed", error.message));
  }
}

// "/" goes to the search from anywhere but a field; arrows walk through the list.
function onKey(event) {
  const search = byId("search"), inField = event.target.matches?.("input, textarea, select");
  if (event.key === "/" && !inField) {
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "Escape" && event.target === search) {
    clearSearch();
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.closest?.("nav")) {
    const stops = [search, ...byId("list").querySelectorAll("a")];
    const next = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    stops[Math.max(0, Math.min(next, stops.length - 1))].focus();
  }
}

byId("search").addEventListener("input", showList);
byId("login").addEventListener("submit", signIn);
byId("language").addEventListener("click", () => {
  switchLanguage();
  showWords();
  showList();
  spec ? showChosen() : load();
});
addEventListener("hashchange", () => {
  showChosen();
  byId("operation").focus();
});
addEventListener("keydown", onKey);
showWords();
load();
