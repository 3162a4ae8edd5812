// The operator page: lag, sources, circuits, what became of notifications, dead letters with replay, explain.

import { ask, begin, clock, element, put, state, table, time, Watched } from "./console.js";
import { payload, userOf } from "./letters.js";

const EVERY_MS = 3000, LETTERS_MS = 30000; // letters are read from the start of their topic
const TICK_MS = 1000;
const MOST_LETTERS = 50;
const $ = (id) => document.querySelector(`#${id}`);

const turns = new Map();

// What is asked last is shown, however late an answer to something before comes; with its time.
async function into(place, work) {
  const turn = (turns.get(place) ?? 0) + 1;
  turns.set(place, turn);
  put(place, state("Asking …"));
  let made;
  try {
    made = [await work(), element("p", { className: "asof" }, `as of ${clock(Date.now())}`)];
  } catch (error) {
    made = [state(error.message, true)];
  }
  if (turns.get(place) === turn) put(place, ...made);
}

async function operations() {
  const { roles, circuits, sources = [] } = await ask("/v1/operations");
  put($("lag").querySelector(".body"), lags(roles));
  $("sources").hidden = !sources.length;
  put($("sources").querySelector(".body"), read(sources));
  put($("circuits").querySelector(".body"), providers(circuits));
}

function lags(roles) {
  const rows = roles.map(({ role, lag, topics }) => {
    const most = Object.entries(topics).sort((a, b) => b[1] - a[1]).slice(0, 4)
      .map(([name, count]) => `${name} ${count.toLocaleString()}`).join(", ");
    return [role, lag, most];
  });
  return table(["role", "records waiting", "in"], rows);
}

function read(sources) {
  const rows = sources.map((each) => [
    each.source, each.lag, each.per_second, each.moved, each.skipped,
    each.dead ? mark("bad", each.dead.toLocaleString()) : 0,
    each.waits ? mark("bad", each.waits) : mark("good", "reads"),
    each.last_error ? `${time(each.last_error_at)}: ${each.last_error}` : "–",
  ]);
  return table(["source", "records waiting", "a second", "moved", "skipped", "dead letters", "state", "last error"], rows);
}

function providers(processes) {
  if (!processes.length) return state("No sink has said yet where it can be asked.");
  const rows = processes.flatMap(({ role, process, circuits }) => circuits === null
    ? [[role, "–", mark("bad", "does not answer"), "–", process]]
    : circuits.map((each) => [role, each.provider, circuit(each), trouble(each), process]));
  return table(["channel", "provider", "circuit", "trouble", "process"], rows);
}

function circuit({ state: name, free_in: seconds, instead }) {
  if (name === "closed") return mark("good", "closed: all is sent");
  if (name === "half_open") return mark("warn", "half open: one call, to see");
  const others = instead.length ? `${instead.join(", ")} instead` : "deliveries wait";
  return mark("bad", `open: asked again in ${Math.ceil(seconds)} s; ${others}`);
}

function trouble({ failing_since: since, last_error: error, last_error_at: at }) {
  if (!error) return "–";
  const words = `last ${time(at)}: ${error}`;
  return since ? mark("bad", `nothing succeeds since ${time(since)}; ${words}`) : words;
}

function mark(kind, text) {
  return element("span", { className: kind }, text);
}

const sentAgain = new Map(); // what came of it, by the letter's id
let listed = { wanted: {}, count: 0 }; // which are shown

async function letters() {
  const wanted = filter();
  const found = (await ask(`/v1/dead-letters?${new URLSearchParams(wanted)}`)).reverse();
  if (JSON.stringify(wanted) !== JSON.stringify(filter())) return; // typed over meanwhile
  listed = { wanted, count: found.length };
  $("group").hidden = !found.length || !Object.keys(wanted).length;
  if (!found.length) { put($("letters"), state("There are none.")); return; }
  const rows = found.slice(0, MOST_LETTERS).map((letter) => [
    time(letter.at), letter.role, `${letter.topic}/${letter.partition}/${letter.offset}`, userOf(letter),
    letter.reason, element("div", {}, letter.detail || "–", payload(letter)), again(letter),
  ]);
  const shown = table(["failed at", "role", "record", "user", "reason", "detail", ""], rows);
  shown.querySelectorAll("tbody tr").forEach((row, at) => { row.dataset.key = found[at].id; });
  if (found.length > MOST_LETTERS) shown.append(state(`The newest ${MOST_LETTERS} of ${found.length}.`));
  put($("letters"), shown);
}

function filter() {
  const given = Object.entries(fields($("filter"))).filter(([, value]) => value);
  return Object.fromEntries(given);
}

function again(letter) {
  if (sentAgain.has(letter.id)) return sentAgain.get(letter.id).cloneNode(true);
  const button = element("button", { type: "button", className: "plain" }, "Send again");
  button.addEventListener("click", async () => {
    button.disabled = true;
    let said;
    try {
      const { replayed } = await ask(`/v1/dead-letters/${encodeURIComponent(letter.id)}/replay`, { method: "POST" });
      said = mark(replayed ? "good" : "bad", replayed ? "sent again" : "no longer there");
      sentAgain.set(letter.id, said);
    } catch (error) {
      said = mark("bad", error.message);
    }
    button.replaceWith(said.cloneNode(true));
  });
  return button;
}

async function all() {
  // Those that are shown, whatever was typed since.
  const { wanted, count } = listed, which = Object.entries(wanted).map(([name, value]) => `${name} ${value}`).join(" and ");
  const records = `${count.toLocaleString()} record${count === 1 ? "" : "s"}`;
  if (!confirm(`Send every record with ${which} again: ${records} so far? What was sent before is not sent twice.`)) return;
  $("group").disabled = true;
  try {
    const { replayed, gone } = await ask("/v1/dead-letters/replay", { method: "POST", body: JSON.stringify(wanted) });
    $("group-said").textContent = `${replayed} sent again${gone ? `, ${gone} are gone or too large` : ""}.`;
  } catch (error) {
    $("group-said").textContent = error.message;
  } finally {
    $("group").disabled = false;
  }
}

const KINDS = { waits: "warn", unsubscribed: "warn", failed: "bad", "not told": "bad", bounced: "bad", complained: "bad" };

function become(found) {
  if (!found.length) return state("There is no such notification in these days, or not yet.");
  const rows = found.map((each) => [
    time(each.at), each.user || "–", [each.type, each.category && `(${each.category})`].filter(Boolean).join(" ") || "–", mark(KINDS[each.state] ?? "good", each.state), each.why || "–",
    each.channels.map(({ channel, state: name }) => `${channel || "all"}: ${name}`).join(", ") || "–",
    each.notification_id ? pick(each.notification_id) : "–", element("span", { className: "id" }, each.event_id || "–"),
  ]);
  return table(["since", "user", "type", "state", "why", "channels", "notification", "event"], rows);
}

function happenings(found) {
  return table(["at", "channel", "stage", "why", "by"], found.map((each) => [
    time(each.at), each.channel || "all", each.stage,
    [each.reason, each.detail].filter(Boolean).join(": ") || "–", each.provider || "–",
  ]));
}

function pick(id) {
  const button = element("button", { type: "button", className: "plain", title: id }, id.slice(0, 12));
  button.dataset.key = id;
  button.addEventListener("click", () => timeline(id));
  return button;
}

function timeline(id) {
  return into($("timeline"), async () => {
    const found = await ask(`/v1/notifications/${encodeURIComponent(id)}`);
    return element("div", {}, element("h3", {}, `All that happened to ${id}`), happenings(found));
  });
}

function find() {
  const { by, what, days } = fields($("find"));
  history.replaceState(null, "", `?${new URLSearchParams({ by, what, days })}`);
  put($("timeline"));
  turns.set($("timeline"), (turns.get($("timeline")) ?? 0) + 1);
  if (by === "notification") timeline(what);
  return into($("found"), async () => become(await ask(`/v1/notifications?${new URLSearchParams({ by, what, days })}`)));
}

// A form's own property `id` is not its field of that name.
function fields(form) {
  return Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));
}

function explain() {
  return into($("explained"), async () => {
    let event;
    try { event = JSON.parse($("event").value); } catch (error) { throw new Error(`The event is no JSON: ${error.message}`); }
    const body = JSON.stringify({ event, user: fields($("explain")).user });
    const found = await ask("/v1/explain", { method: "POST", body });
    if (!found.length) return state("No notification type would tell this user of this event.");
    return element("div", {}, ...found.flatMap(explained));
  });
}

function explained(found) {
  const { is_in: isIn, why } = found.membership;
  const parts = [element("h3", {}, found.type),
    element("p", { className: isIn === false ? "bad" : isIn ? "good" : "warn" },
      `${isIn === false ? "Not in the audience" : isIn ? "In the audience" : "In the audience, perhaps"}: ${why}.`)];
  if (found.told_before) {
    const before = [found.told_before.reason, found.told_before.detail].filter(Boolean).join(" ");
    parts.push(element("p", { className: "bad" }, `Decided before, so nothing comes of it now: ${before}. Without that:`));
  }
  if (found.asked.length) parts.push(table(["step", "channel", "rule", "looked at", "said"], found.asked.map((each) =>
    [String(each.step + 1), each.channel ?? "all", each.rule, each.looked_at, each.said ? mark("warn", each.said) : "ok"])));
  if (found.refused) return [...parts, element("p", { className: "bad" }, `A dead letter, nothing is sent: ${found.refused}`)];
  const ends = [
    ...found.sent.map((each) => [mark("good", "sent"), each.channel, `to ${each.addresses.join(", ")}`]),
    ...found.waits.map((each) => [mark("warn", "waits"), each.channel,
      `until ${time(each.until)}, ${[each.reason, each.detail].filter(Boolean).join(": ")}${each.gathered ? `, ${each.gathered} in it so far` : ""}`]),
    ...found.silent.map((each) => [mark("bad", "not sent"), each.channel ?? "all", [each.reason, each.detail].filter(Boolean).join(": ")]),
  ];
  return [...parts, ends.length ? table(["outcome", "channel", "why"], ends) : state("Nothing comes of it.")];
}

const watched = [
  new Watched(operations, EVERY_MS, $("lag"), $("circuits"), $("sources")),
  new Watched(letters, LETTERS_MS, $("dead")),
];
$("filter").addEventListener("submit", (event) => { event.preventDefault(); $("group-said").textContent = ""; watched[1].again(); });
$("group").addEventListener("click", all);
for (const [name, work] of Object.entries({ find, explain }))
  $(name).addEventListener("submit", (event) => { event.preventDefault(); work(); });
const given = new URLSearchParams(location.search);
// Links of before named a notification or a user.
for (const [name, by] of [["id", "notification"], ["user", "user"]])
  if (given.has(name)) { given.set("by", by); given.set("what", given.get(name)); }
for (const name of ["by", "what", "days"]) if (given.has(name)) $("find").elements[name].value = given.get(name);
begin(() => { for (const each of watched) each.again(); if (given.has("what")) find(); });
setInterval(() => { if (!$("content").hidden && !document.hidden) for (const each of watched) each.tick(); }, TICK_MS);
