// The operator page: lag, circuits, dead letters with replay, timelines and explain.

import { ask, begin, element, state, table, time } from "./console.js";

const EVERY_MS = 3000;
const MOST_LETTERS = 50;
const $ = (id) => document.querySelector(`#${id}`);

async function into(place, work) {
  try {
    place.replaceChildren(await work());
  } catch (error) {
    place.replaceChildren(state(error.message, true));
  }
}

let looking = false;

// One at a time: where an answer takes longer than the pause, another question would only add to it.
async function look() {
  if (looking) return;
  looking = true;
  try {
    const { roles, circuits } = await ask("/v1/operations");
    $("lag").replaceChildren(lags(roles));
    $("circuits").replaceChildren(providers(circuits));
  } catch (error) {
    for (const id of ["lag", "circuits"]) $(id).replaceChildren(state(error.message, true));
  } finally {
    looking = false;
  }
}

function lags(roles) {
  const rows = roles.map(({ role, lag, topics }) => {
    const most = Object.entries(topics).sort((a, b) => b[1] - a[1]).slice(0, 4)
      .map(([name, count]) => `${name} ${count.toLocaleString()}`).join(", ");
    return [role, lag, most];
  });
  return table(["role", "records waiting", "in"], rows);
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

function letters() {
  const wanted = new URLSearchParams();
  for (const name of ["reason", "topic"]) if ($("filter")[name].value) wanted.set(name, $("filter")[name].value);
  return into($("letters"), async () => {
    const found = (await ask(`/v1/dead-letters?${wanted}`)).reverse();
    if (!found.length) return state("There are none.");
    const rows = found.slice(0, MOST_LETTERS).map((letter) => [
      time(letter.at), letter.role, `${letter.topic}/${letter.partition}/${letter.offset}`,
      letter.reason, letter.detail || "–", again(letter),
    ]);
    const shown = table(["failed at", "role", "record", "reason", "detail", ""], rows);
    if (found.length > MOST_LETTERS) shown.append(state(`The newest ${MOST_LETTERS} of ${found.length}.`));
    return shown;
  });
}

function again(letter) {
  const button = element("button", { type: "button", className: "plain" }, "Send again");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const { replayed } = await ask(`/v1/dead-letters/${encodeURIComponent(letter.id)}/replay`, { method: "POST" });
      button.replaceWith(mark(replayed ? "good" : "bad", replayed ? "sent again" : "no longer there"));
    } catch (error) {
      button.replaceWith(mark("bad", error.message));
    }
  });
  return button;
}

function happenings(found) {
  if (!found.length) return state("There is no such notification, or not yet.");
  return table(["at", "type", "channel", "stage", "why", "by", "notification"], found.map((each) => [
    time(each.at), each.type, each.channel || "all", each.stage,
    [each.reason, each.detail].filter(Boolean).join(": ") || "–", each.provider || "–",
    pick(each.notification_id),
  ]));
}

function pick(id) {
  const button = element("button", { type: "button", className: "plain", title: id }, id.slice(0, 12));
  button.addEventListener("click", () => { $("find").id_of(id); });
  return button;
}

function find() {
  const { id, user, date } = fields($("find"));
  if (!id && !user) return into($("found"), async () => state("Give a notification's id, or a user."));
  history.replaceState(null, "", `?${new URLSearchParams(id ? { id } : { user, ...(date && { date }) })}`);
  const path = id ? `/v1/notifications/${encodeURIComponent(id)}`
    : `/v1/users/${encodeURIComponent(user)}/day${date ? `?date=${date}` : ""}`;
  return into($("found"), async () => happenings(await ask(path)));
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
    const parts = found.map((each) => element("pre", {}, JSON.stringify(each, null, 2)));
    return element("div", {}, ...parts);
  });
}

$("find").id_of = (id) => { $("find").elements.id.value = id; $("find").elements.user.value = ""; find(); };
for (const [name, work] of Object.entries({ filter: letters, find, explain }))
  $(name).addEventListener("submit", (event) => { event.preventDefault(); work(); });
const given = new URLSearchParams(location.search);
for (const name of ["id", "user", "date"]) if (given.has(name)) $("find").elements[name].value = given.get(name);
begin(() => { look(); letters(); if (given.has("id") || given.has("user")) find(); });
setInterval(() => { if (!$("content").hidden && !document.hidden) look(); }, EVERY_MS);
