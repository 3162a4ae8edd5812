// The element: what it shows, and what is done with it. The connection is ./line.js.

import { Line, nameOf } from "./line.js";
import { MARKUP, place, STYLE } from "./look.js";
import { Outbox } from "./outbox.js";
import { mark, rowOf, showRead } from "./rows.js";
import { wordsFor } from "./words.js";

const MOST_ROWS = 1000; // that are read again together
const PAGE = 20, LARGEST_PAGE = 100;
const TIMEOUT = 15000; // ms for a question

/** By the millisecond of acceptance that ids begin with; within it, as the items came. */
function newestFirst(a, b) {
  const [before, after] = [a, b].map((item) => item.id.slice(0, 13));
  return before === after ? b.number - a.number : before < after ? 1 : -1;
}

class TocsinBell extends HTMLElement {
  static observedAttributes = ["server", "token"];
  #parts = {};
  #words = wordsFor(document.documentElement);
  #items = new Map(); // of which the list is drawn, as the inbox has them
  #rows = new Map();
  #counts = { unread: 0, unseen: 0, last: 0 };
  #last = null;
  #next = null;
  #position = "";
  #which = "inbox";
  #line = null;
  #outbox = null;
  #name = "";
  #reading = Promise.resolve();
  #refreshing = null;
  #isStale = false;
  #isBroken = false;
  #note = "";

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    const style = document.createElement("style");
    style.textContent = STYLE;
    const body = document.createElement("div");
    body.innerHTML = MARKUP; // nothing of anybody's in it
    root.append(style, body);
    for (const part of root.querySelectorAll("[id]")) this.#parts[part.id] = part;
    const { bell, all, close, more, again, snoozed, panel } = this.#parts;
    if (panel.showPopover) panel.popover = "manual";
    bell.addEventListener("click", () => this.#toggle());
    all.addEventListener("click", () => this.#change({ kind: "read" }));
    close.addEventListener("click", () => { this.#close(); bell.focus(); });
    more.addEventListener("click", () => this.#inTurn(() => this.#read(this.#next)));
    again.addEventListener("click", () => this.#refresh());
    snoozed.addEventListener("click", () => this.#list(this.#which === "inbox" ? "snoozed" : "inbox"));
    root.addEventListener("keydown", (event) => this.#key(event));
  }

  connectedCallback() {
    this.#speak();
    document.addEventListener("pointerdown", this);
    document.addEventListener("visibilitychange", this);
    addEventListener("pagehide", this);
    addEventListener("pageshow", this);
    addEventListener("resize", this);
    addEventListener("scroll", this, { capture: true, passive: true });
    this.#show();
    this.#connect();
  }

  disconnectedCallback() {
    document.removeEventListener("pointerdown", this);
    document.removeEventListener("visibilitychange", this);
    for (const kind of ["pagehide", "pageshow", "resize"]) removeEventListener(kind, this);
    removeEventListener("scroll", this, { capture: true });
    this.#close();
    this.#disconnect();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.isConnected || before === after) return;
    if (this.#line && this.#nameNow() === this.#name) this.#line.give(this.getAttribute("token"));
    else this.#connect();
  }

  handleEvent(event) {
    switch (event.type) {
      case "pointerdown": if (!event.composedPath().includes(this)) this.#close(); break;
      case "visibilitychange": if (!document.hidden && this.#isStale) this.#refresh(); break;
      // A page that is kept to come back to has neither lock nor socket.
      case "pagehide": this.#disconnect(); break;
      case "pageshow": if (event.persisted) this.#connect(); break;
      default: if (this.#isOpen && event.target !== this) place(this.#parts.panel, this.#parts.bell);
    }
  }

  get #server() { return this.getAttribute("server") || location.origin; }

  #nameNow() { return nameOf(this.#server, this.getAttribute("token") ?? ""); }

  #speak() {
    const words = this.#words = wordsFor(this);
    for (const name of ["title", "all", "more", "again"]) this.#parts[name].textContent = words[name];
    this.#parts.close.setAttribute("aria-label", words.close);
  }

  #connect() {
    this.#disconnect();
    const token = this.getAttribute("token"), name = this.#nameNow();
    if (!token) { this.#askForToken(); return; }
    if (name !== this.#name && this.#name) this.#forget();
    this.#name = name;
    const line = this.#line = new Line(this.#server, token, this.#last, {
      message: (message) => this.#take(message),
      online: (isOnline) => this.#online(isOnline),
      token: (other) => this.setAttribute("token", other),
      ask: () => this.#askForToken(),
    });
    // By the line of this user, whoever is shown by then.
    const send = (body) => this.#post(line, body);
    this.#outbox = new Outbox(name, send, (what, position) => this.#stored(what, position));
  }

  #disconnect() {
    this.#line?.end();
    this.#outbox?.end();
    this.#line = this.#outbox = null;
  }

  // Another user's: nothing of the one before may be seen.
  #forget() {
    this.#items.clear();
    this.#rows.clear();
    Object.assign(this.#counts, { unread: 0, unseen: 0, last: 0, snoozed: 0 });
    this.#last = this.#next = null;
    this.#position = "";
    this.#show();
    this.#draw();
  }

  #askForToken() {
    const give = (token) => this.setAttribute("token", token);
    this.dispatchEvent(new CustomEvent("tocsin-token", { detail: { give }, bubbles: true, composed: true }));
  }

  #online(isOnline) {
    this.toggleAttribute("offline", !isOnline);
    this.#show();
    if (!isOnline) return;
    this.#outbox.flush();
    if (this.#isBroken && this.#isOpen) this.#refresh();
  }

  #take(message) {
    const isNew = message.kind === "item" && message.item.number > (this.#last ?? 0);
    this.#last = message.id;
    this.#position = message.position ?? "";
    this.#counts = message.counts;
    if (isNew) this.#came(message.item);
    this.#show();
    if (!this.#isOpen) return;
    if (message.kind === "item" && this.#which === "inbox") this.#draw();
    else this.#refresh();
  }

  #came(item) {
    // Of what is about the same thing, the inbox has the last alone.
    if (item.replaces)
      for (const [id, before] of this.#items) if (before.replaces === item.replaces) this.#items.delete(id);
    if (this.#isOpen && this.#which === "inbox") this.#items.set(item.id, item);
    this.#parts.news.textContent = [item.title, item.body].filter(Boolean).join(": ");
    this.dispatchEvent(new CustomEvent("tocsin-item", { detail: item, bubbles: true, composed: true }));
  }

  get #pending() { return (this.#outbox?.waiting ?? []).map(([, { change, made }]) => ({ ...change, made })); }

  #isRead(item, pending) {
    const isMeant = ({ kind, item: id, made }) => kind === "read" && (id ? id === item.id : Date.parse(item.occurred_at) <= made);
    return Boolean(item.read_at) || pending.some(isMeant);
  }

  #show() {
    const { count, label, all, snoozed, note } = this.#parts, pending = this.#pending;
    const reads = pending.filter(({ kind }) => kind === "read");
    const unread = reads.some(({ item }) => !item) ? 0 : Math.max(0, this.#counts.unread - reads.length);
    count.hidden = unread === 0;
    count.textContent = unread > 99 ? "99+" : unread;
    label.textContent = this.#words.label(unread);
    const active = this.shadowRoot.activeElement;
    all.disabled = unread === 0;
    all.hidden = this.#which !== "inbox";
    snoozed.hidden = !this.#counts.snoozed && this.#which === "inbox";
    // What can't be pressed any more holds no focus.
    if ((active === all && (all.disabled || all.hidden)) || (active === snoozed && snoozed.hidden)) this.#parts.close.focus();
    snoozed.textContent = this.#which === "inbox" ? this.#words.snoozed(this.#counts.snoozed) : this.#words.inbox;
    const said = this.hasAttribute("offline") ? this.#words.offline : this.#note;
    note.hidden = !said;
    if (note.textContent !== said) note.textContent = said; // what is written again is read out again
  }

  get #isOpen() { return !this.#parts.panel.hidden; }

  async #toggle() {
    if (this.#isOpen) return this.#close();
    const { panel, bell } = this.#parts;
    panel.hidden = false;
    panel.showPopover?.();
    bell.setAttribute("aria-expanded", "true");
    this.#draw();
    place(panel, bell);
    await this.#refresh();
    if (!this.#isOpen) return;
    if (!this.shadowRoot.activeElement?.closest("#panel")) (this.#shown()[0] ?? this.#parts.close).focus();
    if (this.#counts.unseen) this.#change({ kind: "seen" });
  }

  #close() {
    if (!this.#isOpen) return;
    const { panel } = this.#parts;
    if (panel.popover && panel.matches(":popover-open")) panel.hidePopover();
    panel.hidden = true;
    this.#parts.bell.setAttribute("aria-expanded", "false");
    this.#which = "inbox";
    this.#note = "";
    this.#items.clear();
    this.#rows.clear();
    this.#next = null;
  }

  #list(which) {
    this.#which = which;
    this.#items.clear();
    this.#next = null;
    this.#parts.panel.scrollTop = 0;
    this.#show();
    this.#draw();
    this.#refresh();
  }

  #shown() { return [...this.#parts.list.querySelectorAll(".item")]; }

  #key(event) {
    if (!this.#isOpen) return;
    if (event.key === "Escape") { this.#close(); this.#parts.bell.focus(); return; }
    const shown = this.#shown(), at = shown.indexOf(this.shadowRoot.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined || !shown.length) return;
    event.preventDefault();
    shown[Math.max(0, Math.min(to, shown.length - 1))].focus();
  }

  async #fetch(line, path, query = {}, options = {}) {
    const url = new URL(path, line.server);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const once = (token) => fetch(url, {
      ...options, signal: AbortSignal.timeout(TIMEOUT),
      headers: { Authorization: `Bearer ${token}`, ...(options.body ? { "Content-Type": "application/json" } : {}) },
    });
    const token = line.token, answer = await once(token);
    return answer.status === 401 ? once(await line.renew(token)) : answer;
  }

  #post(line, body) {
    // Also when the press leads to another page.
    return this.#fetch(line, "/inbox/changes", {}, { method: "POST", body: JSON.stringify(body), keepalive: true });
  }

  // As much as is shown, so that nobody loses the place where they read.
  #refresh() {
    if (document.hidden) { this.#isStale = true; return this.#reading; }
    this.#isStale = false;
    return this.#refreshing ??= this.#inTurn(() => {
      this.#refreshing = null; // what changes from now on is read again
      return this.#read(null, Math.min(MOST_ROWS, Math.max(PAGE, this.#items.size)));
    });
  }

  // One after the other: each goes on from what the one before it left.
  #inTurn(work) { return this.#reading = this.#reading.then(work); }

  /** The items before one, or, with null, the first so many in place of what is there. */
  async #read(before, wanted = PAGE) {
    const line = this.#line, which = this.#which, { panel } = this.#parts;
    if (!line || !this.#isOpen) return;
    const found = [];
    let page = { next: before };
    panel.setAttribute("aria-busy", "true");
    this.#draw();
    try {
      do {
        const limit = Math.min(LARGEST_PAGE, wanted - found.length);
        const from = page.next ? { before: page.next } : this.#position ? { position: this.#position } : {};
        const answer = await this.#fetch(line, "/inbox", { which, limit, ...from });
        if (!answer.ok) throw new Error(answer.status);
        page = await answer.json();
        found.push(...page.items);
      } while (page.next && found.length < wanted);
      if (line !== this.#line || which !== this.#which || !this.#isOpen) return;
      // What came since is not in the answer.
      if (before === null)
        for (const [id, item] of this.#items) if (item.number <= page.counts.last) this.#items.delete(id);
      for (const item of found) this.#items.set(item.id, item);
      this.#next = page.next ?? null;
      if (page.counts.last >= (this.#last ?? 0)) this.#counts = page.counts;
      this.#isBroken = false;
    } catch {
      if (line === this.#line) this.#isBroken = true;
    } finally {
      panel.removeAttribute("aria-busy");
    }
    this.#show();
    this.#draw();
  }

  #draw() {
    if (!this.#isOpen) return;
    const { list, panel, state, again, more } = this.#parts, pending = this.#pending;
    // What was just put off or brought back is gone from the list at once, stored or not yet.
    const away = new Set(pending.filter((each) => each.kind === "snoozed").map((each) => each.item));
    const items = [...this.#items.values()].filter((item) => !away.has(item.id)).sort(newestFirst);
    const rows = items.map((item) => this.#rowOf(item, this.#isRead(item, pending)));
    const active = this.shadowRoot.activeElement, focused = active?.closest?.("li");
    const place = [...list.children].indexOf(focused), before = list.children.length;
    const anchor = panel.scrollTop > 0 && [...list.children].find((row) => row.offsetTop + row.offsetHeight > panel.scrollTop);
    const above = anchor ? anchor.offsetTop - panel.scrollTop : 0;
    this.#put(list, rows);
    const stays = anchor && list.querySelector(`[data-id="${CSS.escape(anchor.dataset.id)}"]`);
    if (stays) panel.scrollTop = stays.offsetTop - above;
    for (const row of rows) mark(row, this.#words);
    const isBusy = panel.hasAttribute("aria-busy"), words = this.#words;
    state.textContent = this.#isBroken ? words.broken : isBusy ? words.loading : words.empty;
    state.hidden = items.length > 0 && !this.#isBroken;
    again.hidden = !this.#isBroken || isBusy;
    more.hidden = !this.#next;
    if (active === more && more.hidden) this.#focus(before);
    else if (focused && !focused.isConnected) this.#focus(place, focused.dataset.id);
  }

  // Of the row that is there now, or of the next one, whoever goes on by keyboard.
  #focus(place, id = "") {
    const { list, close } = this.#parts, rows = [...list.children];
    const row = rows.find((each) => each.dataset.id === id) ?? rows[Math.min(place, rows.length - 1)];
    (row?.querySelector(".item") ?? close).focus({ preventScroll: true });
  }

  // A row that stays is left in its place: somebody may be pressing it just now.
  #put(list, rows) {
    const kept = new Set(rows);
    for (const row of [...list.children]) if (!kept.has(row)) row.remove();
    let at = list.firstChild;
    for (const row of rows) if (row === at) at = at.nextSibling; else list.insertBefore(row, at);
  }

  #rowOf(item, isRead) {
    const state = JSON.stringify([item.title, item.body, item.snoozed_until]);
    let kept = this.#rows.get(item.id);
    if (kept?.state !== state) {
      const pressed = (event, isButton = false) => this.#open(this.#items.get(item.id) ?? item, event, isButton);
      const snoozed = (until) => this.#change({ kind: "snoozed", item: item.id, until });
      kept = { state, row: rowOf(item, this.#words, pressed, snoozed) };
      this.#rows.set(item.id, kept);
    }
    showRead(kept.row, isRead);
    return kept.row;
  }

  #open(item, event, isButton) {
    if (!this.#isRead(item, this.#pending)) this.#change({ kind: "read", item: item.id });
    const said = { detail: item, bubbles: true, composed: true, cancelable: !isButton };
    const { href } = event.currentTarget, isElsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
    if (!this.dispatchEvent(new CustomEvent("tocsin-open", said))) event.preventDefault();
    // Many sites go there without another page being loaded, and what is there would be beneath.
    if (href && !isButton && !isElsewhere) this.#close();
  }

  #change(change) {
    this.#note = "";
    this.#outbox?.add(change);
    this.#show();
    this.#draw();
  }

  #stored(what, position) {
    if (what !== "stored") {
      this.#note = this.#words[what];
      this.#show();
      if (what === "refused" && this.#isOpen) this.#refresh();
      return;
    }
    this.#note = "";
    this.#position = position;
    if (this.#isOpen) this.#refresh();
    else this.#show();
  }
}

if (!customElements.get("tocsin-bell")) customElements.define("tocsin-bell", TocsinBell);
