// A dead letter's record, as far as it can be read, with the place of the mistake.

import { element } from "./console.js";

const MOST_SHOWN = 20000; // characters

function text(base64) {
  if (!base64) return "";
  const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

function parsed(letter) {
  try { return JSON.parse(text(letter.value)); } catch { return undefined; }
}

/** Whom the record names, or its key, which is who it is about on most topics. */
export function userOf(letter) {
  const value = parsed(letter) ?? {};
  return String(value.user ?? value.event?.actor ?? value.actor ?? text(letter.key) ?? "") || "–";
}

// Lines of pretty JSON, each with the path of what stands on it.
function* lines(value, path, indent, name, end) {
  const key = name === null ? "" : `${JSON.stringify(name)}: `;
  const isList = Array.isArray(value);
  if (value === null || typeof value !== "object" || !Object.keys(value).length) {
    yield [path, `${indent}${key}${JSON.stringify(value)}${end}`];
    return;
  }
  yield [path, `${indent}${key}${isList ? "[" : "{"}`];
  const entries = Object.entries(value);
  for (const [at, [field, each]] of entries.entries()) {
    const comma = at < entries.length - 1 ? "," : "";
    yield* lines(each, isList ? `${path}[${field}]` : `${path}.${field}`, `${indent}  `, isList ? null : field, comma);
  }
  yield ["", `${indent}${isList ? "]" : "}"}${end}`];
}

// As the reason names it: `$.data.user`, `data.user`, 'user' is missing, or byte 17.
function placeOf(detail) {
  const path = /`(\$[^`]*)`/.exec(detail)?.[1] ?? /(?:^|\s)(data(?:\.\w+)+)/.exec(detail)?.[1];
  return path === undefined ? "" : path.startsWith("$") ? path : `$.${path}`;
}

function marked(line) {
  const text = line.trimStart();
  return [line.slice(0, line.length - text.length), element("mark", {}, text)];
}

export function payload(letter) {
  const value = parsed(letter), raw = text(letter.value);
  const shown = element("pre", {});
  if (value === undefined) {
    const at = Number(/byte (\d+)/.exec(letter.detail)?.[1] ?? -1);
    shown.append(...(at < 0 ? [raw.slice(0, MOST_SHOWN)] : [raw.slice(0, at), element("mark", {}, raw[at] ?? " (its end)"), raw.slice(at + 1, MOST_SHOWN)]));
  } else {
    // The nearest there is: what is missing has no line of its own.
    let place = placeOf(letter.detail), all = [...lines(value, "$", "", null, "")];
    while (place && !all.some(([path]) => path === place)) place = place.replace(/(\.[^.[]*|\[[^[]*\])$|^\$$/, "");
    for (const [path, line] of all.slice(0, 500))
      shown.append(...(path === place && place.length > 1 ? marked(line) : [line]), "\n");
  }
  const cut = letter.truncated ? ", the beginning of it" : "";
  return element("details", {}, element("summary", {}, `Record of ${raw.length.toLocaleString()} characters${cut}`), shown);
}
