// SPDX-License-Identifier: Apache-2.0
// Sends one call and shows how it went. Credentials are those of the form, in memory only.
import { byId, coloured, el } from "./dom.js";
import { language, word } from "./words.js";

const MAX_SHOWN = 1 << 20;

let login = null;                 // {user, password}
let running = null;               // AbortController of the call under way

export const user = () => login?.user;

export function setLogin(name, password) {
  login = name === "" && password === "" ? null : { user: name, password };
}

function basic({ user, password }) {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return "Basic " + btoa(String.fromCharCode(...bytes));
}

// X-Requested-With keeps the server from asking the browser for its own password dialog.
export function request(method, url, body, signal) {
  const headers = { "Accept-Language": language(), "X-Requested-With": "XMLHttpRequest" };
  if (login)
    headers.Authorization = basic(login);
  if (body !== undefined)
    headers["Content-Type"] = "application/json";
  return fetch(url, { method, headers, body, signal, credentials: "omit", cache: "no-store" });
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export function curlCommand(operation, url, body) {
  const words = ["curl"];
  if (!operation.isPublic)
    words.push("-u", quoted(login?.user ?? byId("user").value));
  if (operation.method !== "GET")
    words.push("-X", operation.method);
  if (body !== undefined)
    words.push("-H", quoted("Content-Type: application/json"), "-d", quoted(body));
  return [...words, quoted(location.origin + url)].join(" ");
}

function shown(text, type) {
  if (text === "")
    return el("p", { class: "soft" }, word("empty"));
  if (type.includes("json") && text.length < MAX_SHOWN) {
    try {
      return el("pre", { id: "answer-body", tabindex: "0" }, coloured(JSON.stringify(JSON.parse(text), null, 2)));
    } catch {
      // an answer that only claims to be JSON is shown as it came
    }
  }
  const cut = text.length > MAX_SHOWN;
  return el("div", {}, cut && el("p", { class: "soft" }, word("cut", MAX_SHOWN)),
            el("pre", { id: "answer-body", tabindex: "0" }, text.slice(0, MAX_SHOWN)));
}

function headerTable(headers) {
  const rows = [...headers].map(([name, value]) => el("tr", {}, el("td", {}, el("code", {}, name)), el("td", {}, value)));
  return el("details", {}, el("summary", {}, word("headers")), el("table", {}, rows));
}

function showAnswer(to, reply, text, size, ms) {
  const good = reply.ok ? "ok" : "bad";
  to.replaceChildren(
    el("p", { class: "row" }, el("span", { class: `status ${good}`, id: "answer-status" }, `${reply.status} ${reply.statusText}`.trim()),
       el("span", { class: "soft" }, word("took", ms, size))),
    headerTable(reply.headers), shown(text, reply.headers.get("content-type") ?? ""));
}

// Reads piece by piece: a stream of events is shown while it comes.
async function readAndShow(to, reply, started) {
  const decoder = new TextDecoder();
  const isStream = (reply.headers.get("content-type") ?? "").startsWith("text/event-stream");
  let text = "", size = 0;
  for (const reader = reply.body?.getReader(); reader;) {
    const { done, value } = await reader.read();
    if (done)
      break;
    size += value.length;
    if (text.length <= MAX_SHOWN)
      text += decoder.decode(value, { stream: true });
    if (isStream)
      showAnswer(to, reply, text, size, Math.round(performance.now() - started));
  }
  showAnswer(to, reply, text + decoder.decode(), size, Math.round(performance.now() - started));
}

export function stop() {
  running?.abort();
}

// Shows the answer in `to`; resolves when the call has ended, however it ended.
export async function send(operation, url, body, to) {
  stop();
  const mine = running = new AbortController();
  const started = performance.now();
  to.setAttribute("aria-busy", "true");
  to.replaceChildren(el("p", { class: "soft" }, word("sending")));
  try {
    await readAndShow(to, await request(operation.method, url, body, mine.signal), started);
  } catch (error) {
    const ms = Math.round(performance.now() - started);
    const note = mine.signal.aborted ? word("stopped", ms) : word("answerFailed", error.message);
    to.append(el("p", { class: "notice bad", id: "answer-error" }, note));
    to.querySelector("p.soft")?.remove();
  }
  to.setAttribute("aria-busy", "false");
  if (running === mine)
    running = null;
}
