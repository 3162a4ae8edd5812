// <tocsin-bell server="https://notify.example.com" token="…"></tocsin-bell>
//
// A bell with the live number of unread notifications, and their list. Without a build step: a
// page loads this file and puts the element where it wants it. When the token ends the element
// asks for another by the event "tocsin-token", whose detail.give(token) takes it.

const STYLE = `
  :host { display: inline-block; position: relative; font: 14px/1.4 system-ui, sans-serif;
          --ground: #fff; --text: #1c1c22; --faint: #63636e; --edge: #d9d9e0; --mark: #0b5cad;
          --badge: #c01f2e; color-scheme: light dark; }
  @media (prefers-color-scheme: dark) {
    :host { --ground: #1e1e24; --text: #f0f0f4; --faint: #a8a8b3; --edge: #3c3c46; --mark: #7db8f5;
            --badge: #e0505c; }
  }
  button { font: inherit; color: inherit; background: none; border: 0; cursor: pointer; }
  button:disabled { opacity: .5; cursor: default; }
  :focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
  #bell { position: relative; padding: 8px; color: var(--text); border-radius: 8px; }
  #bell svg { display: block; width: 24px; height: 24px; fill: none; stroke: currentColor;
              stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
  #count { position: absolute; top: 0; right: 0; min-width: 18px; padding: 0 4px; color: #fff;
           font-size: 12px; line-height: 18px; text-align: center; background: var(--badge);
           border-radius: 9px; box-sizing: border-box; }
  #panel { position: absolute; right: 0; z-index: 1000; width: min(360px, 90vw); max-height: 70vh;
           overflow: auto; color: var(--text); background: var(--ground);
           border: 1px solid var(--edge); border-radius: 10px;
           box-shadow: 0 8px 24px rgb(0 0 0 / 25%); }
  header { display: flex; align-items: center; justify-content: space-between; padding: 10px 14px;
           border-bottom: 1px solid var(--edge); }
  h2 { margin: 0; font-size: 15px; }
  header button, #more { color: var(--mark); padding: 4px 6px; border-radius: 6px; }
  ul { margin: 0; padding: 0; list-style: none; }
  li button { display: block; width: 100%; padding: 10px 14px 10px 26px; text-align: start;
              position: relative; border-bottom: 1px solid var(--edge); }
  li button:hover { background: color-mix(in srgb, var(--mark) 10%, transparent); }
  li.unread button::before { content: ""; position: absolute; left: 11px; top: 17px; width: 8px;
                             height: 8px; border-radius: 4px; background: var(--mark); }
  li div { display: flex; flex-wrap: wrap; gap: 6px 14px; padding: 6px 14px 10px 26px;
           border-bottom: 1px solid var(--edge); } li div a { color: var(--mark); }
  li:has(div) button { border-bottom: 0; }
  li img { display: block; max-width: 100%; max-height: 160px; margin-bottom: 6px; border-radius: 6px; }
  li.unread b { font-weight: 650; } li b { font-weight: 500; display: block; }
  li span { display: block; overflow-wrap: anywhere; } time, #state { color: var(--faint); }
  #state { padding: 16px; margin: 0; text-align: center; } #more { display: block; margin: 6px auto; }
  .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  [hidden] { display: none !important; }
`;

const MARKUP = `
  <button id="bell" type="button" aria-haspopup="dialog" aria-expanded="false" aria-controls="panel">
    <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 17V11a6 6 0 0 1 12 0v6l2 2H4z"/>
      <path d="M10 21h4"/></svg>
    <span id="count" hidden aria-hidden="true"></span>
    <span id="label" class="hidden"></span>
  </button>
  <span id="news" class="hidden" role="status" aria-live="polite"></span>
  <section id="panel" role="dialog" aria-labelledby="title" hidden>
    <header><h2 id="title">Notifications</h2>
      <button id="all" type="button">Mark all as read</button></header>
    <ul id="list"></ul>
    <p id="state"></p>
    <button id="more" type="button" hidden>Show older</button>
  </section>
`;

const MOST_ROWS = 1000; // kept, of items that were shown before
const FIRST_WAIT = 1000, LONGEST_WAIT = 30000; // ms between attempts to connect

/** By the millisecond of acceptance that ids begin with; within it, as the items came. */
function newestFirst(a, b) {
  const [before, after] = [a, b].map((item) => item.id.slice(0, 13));
  return before === after ? b.number - a.number : before < after ? 1 : -1;
}

class TocsinBell extends HTMLElement {
  static observedAttributes = ["server", "token"];
  #parts = {};
  #items = new Map();
  #rows = new Map();
  #last = null;
  #next = null;
  #source = null;
  #position = "";
  #turn = 0;
  #wait = FIRST_WAIT;
  #timer = 0;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const style = document.createElement("style");
    style.textContent = STYLE;
    const body = document.createElement("div");
    body.innerHTML = MARKUP; // nothing of anybody's in it
    root.append(style, body);
    for (const part of root.querySelectorAll("[id]")) this.#parts[part.id] = part;
    this.#parts.bell.addEventListener("click", () => this.#toggle());
    this.#parts.all.addEventListener("click", () => this.#change({ kind: "read" }));
    this.#parts.more.addEventListener("click", () => this.#read(this.#next));
    root.addEventListener("keydown", (event) => this.#key(event));
  }

  connectedCallback() {
    this.outside = (event) => { if (!event.composedPath().includes(this)) this.#close(); };
    document.addEventListener("pointerdown", this.outside);
    this.#show(0);
    this.#connect();
  }

  disconnectedCallback() {
    document.removeEventListener("pointerdown", this.outside);
    this.#disconnect();
  }

  attributeChangedCallback(name, before, after) {
    if (this.isConnected && before !== after) this.#connect();
  }

  #url(path, query = {}) {
    const url = new URL(path, this.getAttribute("server") || location.origin);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }

  #connect() {
    this.#disconnect();
    const token = this.getAttribute("token");
    if (!token) return this.#askForToken();
    const last = this.#last === null ? {} : { last: this.#last };
    this.#source = new EventSource(this.#url("/inbox/stream", { token, ...last }));
    this.#source.onopen = () => { this.#wait = FIRST_WAIT; this.toggleAttribute("offline", false); };
    this.#source.onmessage = (event) => this.#take(JSON.parse(event.data));
    this.#source.onerror = () => this.#retry();
  }

  #disconnect() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  // By ourselves: a browser gives up for good when it is answered with an error.
  #retry() {
    this.#disconnect();
    this.toggleAttribute("offline", true);
    const wait = this.#wait * (0.5 + Math.random() / 2);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
    this.#timer = setTimeout(async () => {
      const answer = await this.#fetch("/inbox/counts").catch(() => null);
      if (!this.isConnected) return; // taken away meanwhile: nobody would end what began now
      if (answer?.status === 401) this.#askForToken();
      else this.#connect();
    }, wait);
  }

  #askForToken() {
    const give = (token) => this.setAttribute("token", token);
    this.dispatchEvent(new CustomEvent("tocsin-token", { detail: { give }, bubbles: true }));
  }

  #take(message) {
    if (message.kind === "item" && !this.#items.has(message.item.id)) {
      this.#takeAway(message.item.replaces);
      this.#items.set(message.item.id, message.item);
      this.#parts.news.textContent = `${message.item.title}: ${message.item.body}`;
      this.dispatchEvent(new CustomEvent("tocsin-item", { detail: message.item, bubbles: true }));
    }
    this.#last = message.id;
    this.#position = message.position ?? "";
    this.#turn += 1;
    this.#show(message.counts.unread);
    if (this.#isOpen) this.#read();
  }

  // Of what is about the same thing, the inbox has the last alone.
  #takeAway(replaces) {
    if (!replaces) return;
    for (const [id, item] of this.#items) if (item.replaces === replaces) this.#items.delete(id);
  }

  #show(unread) {
    this.#parts.count.hidden = unread === 0;
    this.#parts.count.textContent = unread > 99 ? "99+" : unread;
    this.#parts.label.textContent = `Notifications, ${unread || "none"} unread`;
    this.#parts.all.disabled = unread === 0;
  }

  get #isOpen() { return !this.#parts.panel.hidden; }

  async #toggle() {
    if (this.#isOpen) return this.#close();
    this.#parts.panel.hidden = false;
    this.#parts.bell.setAttribute("aria-expanded", "true");
    await this.#read();
    (this.#buttons()[0] ?? this.#parts.all).focus();
    this.#change({ kind: "seen" });
  }

  #close() {
    this.#parts.panel.hidden = true;
    this.#parts.bell.setAttribute("aria-expanded", "false");
  }

  #buttons() { return [...this.#parts.list.querySelectorAll("button")]; }

  #key(event) {
    if (!this.#isOpen) return;
    if (event.key === "Escape") { this.#close(); this.#parts.bell.focus(); return; }
    const buttons = this.#buttons(), at = buttons.indexOf(this.shadowRoot.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined || !buttons.length) return;
    event.preventDefault();
    buttons[Math.max(0, Math.min(to, buttons.length - 1))].focus();
  }

  async #fetch(path, query, options = {}) {
    const headers = { Authorization: `Bearer ${this.getAttribute("token")}` };
    if (options.body) headers["Content-Type"] = "application/json";
    return fetch(this.#url(path, query), { ...options, headers });
  }

  async #read(before) {
    const turn = (this.#turn += 1);
    const position = this.#position ? { position: this.#position } : {};
    try {
      const answer = await this.#fetch("/inbox", before ? { before } : position);
      if (!answer.ok) throw new Error(answer.status);
      const page = await answer.json();
      if (turn !== this.#turn) return; // something newer came, or is being read
      if (!before) this.#items.clear();
      if (!before && this.#rows.size > MOST_ROWS) this.#rows.clear();
      for (const item of page.items) this.#items.set(item.id, item);
      this.#next = page.next;
      this.#show(page.counts.unread);
      this.#draw();
    } catch {
      this.#parts.state.hidden = false;
      this.#parts.state.textContent = "Notifications can't be loaded just now.";
    }
  }

  #draw() {
    const focused = this.shadowRoot.activeElement?.closest?.("li")?.dataset.id;
    const items = [...this.#items.values()].sort(newestFirst);
    const rows = items.map((item) => this.#rowOf(item)), shown = this.#parts.list.children;
    // A row that stays is left in its place: somebody may be pressing it just now.
    if (rows.length !== shown.length || rows.some((row, at) => row !== shown[at]))
      this.#parts.list.replaceChildren(...rows);
    this.#parts.state.hidden = items.length > 0;
    this.#parts.state.textContent = "Nothing here yet.";
    this.#parts.more.hidden = !this.#next;
    if (focused) this.#parts.list.querySelector(`[data-id="${CSS.escape(focused)}"] button`)?.focus();
  }

  #rowOf(item) {
    const state = JSON.stringify([item.title, item.body, Boolean(item.read_at)]);
    let kept = this.#rows.get(item.id);
    if (kept?.state !== state) {
      kept = { state, row: this.#row(item) };
      this.#rows.set(item.id, kept);
    }
    return kept.row;
  }

  #row(item) {
    const row = document.createElement("li"), button = document.createElement("button");
    row.dataset.id = item.id;
    row.classList.toggle("unread", !item.read_at);
    button.type = "button";
    if (isPage(item.image, "https:")) {
      const image = document.createElement("img");
      Object.assign(image, { alt: "", loading: "lazy", referrerPolicy: "no-referrer" });
      image.addEventListener("error", () => image.remove());
      image.src = item.image;
      button.append(image);
    }
    const parts = [["b", item.title], ["span", item.body]];
    for (const [tag, text] of parts) {
      if (!text) continue;
      const part = document.createElement(tag);
      part.textContent = text; // what others wrote is text, never markup
      button.append(part);
    }
    const time = document.createElement("time"), at = new Date(item.occurred_at);
    time.dateTime = at.toISOString();
    time.textContent = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    button.append(time);
    if (!item.read_at) {
      const mark = document.createElement("span");
      mark.className = "hidden";
      mark.textContent = "unread";
      button.prepend(mark);
    }
    button.addEventListener("click", () => this.#open(this.#items.get(item.id) ?? item));
    row.append(button);
    const links = (item.actions ?? []).filter((action) => isPage(action.url, "https:", "http:"));
    if (links.length) row.append(this.#actions(item, links));
    return row;
  }

  #actions(item, links) {
    const group = document.createElement("div");
    for (const action of links) {
      const link = document.createElement("a");
      Object.assign(link, { href: action.url, target: "_blank", rel: "noopener noreferrer" });
      link.textContent = action.label;
      link.addEventListener("click", () => this.#open(this.#items.get(item.id) ?? item));
      group.append(link);
    }
    return group;
  }

  #open(item) {
    if (!item.read_at) {
      item.read_at = new Date().toISOString();
      this.#draw();
      this.#change({ kind: "read", item: item.id });
    }
    this.dispatchEvent(new CustomEvent("tocsin-open", { detail: item, bubbles: true }));
  }

  async #change(body) {
    await this.#fetch("/inbox/changes", {}, { method: "POST", body: JSON.stringify(body) })
      .catch(() => null);
  }
}

// What others wrote leads to pages alone, and never runs as a program.
function isPage(address, ...schemes) {
  try {
    return schemes.includes(new URL(address).protocol);
  } catch {
    return false;
  }
}

customElements.define("tocsin-bell", TocsinBell);
