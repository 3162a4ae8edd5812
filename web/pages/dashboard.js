// The dashboard: each panel is one question to the API. The address bears the filters, so that a
// link shows the same to whoever has a key.

import { ask, Away, begin, clock, element, put, Refused, shown, state, table } from "./console.js";

const PANELS = [
  { name: "funnel", title: "From queued to clicked", draw: bars("stage", "notifications", "v") },
  { name: "told", title: "Who was told, on any channel", draw: bars("outcome", "notifications", "h") },
  { name: "why_not", title: "Why not sent", draw: bars("reason", "messages", "h") },
  { name: "volume", title: "Messages sent, by channel", wide: true, draw: lines("channel", "messages", "tozeroy") },
  { name: "latency", title: "Event to provider at p99, by priority (ms; dotted: its target)", wide: true, draw: latency },
  { name: "providers", title: "Provider health", draw: listing },
  { name: "types", title: "Top types", draw: listing },
  { name: "texts", title: "SMS: segments and cost", draw: listing },
  { name: "tenants", title: "Tenants", draw: listing, optional: true },
];
const QUESTIONS = Object.entries({
  deliverability: "Deliverability by mailbox provider, country and platform",
  deliverability_by_carrier: "Texts by country, carrier and provider",
  outcomes_by_attribute: "What became of notifications, by attribute of users",
  opt_outs: "Unsubscribed and complained, by type",
  opt_outs_by_means: "Who left what, and by what",
  sends_per_user: "Users by how many notifications they were sent",
  time_to_open: "Seconds until opened, by type",
  week_over_week: "Messages sent, against the weeks before",
  slo_budget: "Error budget left, by priority",
  digests: "Digests, and the events in them",
  costs: "Cost by type, channel and provider",
  tenant_costs: "Cost by tenant and channel",
  holdout_lift: "What telling brings, by holdout (all channels and priorities)",
  retention: "Who is still there, told or held out (all channels and priorities)",
}).map(([name, title]) => ({ name, title, draw: listing }));
const HOURS = { "1h": 1, "6h": 6, "24h": 24, "7d": 168, "30d": 720, "90d": 2160 };
const REFRESH_MS = 15000, LONGEST_PAUSE_MS = 120000, QUESTION_MS = 300000;
const IN_PERCENT = /(_rate|_retention|^lift|^change|^left|^trouble)$/;
const AT_ONCE = 3; // of a browser's six connections, that other pages and questions have room
const TICK_MS = 1000;
const COLOURS = ["#3b82c4", "#d9822b", "#3fa66b", "#b05cc4", "#c94f5d", "#8a8f2a", "#5a6acf"];

const filters = document.querySelector("#filters");
let asked = 0;
let showing = 0; // how many looks are under way: by itself the page begins no second one
let pause = REFRESH_MS; // until the next look; longer and longer where nobody answers
let shownAt = 0;
let looking = new AbortController();

function read() {
  const given = new URLSearchParams(location.search);
  for (const field of filters.elements)
    if (field.name && given.has(field.name)) field.value = wallClock(field, given.get(field.name));
  if (!HOURS[filters.range.value] && filters.range.value !== "between") filters.range.value = "24h";
  showBetween();
}

// A link bears moments, as whoever opens it may be in another zone.
function wallClock(field, value) {
  const at = field.type === "datetime-local" ? Date.parse(value) : NaN;
  return Number.isNaN(at) ? value : local(at);
}

function showBetween() {
  for (const label of document.querySelectorAll(".between")) label.hidden = filters.range.value !== "between";
}

function write() {
  const kept = new URLSearchParams();
  for (const field of filters.elements)
    if (field.name && field.value && !(field.closest(".between") && filters.range.value !== "between"))
      kept.set(field.name, field.type === "datetime-local" ? new Date(field.value).toISOString() : field.value);
  if (opened().length) kept.set("open", opened().map(({ name }) => name).join(","));
  history.replaceState(null, "", `?${kept}`);
}

function card(panel) { return document.querySelector(`#${panel.name}`); }

// What somebody opened is in the link as well.
function opened() { return QUESTIONS.filter((panel) => card(panel).open); }

function toggle(panel) {
  const kept = new URLSearchParams(location.search), names = opened().map(({ name }) => name).join(",");
  if (names) kept.set("open", names); else kept.delete("open");
  history.replaceState(null, "", `?${kept}`);
  if (card(panel).open && asked) answer(panel);
}

async function answer(panel) {
  const isSame = panel.last?.filters === filtersNow();
  if (isSame && Date.now() - panel.last.at < QUESTION_MS) return;
  if (!isSame) card(panel).querySelector(".body").replaceChildren(state("Asking …"));
  const turn = asked;
  showing += 1;
  const error = await one(panel, query(), looking.signal).finally(() => { showing -= 1; });
  if (turn === asked) tell(panel, error);
}

// The end of a minute: whole ones are rolled up, and for what is left of one all events of a day are read.
const endOfMinute = (at) => new Date(Math.ceil(at / 60000) * 60000);

function query() {
  const wanted = new URLSearchParams();
  if (filters.range.value === "between") {
    // What is not said is said here as the API takes it, since charts have to begin and end there.
    const to = filters.to.value ? new Date(filters.to.value) : endOfMinute(Date.now());
    const from = filters.from.value ? new Date(filters.from.value) : new Date(to - 86400000);
    wanted.set("from", from.toISOString());
    wanted.set("to", to.toISOString());
  } else {
    const to = endOfMinute(Date.now());
    wanted.set("from", new Date(to - HOURS[filters.range.value] * 3600000).toISOString());
    wanted.set("to", to.toISOString());
  }
  for (const name of ["type", "channel", "priority"])
    if (filters[name].value.trim()) wanted.set(name, filters[name].value.trim());
  return wanted;
}

// `isAnew`: somebody asked; by itself the page asks questions again more seldom.
async function show(isAnew = true) {
  const turn = ++asked;
  looking.abort(); // what was asked before is wanted no more
  const { signal } = looking = new AbortController();
  const isDue = (panel) => isAnew || Date.now() - (panel.last?.at ?? 0) >= QUESTION_MS;
  const wanted = query(), left = [...PANELS, ...opened().filter(isDue)], done = [];
  let away = null;
  showing += 1;
  const some = async () => {
    for (let panel = left.shift(); panel; panel = left.shift()) {
      const error = away ?? await one(panel, wanted, signal);
      if (error instanceof Away) away = error;
      if (turn === asked) tell(panel, error);
      done.push(!error);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, some)).finally(() => { showing -= 1; });
  if (turn !== asked) return;
  shownAt = Date.now();
  pause = away ? Math.min(2 * pause, LONGEST_PAUSE_MS) : REFRESH_MS;
  const fresh = done.every(Boolean) ? `as of ${clock(shownAt)}` : "not all could be shown";
  document.querySelector("#fresh").textContent = fresh;
}

// What went wrong, or nothing.
async function one(panel, wanted, signal) {
  try {
    const found = await ask(`/v1/figures/${panel.name}?${wanted}`, { signal });
    if (signal.aborted) return null;
    card(panel).hidden = false;
    panel.last = { found, range: ["from", "to"].map((name) => local(Date.parse(wanted.get(name)))), at: Date.now() };
    draw(panel);
    return null;
  } catch (error) {
    if (panel.optional && error instanceof Refused) { card(panel).hidden = true; return null; }
    return error;
  }
}

function draw(panel) {
  const body = card(panel).querySelector(".body"), { found, range } = panel.last;
  if (!found.rows.length) body.replaceChildren(state("Nothing in this time."));
  else panel.draw(body, found, range);
}

// Figures of before stay, and say when they were true; but never those of another filter.
function tell(panel, error) {
  const place = card(panel), note = place.querySelector(".asof");
  if (error && panel.last?.filters !== filtersNow()) panel.last = null;
  if (!error && panel.last) panel.last.filters = filtersNow();
  place.classList.toggle("stale", Boolean(error && panel.last));
  if (error && !panel.last) place.querySelector(".body").replaceChildren(state(error.message, true));
  note.textContent = !panel.last ? "" : error ? `${error.message} What is shown is as of ${clock(panel.last.at)}.`
    : `as of ${clock(panel.last.at)}`;
}

function filtersNow() {
  return JSON.stringify([...new FormData(filters)]);
}

function named(found) {
  return found.rows.map((row) => Object.fromEntries(found.columns.map((column, at) => [column, row[at]])));
}

function chart(body, traces, layout, label) {
  let place = body.querySelector(".chart");
  if (!place) body.replaceChildren(place = element("div", { className: "chart" }));
  const style = getComputedStyle(document.body);
  const text = style.getPropertyValue("--text"), edge = style.getPropertyValue("--edge");
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", label);
  Plotly.react(place, traces, {
    margin: { l: 50, r: 12, t: 8, b: 36 }, paper_bgcolor: "transparent", plot_bgcolor: "transparent",
    font: { family: "system-ui, sans-serif", color: text, size: 12 }, colorway: COLOURS,
    legend: { orientation: "h", y: 1.18 }, hovermode: "closest",
    ...layout,
    xaxis: { gridcolor: edge, zerolinecolor: edge, automargin: true, ...layout.xaxis },
    yaxis: { gridcolor: edge, zerolinecolor: edge, automargin: true, rangemode: "tozero", ...layout.yaxis },
  }, { displayModeBar: false, responsive: true });
}

function bars(name, value, way) {
  return (body, found) => {
    const rows = named(found).slice(0, 12);
    if (way === "h") rows.reverse();
    const names = rows.map((row) => shown(row[name])), values = rows.map((row) => row[value]);
    const trace = { type: "bar", orientation: way, text: values.map(shown), textposition: "auto",
      cliponaxis: false, marker: { color: COLOURS[0] } };
    chart(body, [way === "h" ? { ...trace, x: values, y: names } : { ...trace, x: names, y: values }],
      {}, names.map((each, at) => `${each} ${values[at]}`).join(", "));
  };
}

// Charts show a moment as it is written, so it is written as the clock here has it.
function local(at) {
  return new Date(at - new Date(at).getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}

// Points where nothing happened are zeros, and not a slope from one neighbour to the other.
function series(rows, step, name, value, absent) {
  const by = new Map();
  for (const row of rows) {
    if (!by.has(row[name])) by.set(row[name], new Map());
    by.get(row[name]).set(Date.parse(row.time), row[value]);
  }
  const times = rows.map((row) => Date.parse(row.time));
  const first = Math.min(...times), last = Math.max(...times);
  return [...by].map(([key, points]) => {
    const x = [], y = [];
    for (let at = first; at <= last; at += step * 1000) { x.push(local(at)); y.push(points.get(at) ?? absent); }
    return { key, x, y };
  });
}

function lines(name, value, fill) {
  return (body, found, range) => {
    const all = series(named(found), found.step, name, value, 0);
    chart(body, all.map(({ key, x, y }, at) => ({ type: "scatter", mode: x.length > 1 ? "lines" : "markers", name: key, x, y,
      fill, fillcolor: `${COLOURS[at % COLOURS.length]}22`, line: { width: 2 } })), { showlegend: true, xaxis: { range } },
      all.map(({ key, y }) => `${key} ${y.reduce((a, b) => a + b, 0)}`).join(", "));
  };
}

function latency(body, found, range) {
  const rows = named(found);
  const all = series(rows, found.step, "priority", "p99", null);
  const target = Object.fromEntries(rows.map((row) => [row.priority, row.target_ms]));
  const traces = all.flatMap(({ key, x, y }, at) => {
    const color = COLOURS[at % COLOURS.length];
    return [
      { type: "scatter", mode: "lines+markers", name: key, x, y, line: { color, width: 2 }, marker: { size: 5 } },
      { type: "scatter", mode: "lines", showlegend: false, hoverinfo: "skip", x: range,
        y: [target[key], target[key]], line: { color, dash: "dot", width: 1 } },
    ];
  });
  chart(body, traces, { showlegend: true, xaxis: { range }, yaxis: { type: "log", dtick: 1 } },
    all.map(({ key, y }) => `${key} at most ${Math.max(...y)} ms`).join(", "));
}

// In the place of what is there, as somebody may be scrolling in it.
function listing(body, found) {
  put(body, table(found.columns, found.rows, (value, column) => typeof value === "number" && IN_PERCENT.test(column)
    ? value.toLocaleString(undefined, { style: "percent", maximumFractionDigits: 2 }) : shown(value)));
}

function build() {
  document.querySelector("#panels").append(...PANELS.map((panel) =>
    element("section", { id: panel.name, className: `card${panel.wide ? " wide" : ""}`, hidden: Boolean(panel.optional) },
      element("h2", {}, panel.title), element("div", { className: "body" }, state("Asking …")), element("p", { className: "asof" }))));
  const chosen = (new URLSearchParams(location.search).get("open") ?? "").split(",");
  for (const panel of QUESTIONS) {
    const made = element("details", { id: panel.name, className: "card", open: chosen.includes(panel.name) },
      element("summary", {}, element("h2", {}, panel.title)),
      element("div", { className: "body" }, state("Asking …")), element("p", { className: "asof" }));
    document.querySelector("#questions").append(made);
    made.addEventListener("toggle", () => toggle(panel));
  }
}

async function suggest() {
  const found = await ask(`/v1/figures/types?${new URLSearchParams({ from: new Date(Date.now() - 30 * 86400000).toISOString() })}`);
  document.querySelector("#known-types").replaceChildren(...found.rows.map((row) => element("option", { value: row[0] })));
}

// Without a range in its link, the page begins with the shortest that has all of the last day in it:
// a system that is an hour old would be one dot in a day.
async function young() {
  if (new URLSearchParams(location.search).has("range")) return;
  const found = await ask(`/v1/figures/volume?${query()}`);
  const times = named(found).map((row) => Date.parse(row.time));
  if (!times.length) return;
  const hours = (Date.now() - Math.min(...times)) / 3600000;
  filters.range.value = hours <= 1 ? "1h" : hours <= 6 ? "6h" : "24h";
}

build();
read();
filters.addEventListener("submit", (event) => { event.preventDefault(); write(); show(); });
filters.range.addEventListener("change", showBetween);
// Charts are drawn in the colours of when they are drawn.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const panel of PANELS) if (panel.last) draw(panel);
});
begin(() => {
  young().catch(() => {}).then(() => show());
  suggest().catch(() => {});
});
setInterval(() => {
  const isOpen = !document.querySelector("#content").hidden;
  const isDue = shownAt && Date.now() - shownAt >= pause;
  if (isOpen && !document.hidden && !showing && isDue && filters.range.value !== "between") show(false);
}, TICK_MS);
