// What the dashboard and the operator page share: the API key, questions to the API, and tables.
// The key is kept for as long as the tab is open, and in no link.

const KEY = "tocsin-key";

const PATIENCE = 20000; // ms for an answer; the server gives up before
const SLOW = 2000; // ms after which what is shown is said to be from before
const UNKNOWN_KEY = "This key is not known here. It may be cut off, be of another installation, or have been "
  + "withdrawn; `tocsin keys create NAME` makes another.";
const ENDED = "Your log-in has ended.";

export class Refused extends Error {}
// Whoever is asked next is not there either.
export class Away extends Error {}

let session = null; // of whoever is logged in at the company's provider, in place of a key

export async function ask(path, options = {}) {
  const key = sessionStorage.getItem(KEY);
  const who = key ? { Authorization: `Bearer ${key}` } : { "X-Tocsin-Proof": session?.proof ?? "" };
  const headers = { ...who, ...(options.body ? { "Content-Type": "application/json" } : {}) };
  const late = AbortSignal.timeout(PATIENCE);
  const signal = options.signal ? AbortSignal.any([options.signal, late]) : late;
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, signal });
  } catch {
    throw new Away(late.aborted ? `The server did not answer within ${PATIENCE / 1000} s.` : "The server can't be reached.");
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const said = await answer.json().catch(() => ({}));
  const text = [said.detail || said.title || `The server answered ${answer.status}.`,
    ...(said.errors || []).map((error) => `${error.pointer}: ${error.detail}`)].join(" ");
  if (answer.status === 401) {
    // What was asked at the same time is refused, too, and must not say something else of it.
    if (key) askForKey(UNKNOWN_KEY); else if (session) askForKey(ENDED);
    sessionStorage.removeItem(KEY);
    session = null;
  }
  if (answer.status === 503) throw new Away(text);
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
    open();
  });
  document.querySelector("#leave").addEventListener("click", leave);
  for (const link of document.querySelectorAll("nav a"))
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
  if (sessionStorage.getItem(KEY)) start(); else enter();
}

// As whoever is logged in, or by a key where nobody is.
async function enter() {
  const found = await fetch("/login/session").then((answer) => answer.json()).catch(() => ({}));
  const link = document.querySelector("#login");
  link.hidden = !found.login;
  if (found.login) link.querySelector("a").href = `${found.login}?${new URLSearchParams({ page: location.pathname + location.search })}`;
  session = found.session;
  if (!session) { askForKey(""); return; }
  document.querySelector("#who").textContent = session.name;
  open();
}

function open() {
  document.querySelector("#key").hidden = true;
  document.querySelector("#content").hidden = false;
  started();
}

async function leave() {
  const isKey = sessionStorage.getItem(KEY) !== null;
  sessionStorage.removeItem(KEY);
  if (isKey || !session) { location.reload(); return; }
  try {
    location.assign((await ask("/login/end", { method: "POST" })).url);
  } catch (error) {
    askForKey(`You are still logged in: ${error.message}`);
  }
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

// A table of rows; a cell may be a value or an element. `show` makes text of a value in a column.
export function table(columns, rows, show = shown) {
  const head = element("tr", {}, ...columns.map((column, at) => element("th",
    { scope: "col", className: isNumber(rows, at) ? "number" : "" }, column.replaceAll("_", " "))));
  const body = rows.map((row) => element("tr", {}, ...row.map((cell, at) => element("td",
    { className: isNumber(rows, at) ? "number" : "" },
    cell instanceof Node ? cell : show(cell, columns[at])))));
  return element("div", { className: "scroll", tabIndex: 0 }, element("table", {},
    element("thead", {}, head), element("tbody", {}, ...body)));
}

// Puts what was made in the place of what is there, and leaves alone what is the same: whoever is
// pressing, reading or copying it goes on. What has a key (data-key) is the same under that key.
export function put(place, ...made) {
  const kept = new Map();
  for (const node of place.children) if (node.dataset?.key) kept.set(node.dataset.key, node);
  const wanted = made.map((node, at) => {
    const before = node.dataset?.key ? kept.get(node.dataset.key) : place.childNodes[at];
    return before && isAlike(before, node) ? become(before, node) : node;
  });
  const stay = new Set(wanted);
  for (const node of [...place.childNodes]) if (!stay.has(node)) node.remove();
  let at = place.firstChild;
  for (const node of wanted) if (node === at) at = at.nextSibling; else place.insertBefore(node, at);
}

function isAlike(before, node) {
  return before.nodeName === node.nodeName && before.dataset?.key === node.dataset?.key;
}

function become(before, node) {
  if (before.nodeType !== Node.ELEMENT_NODE) {
    if (before.data !== node.data) before.data = node.data;
    return before;
  }
  // What somebody opened stays open, and what they do is done as it was when it was made.
  if (before.nodeName === "BUTTON" && !node.dataset.key && !node.closest("[data-key]")) return node;
  for (const { name, value } of node.attributes) if (before.getAttribute(name) !== value) before.setAttribute(name, value);
  for (const { name } of [...before.attributes]) if (!node.hasAttribute(name) && name !== "open") before.removeAttribute(name);
  put(before, ...node.childNodes);
  return before;
}

export function clock(at) {
  return new Date(at).toLocaleTimeString();
}

// What is asked again and again, one question at a time, and how old what is shown of it is.
export class Watched {
  #ask;
  #every;
  #cards;
  #asked = 0;
  #answered = 0;
  #error = "";
  #isBusy = false;

  // `ask()` asks and shows; `cards` are what is out of date while no answer comes. `every` is in ms.
  constructor(ask, every, ...cards) {
    this.#ask = ask;
    this.#every = every;
    this.#cards = cards;
  }

  // Called every second.
  tick() {
    if (!this.#isBusy && Date.now() - this.#asked >= this.#every) this.look();
    this.#say();
  }

  // At once, though an answer may be under way: what is asked for has changed.
  async again() {
    this.#asked = 0;
    if (!this.#isBusy) await this.look();
  }

  async look() {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#asked = Date.now();
    try {
      await this.#ask();
      this.#answered = Date.now();
      this.#error = "";
    } catch (error) {
      this.#error = error.message;
    } finally {
      this.#isBusy = false;
      this.#say();
    }
  }

  #say() {
    const waits = this.#isBusy ? Date.now() - this.#asked : 0, isSlow = waits > SLOW;
    const as = this.#answered ? `as of ${clock(this.#answered)}` : "nothing is known yet";
    const why = this.#error || (isSlow ? `No answer for ${Math.round(waits / 1000)} s.` : "");
    for (const card of this.#cards) {
      card.classList.toggle("stale", Boolean(why));
      const note = card.querySelector(".asof") ?? card.appendChild(element("p", { className: "asof" }));
      const text = why ? `${why} What is shown is ${this.#answered ? as : "nothing yet"}.` : as;
      if (note.textContent !== text) note.textContent = text;
    }
  }
}

export function state(text, broken = false) {
  return element("p", { className: `state${broken ? " broken" : ""}`, role: "status" }, text);
}

function isNumber(rows, at) {
  const known = rows.map((row) => row[at]).filter((cell) => cell !== null);
  return known.length > 0 && known.every((cell) => typeof cell === "number");
}
