// How the bell looks, and where its panel is.

export const STYLE = `
  :host { display: inline-block; font: 14px/1.4 system-ui, sans-serif;
          --ground: #fff; --text: #1c1c22; --faint: #63636e; --edge: #d9d9e0; --mark: #0b5cad;
          --badge: #c01f2e; }
  @supports (color: light-dark(#000, #fff)) {
    :host { --ground: light-dark(#fff, #1e1e24); --text: light-dark(#1c1c22, #f0f0f4);
            --faint: light-dark(#63636e, #a8a8b3); --edge: light-dark(#d9d9e0, #3c3c46);
            --mark: light-dark(#0b5cad, #7db8f5); }
  }
  button, .item { font: inherit; color: inherit; background: none; border: 0; cursor: pointer; }
  button:disabled { opacity: .5; cursor: default; }
  :focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
  .item:focus-visible { outline-offset: -3px; }
  #bell { position: relative; padding: 8px; border-radius: 8px; }
  #bell:focus-visible { outline-color: currentColor; }
  #bell svg { display: block; width: 24px; height: 24px; fill: none; stroke: currentColor;
              stroke-width: 1.8; stroke-linecap: round; stroke-linejoin: round; }
  #count { position: absolute; top: 0; right: 0; min-width: 18px; padding: 0 4px; color: #fff;
           font-size: 12px; line-height: 18px; text-align: center; background: var(--badge);
           border-radius: 9px; box-sizing: border-box; }
  #panel { position: fixed; inset: auto; z-index: 2147483647; margin: 0; padding: 0;
           scroll-padding-top: 3.5em;
           overflow: hidden auto; overflow-anchor: none; overscroll-behavior: contain;
           box-sizing: border-box; text-align: start; color: var(--text); background: var(--ground);
           border: 1px solid var(--edge); border-radius: 10px;
           box-shadow: 0 8px 24px rgb(0 0 0 / 25%); }
  header { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; align-items: center;
           gap: 2px 6px; padding: 8px 8px 8px 14px; background: var(--ground);
           border-bottom: 1px solid var(--edge); }
  h2 { margin: 0; margin-inline-end: auto; font-size: 15px; }
  header button, #more, #again, li div button { color: var(--mark); padding: 4px 6px;
           border-radius: 6px; }
  #close { font-size: 20px; line-height: 1; padding: 4px 9px; color: var(--faint); }
  #note { margin: 0; padding: 8px 14px; color: var(--faint); border-bottom: 1px solid var(--edge); }
  ul { margin: 0; padding: 0; list-style: none; }
  li { position: relative; border-bottom: 1px solid var(--edge); overflow-wrap: anywhere; }
  .item { display: block; width: 100%; box-sizing: border-box; padding: 10px 14px;
          padding-inline-start: 26px; text-align: start; text-decoration: none; }
  .item:hover { background: color-mix(in srgb, var(--mark) 10%, transparent); }
  li.unread .item::before { content: ""; position: absolute; inset-inline-start: 11px; top: 16px;
                            width: 8px; height: 8px; border-radius: 4px; background: var(--mark); }
  li div { display: flex; flex-wrap: wrap; gap: 6px 14px; padding: 0 14px 10px;
           padding-inline-start: 26px; } li div a { color: var(--mark); }
  li div button { padding: 0; } li div :is(a, button), .later summary { line-height: 24px; }
  .later summary { color: var(--mark); cursor: pointer; list-style: none; }
  .later[open] { flex-basis: 100%; } .later button { display: block; padding: 6px 0; }
  li img { display: block; max-width: 100%; max-height: 160px; margin-bottom: 6px; border-radius: 6px; }
  li.unread b { font-weight: 650; } li b { font-weight: 500; display: block; }
  /* In its own direction, but where the site's rows begin. */
  li b, .body { text-align: -webkit-match-parent; text-align: match-parent; }
  .body { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 5; overflow: hidden;
          white-space: pre-line; }
  .whole .body { display: block; -webkit-line-clamp: none; }
  time, #state { color: var(--faint); }
  #state { padding: 16px 16px 8px; margin: 0; text-align: center; }
  #more, #again { display: block; margin: 6px auto; }
  .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  [hidden] { display: none !important; }
`;

export const MARKUP = `
  <button id="bell" type="button" aria-haspopup="dialog" aria-expanded="false" aria-controls="panel">
    <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M6 17V11a6 6 0 0 1 12 0v6l2 2H4z"/>
      <path d="M10 21h4"/></svg>
    <span id="count" hidden aria-hidden="true"></span>
    <span id="label" class="hidden"></span>
  </button>
  <span id="news" class="hidden" role="status" aria-live="polite"></span>
  <section id="panel" role="dialog" aria-labelledby="title" hidden>
    <header><h2 id="title"></h2>
      <button id="snoozed" type="button" hidden></button>
      <button id="all" type="button"></button>
      <button id="close" type="button">×</button></header>
    <p id="note" role="status" hidden></p>
    <ul id="list"></ul>
    <p id="state"></p>
    <button id="again" type="button" hidden></button>
    <button id="more" type="button" hidden></button>
  </section>
`;

const GAP = 8; // px to the edges of the window
const WIDEST = 380, TALLEST = 640, LEAST = 260;

/** Puts the panel beside the bell where there is most room, and always wholly into the window. */
export function place(panel, bell) {
  const { clientWidth: width, clientHeight: height } = document.documentElement;
  const at = bell.getBoundingClientRect();
  const wide = Math.min(WIDEST, width - 2 * GAP);
  const isRight = getComputedStyle(bell).direction === "rtl";
  const left = Math.max(GAP, Math.min(isRight ? at.left : at.right - wide, width - wide - GAP));
  const below = height - at.bottom - 2 * GAP, above = at.top - 2 * GAP;
  const style = panel.style;
  Object.assign(style, { left: `${left}px`, width: `${wide}px`, top: "auto", bottom: "auto" });
  if (Math.max(below, above) < LEAST) {
    Object.assign(style, { top: `${GAP}px`, maxHeight: `${height - 2 * GAP}px` });
  } else if (below >= LEAST || below >= above) {
    Object.assign(style, { top: `${Math.max(GAP, at.bottom + GAP)}px`, maxHeight: `${Math.min(TALLEST, below)}px` });
  } else {
    Object.assign(style, { bottom: `${Math.max(GAP, height - at.top + GAP)}px`, maxHeight: `${Math.min(TALLEST, above)}px` });
  }
}
