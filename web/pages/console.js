// What the dashboard and the operator page share: the API key, questions to the API, and tables.
// The key is kept for as long as the tab is open, and in no link.

const KEY = "tocsin-key";

export class Refused extends Error {}

export async function ask(path, options = {}) {
  const key = sessionStorage.getItem(KEY);
  const headers = { Authorization: `Bearer ${key}`, ...(options.body ? { "Content-Type": "application/json" } : {}) };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch {
    throw new Error("The server can't be reached. What is shown is from before.");
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const said = await answer.json().catch(() => ({}));
  const text = [said.detail || said.title || `The server answered ${answer.status}.`,
    ...(said.errors || []).map((error) => `${error.pointer}: ${error.detail}`)].join(" ");
  if (answer.status === 401) { sessionStorage.removeItem(KEY); askForKey(text); }
  throw answer.status === 401 || answer.status === 403 ? new Refused(text) : new Error(text);
}

let started = () => {};

// Calls `start` once a key is there, and again with another key.
export function begin(start) {
  started = start;
  document.querySelector("#key").addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, document.querySelector("#key input").value.trim());
    document.querySelector("#key input").value = "";
    document.querySelector("#key").hidden = true;
    document.querySelector("#content").hidden = false;
    started();
  });
  document.querySelector("#leave").addEventListener("click", () => {
    sessionStorage.removeItem(KEY);
    location.reload();
  });
  for (const link of document.querySelectorAll("nav a"))
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
  if (sessionStorage.getItem(KEY)) start(); else askForKey("");
}

function askForKey(text) {
  document.querySelector("#key").hidden = false;
  document.querySelector("#content").hidden = true;
  document.querySelector("#refused").textContent = text;
  document.querySelector("#key input").focus();
}

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function shown(value) {
  if (value === null || value === undefined || value === "") return "–";
  if (typeof value === "number") return value.toLocaleString(undefined, { maximumFractionDigits: 4 });
  return String(value);
}

export function time(text) {
  return new Date(text).toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" });
}

// A table of rows; a cell may be a value or an element.
export function table(columns, rows) {
  const head = element("tr", {}, ...columns.map((column, at) => element("th",
    { scope: "col", className: isNumber(rows, at) ? "number" : "" }, column.replaceAll("_", " "))));
  const body = rows.map((row) => element("tr", {}, ...row.map((cell, at) => element("td",
    { className: isNumber(rows, at) ? "number" : "" },
    cell instanceof Node ? cell : shown(cell)))));
  return element("div", { className: "scroll", tabIndex: 0 }, element("table", {},
    element("thead", {}, head), element("tbody", {}, ...body)));
}

export function state(text, broken = false) {
  return element("p", { className: `state${broken ? " broken" : ""}`, role: "status" }, text);
}

function isNumber(rows, at) {
  return rows.length > 0 && rows.every((row) => typeof row[at] === "number");
}
