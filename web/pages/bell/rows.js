// A row for an item. What others wrote is text, never markup, and leads to pages alone.

import { snoozer } from "./later.js";

const NOW = new Date(0).toISOString(); // a time that is over: it is back at once

/** The address as a page to go to, from here; empty for anything else. */
export function pageOf(address, ...schemes) {
  if (typeof address !== "string" || !address) return "";
  try {
    const url = new URL(address, document.baseURI);
    return schemes.includes(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
}

function made(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function clock(moment) {
  return new Date(moment).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

// With one button it is clear where an item leads; of several, who presses chooses.
function theOnly(actions) {
  return actions?.length === 1 ? actions[0].url : "";
}

/** `pressed(event)` is called for the item and its buttons, `snoozed(until)` to see it later, or now. */
export function rowOf(item, words, pressed, snoozed) {
  const url = pageOf(item.data?.url ?? theOnly(item.actions), "https:", "http:");
  const body = url ? made("a", { href: url }) : made("button", { type: "button" });
  body.className = "item";
  body.append(made("span", { className: "hidden mark", textContent: `${words.unread} ` }));
  if (item.image && pageOf(item.image, "https:")) body.append(imageOf(item.image));
  if (item.title) body.append(made("b", { dir: "auto", textContent: item.title }));
  if (item.body) body.append(made("span", { className: "body", dir: "auto", textContent: item.body }));
  const shown = item.snoozed_until ? words.until(clock(item.snoozed_until)) : clock(item.occurred_at);
  const time = made("time", { textContent: shown });
  time.dateTime = new Date(item.snoozed_until ?? item.occurred_at).toISOString();
  body.append(time);
  body.addEventListener("click", pressed);
  const row = made("li", { className: "unread" }, body);
  row.dataset.id = item.id;
  const beside = made("div", {}, ...linksOf(item, pressed));
  if (item.snoozed_until)
    beside.append(made("button", { type: "button", textContent: words.now, onclick: () => snoozed(NOW) }));
  else beside.append(snoozer(words, snoozed));
  if (beside.children.length) row.append(beside);
  return row;
}

function imageOf(address) {
  const image = made("img", { alt: "", loading: "lazy", referrerPolicy: "no-referrer" });
  image.addEventListener("error", () => image.remove());
  image.src = address;
  return image;
}

function linksOf(item, pressed) {
  const links = (item.actions ?? []).filter((each) => pageOf(each.url, "https:", "http:"));
  return links.map((each) => {
    const link = made("a", { href: each.url, target: "_blank", rel: "noopener noreferrer", dir: "auto" });
    link.textContent = each.label;
    link.addEventListener("click", (event) => pressed(event, true));
    return link;
  });
}

/** In its place: it may be what is being pressed just now. */
export function showRead(row, isRead) {
  row.classList.toggle("unread", !isRead);
  row.querySelector(".mark").hidden = isRead;
}

/** Once it is laid out: what is cut can be shown whole. */
export function mark(row, words) {
  const body = row.querySelector(".body");
  if (row.dataset.marked || !body || !body.clientHeight) return;
  row.dataset.marked = "yes";
  if (body.scrollHeight <= body.clientHeight + 2) return;
  const toggle = made("button", { type: "button", textContent: words.whole });
  toggle.setAttribute("aria-expanded", "false");
  toggle.addEventListener("click", () => {
    const isWhole = row.classList.toggle("whole");
    toggle.textContent = isWhole ? words.part : words.whole;
    toggle.setAttribute("aria-expanded", String(isWhole));
  });
  let beside = row.querySelector("div");
  if (!beside) row.append(beside = made("div"));
  beside.prepend(toggle);
}
