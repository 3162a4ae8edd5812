// Until when an item can be put off, by the clock and the calendar of whoever looks.

const MORNING = 9;

function morning(now, days) {
  // By the calendar: where clocks change meanwhile, it is nine all the same.
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, MORNING);
}

/** The choices in order: the name of the word, and the moment. */
export function choices(now) {
  const toMonday = (8 - now.getDay()) % 7 || 7;
  const found = [
    ["hour", new Date(now.getTime() + 3600000)],
    ["tomorrow", morning(now, 1)],
  ];
  // On a Sunday both are the same morning.
  if (toMonday > 1) found.push(["week", morning(now, toMonday)]);
  return found;
}

/** A button that shows the choices; `chosen(until)` is called with the moment of one. */
export function snoozer(words, chosen) {
  const menu = document.createElement("details"), button = document.createElement("summary");
  menu.className = "later";
  button.textContent = words.snooze;
  menu.append(button);
  // Made when it is opened: a row may have been there since yesterday.
  menu.addEventListener("toggle", () => {
    menu.querySelectorAll("button").forEach((each) => each.remove());
    if (!menu.open) return;
    for (const [name, until] of choices(new Date())) {
      const choice = document.createElement("button");
      Object.assign(choice, { type: "button", textContent: words[name] });
      choice.dataset.until = name;
      // An hour is one from the press on, however long the menu stood open.
      const moment = () => new Map(choices(new Date())).get(name) ?? until;
      choice.addEventListener("click", () => chosen(moment().toISOString()));
      menu.append(choice);
    }
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.stopPropagation();
    menu.open = false;
    button.focus();
  });
  return menu;
}
