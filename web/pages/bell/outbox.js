// What the user did that is not stored yet: kept, also when the page is closed, until it is.

const FIRST_WAIT = 2000, LONGEST_WAIT = 60000; // ms between attempts
const MOST = 200;
const SOON = 1000; // ms until which "now" is what the server's clock says

export class Outbox {
  #name;
  #send;
  #told;
  #memory = new Map(); // also where the browser keeps nothing
  #sending = null;
  #timer = 0;
  #wait = FIRST_WAIT;

  /**
   * `name` says whose it is. `send(body)` gives the answer to a change; `told(what, position)` is
   * called with "kept", "refused", or with "stored" once nothing waits any more.
   */
  constructor(name, send, told) {
    this.#name = `${name} change `;
    this.#send = send;
    this.#told = told;
  }

  /** The changes that wait, in order; those of other tabs that nobody may be there to send, too. */
  get waiting() {
    const found = new Map(this.#memory);
    try {
      for (let at = 0; at < localStorage.length; at++) {
        const key = localStorage.key(at);
        if (key.startsWith(this.#name)) found.set(key, JSON.parse(localStorage.getItem(key)));
      }
    } catch { /* what can't be read is not there */ }
    return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, MOST);
  }

  /** Keeps a change, and sends it now if that is possible. */
  add(change) {
    const made = Date.now();
    const key = `${this.#name}${String(made).padStart(15, "0")} ${Math.random().toString(36).slice(2)}`;
    const kept = { change, made };
    this.#memory.set(key, kept);
    try { localStorage.setItem(key, JSON.stringify(kept)); } catch { /* in memory, then */ }
    return this.flush();
  }

  /** Sends what waits, once at a time; to send it twice changes nothing. */
  flush() {
    clearTimeout(this.#timer);
    return this.#sending ??= this.#all().finally(() => { this.#sending = null; });
  }

  end() { clearTimeout(this.#timer); }

  async #all() {
    let position = "";
    for (let waiting = this.waiting; waiting.length; waiting = this.waiting) {
      const [key, { change, made }] = waiting[0];
      // The moment counts where it is over: whatever came since was not meant.
      const at = Date.now() - made > SOON ? { at: new Date(made).toISOString() } : {};
      const answer = await this.#send({ ...change, ...at }).catch(() => null);
      const isRefused = answer && answer.status >= 400 && answer.status < 500 && ![401, 408, 429].includes(answer.status);
      if (!answer?.ok && !isRefused) return this.#later();
      this.#forget(key);
      if (isRefused) this.#told("refused", "");
      else position = (await answer.json().catch(() => ({}))).position ?? position;
    }
    this.#wait = FIRST_WAIT;
    if (position) this.#told("stored", position);
  }

  #later() {
    this.#told("kept", "");
    this.#timer = setTimeout(() => this.flush(), this.#wait * (0.5 + Math.random() / 2));
    this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
  }

  #forget(key) {
    this.#memory.delete(key);
    try { localStorage.removeItem(key); } catch { /* it was in memory alone */ }
  }
}
