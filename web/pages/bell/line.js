// The one connection that all tabs of a user share, and their one token.
//
// Whoever has the lock leads: it holds the socket, and tells the others by a channel what comes.
// When its tab is closed the next one has the lock; when it is frozen, whoever is looked at takes
// the lock away. Where a browser gives a page no locks, each tab has a connection of its own.

const FIRST_WAIT = 1000, LONGEST_WAIT = 30000; // ms between attempts to connect
const CHECK = 15000, PATIENCE = 5000; // ms between looks at the leader, and until it has to answer
const ASLEEP = 150000; // ms between two ticks that only a machine that slept lets pass
const ASK_AGAIN = 10000; // ms for which the page may look for another token
const RENEWAL = 30000; // ms

/** What a token says, unchecked: it only tells one user's tabs from another's. */
function claims(token) {
  try {
    const [, middle] = token.split(".");
    const bytes = atob(middle.replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(bytes, (each) => each.charCodeAt(0))));
  } catch {
    return {};
  }
}

export function nameOf(server, token) {
  const { iss, sub } = claims(token);
  return `tocsin ${new URL(server, location.href).href} ${sub ? JSON.stringify([iss, sub]) : token}`;
}

export class Line {
  server;
  token;
  isOnline = null; // not known yet
  #name;
  #heard;
  #id = Math.random().toString(36).slice(2);
  #channel;
  #leads = false;
  #release = null;
  #waiting = null;
  #ended = false;
  #socket = null;
  #isPlain = false; // by events over HTTP, where no socket gets through
  #last;
  #newest = null;
  #wait = FIRST_WAIT;
  #retrying = 0;
  #checking = 0;
  #doubting = 0;
  #ticked = Date.now();
  #askedAt = -Infinity;
  #renewed = new Set();

  /**
   * `last` is the number of the item that was heard of last, or null. `heard` has message(message),
   * online(isOnline), token(token), and ask(), to have the page look for another token.
   */
  constructor(server, token, last, heard) {
    Object.assign(this, { server, token });
    this.#name = nameOf(server, token);
    this.#last = last;
    this.#heard = heard;
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }) => this.#hear(data);
    this.#checking = setInterval(() => this.#check(), CHECK);
    for (const kind of ["online", "offline"]) addEventListener(kind, this);
    document.addEventListener("visibilitychange", this);
    this.#queue();
    this.#doubt();
  }

  end() {
    this.#ended = true;
    for (const kind of ["online", "offline"]) removeEventListener(kind, this);
    document.removeEventListener("visibilitychange", this);
    clearInterval(this.#checking);
    this.#follow();
    this.#waiting?.abort();
    this.#channel.close();
    for (const { fail } of this.#renewed) fail();
  }

  handleEvent({ type }) {
    if (type === "visibilitychange") this.#check();
    else if (!this.#leads) return;
    else if (type === "offline") { this.#hangUp(); this.#tell(false); }
    else { this.#wait = FIRST_WAIT; this.#connect(); }
  }

  /** A token other than the refused one, from whichever tab has or is given it; rejects in time. */
  renew(refused) {
    if (this.token !== refused) return Promise.resolve(this.token);
    const done = new Promise((resolve, reject) => {
      const fail = () => { this.#renewed.delete(waits); reject(new Error("no other token")); };
      const waits = { resolve, fail };
      this.#renewed.add(waits);
      setTimeout(fail, RENEWAL);
    });
    if (this.#leads) this.#ask(); else this.#say({ kind: "renew", refused, token: this.token });
    return done;
  }

  /** The page has another token of the same user. */
  give(token) {
    if (token === this.token) return;
    this.#accept(token);
    this.#say({ kind: "token", token });
  }

  #say(message) {
    if (!this.#ended) this.#channel.postMessage({ ...message, from: this.#id });
  }

  #hear(said) {
    if (said.kind === "token" && this.#isBetter(said.token)) this.#accept(said.token);
    if (this.#leads) {
      if (said.kind === "hello" && this.#isBetter(said.token)) this.#accept(said.token);
      if (said.kind === "hello")
        this.#say({ kind: "state", to: said.from, message: this.#newest, isOnline: this.isOnline, token: this.token });
      if (said.kind === "renew" && this.token !== said.refused) this.#say({ kind: "token", token: this.token });
      else if (said.kind === "renew") this.#ask();
      return;
    }
    if (said.kind === "state" && said.to === this.#id) {
      clearTimeout(this.#doubting);
      this.#doubting = 0;
      if (this.#isBetter(said.token)) this.#accept(said.token);
      this.#tell(said.isOnline);
      if (said.message) this.#take(said.message);
    }
    if (said.kind === "online") this.#tell(said.isOnline);
    if (said.kind === "message") { this.#tell(true); this.#take(said.message); }
  }

  // Of two tokens of one user, the one that ends last; one that was refused is none.
  #isBetter(token) {
    if (token === this.token) return false;
    return this.#renewed.size > 0 || (claims(token).exp ?? 0) > (claims(this.token).exp ?? 0);
  }

  #accept(token) {
    if (token === this.token) return;
    this.token = token;
    this.#askedAt = -Infinity;
    for (const { resolve } of this.#renewed) resolve(token);
    this.#renewed.clear();
    this.#heard.token(token);
    if (this.#leads && !this.#socket) this.#connect();
  }

  // The page may take its time: who asks meanwhile waits for the same answer.
  #ask() {
    if (performance.now() - this.#askedAt < ASK_AGAIN) return;
    this.#askedAt = performance.now();
    this.#heard.ask();
  }

  #queue(steal = false) {
    if (!navigator.locks) { this.#lead(); return; }
    const waiting = this.#waiting = new AbortController();
    const held = () => {
      if (this.#ended || waiting.signal.aborted) return null;
      this.#lead();
      return new Promise((release) => { this.#release = release; });
    };
    navigator.locks.request(this.#name, steal ? { steal } : { signal: waiting.signal }, held)
      .catch(() => {
        // Another tab took it, or we took back our place in the queue.
        if (this.#ended || waiting !== this.#waiting) return;
        this.#follow();
        this.#queue();
      });
  }

  #lead() {
    this.#leads = true;
    clearTimeout(this.#doubting);
    this.#doubting = 0;
    if (this.#renewed.size) this.#ask();
    this.#connect();
  }

  #follow() {
    this.#leads = false;
    this.#hangUp();
    this.#release?.();
    this.#release = null;
  }

  // Followers see that the leader still answers, as long as anybody looks at them.
  #check() {
    const slept = Date.now() - this.#ticked > ASLEEP;
    this.#ticked = Date.now();
    if (this.#leads && slept) this.#connect();
    else if (!this.#leads && !document.hidden) this.#doubt();
  }

  #doubt() {
    if (this.#leads || this.#doubting) return;
    this.#say({ kind: "hello", token: this.token });
    this.#doubting = setTimeout(() => {
      this.#doubting = 0;
      if (this.#leads || this.#ended || document.hidden) return;
      const before = this.#waiting;
      this.#queue(true);
      before.abort();
    }, PATIENCE);
  }

  #url(path, query = {}) {
    const url = new URL(path, this.server);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }

  #connect() {
    this.#hangUp();
    const last = this.#last === null ? {} : { last: this.#last };
    const query = { token: this.token, ...last };
    let socket;
    if (this.#isPlain) {
      socket = this.#socket = new EventSource(this.#url("/inbox/stream", query));
      socket.onerror = () => this.#lost(socket, "");
    } else {
      const url = this.#url("/inbox/socket", query);
      url.protocol = url.protocol.replace("http", "ws");
      socket = this.#socket = new WebSocket(url);
      socket.onclose = ({ reason }) => this.#lost(socket, reason);
    }
    socket.onopen = () => { this.#wait = FIRST_WAIT; socket.wasOpen = true; this.#tell(true); };
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      this.#say({ kind: "message", message });
      this.#take(message);
    };
  }

  #hangUp() {
    clearTimeout(this.#retrying);
    const socket = this.#socket;
    this.#socket = null;
    if (socket) socket.onclose = socket.onerror = socket.onmessage = null;
    socket?.close();
  }

  async #lost(socket, reason) {
    if (socket !== this.#socket) return;
    this.#hangUp();
    this.#tell(false);
    // A server that goes says when to come back, so that not all do at once.
    const hint = /^retry in (\d+) ms$/.exec(reason)?.[1];
    if (!socket.wasOpen && await this.#isRefused(this.token)) return;
    if (!this.#leads || this.#socket) return;
    const wait = hint === undefined ? this.#wait * (0.5 + Math.random() / 2) : Number(hint);
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
    clearTimeout(this.#retrying);
    this.#retrying = setTimeout(() => this.#connect(), wait);
  }

  // A browser does not say why a connection was refused. If it was not for the token, though the
  // server can be reached, what is between lets no socket through, or events no more.
  async #isRefused(token) {
    const headers = { Authorization: `Bearer ${token}` }, signal = AbortSignal.timeout(PATIENCE);
    const answer = await fetch(this.#url("/inbox/counts"), { headers, signal }).catch(() => null);
    if (answer?.ok) this.#isPlain = !this.#isPlain;
    if (answer?.status !== 401) return false;
    // With the other token it connects by itself.
    return this.renew(token).then(() => true, () => false);
  }

  #tell(isOnline) {
    if (this.#leads) this.#say({ kind: "online", isOnline });
    if (isOnline === this.isOnline) return;
    this.isOnline = isOnline;
    this.#heard.online(isOnline);
  }

  #take(message) {
    this.#newest = message;
    this.#last = message.id;
    this.#heard.message(message);
  }
}
