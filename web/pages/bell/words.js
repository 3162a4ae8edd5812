// What the bell says, in the languages that the other pages speak.

const WORDS = {
  en: {
    title: "Notifications", all: "Mark all as read", close: "Close", more: "Show older",
    label: (unread) => `Notifications, ${unread || "none"} unread`,
    unread: "unread", empty: "Nothing here yet.", loading: "Loading …",
    broken: "Notifications can't be loaded just now.", again: "Try again",
    offline: "Not connected. What you do here is kept, and sent once there is a connection.",
    kept: "Not stored yet: it is kept, and sent again.",
    refused: "This could not be stored, so nothing was changed.",
    whole: "Show all of it", part: "Show less",
    snoozed: (count) => `Snoozed (${count})`, inbox: "Back to all",
    until: (time) => `comes back ${time}`, now: "Bring back now",
    snooze: "Snooze", hour: "For an hour", tomorrow: "Until tomorrow, 9:00", week: "Until Monday, 9:00",
  },
  de: {
    title: "Benachrichtigungen", all: "Alle gelesen", close: "Schließen", more: "Ältere zeigen",
    label: (unread) => `Benachrichtigungen, ${unread || "keine"} ungelesen`,
    unread: "ungelesen", empty: "Hier ist noch nichts.", loading: "Lädt …",
    broken: "Die Benachrichtigungen sind gerade nicht zu erreichen.", again: "Noch einmal",
    offline: "Keine Verbindung. Was du hier tust, wird aufgehoben und später gesendet.",
    kept: "Noch nicht gespeichert: es ist aufgehoben und wird wieder gesendet.",
    refused: "Das ließ sich nicht speichern; nichts hat sich geändert.",
    whole: "Ganz zeigen", part: "Weniger zeigen",
    snoozed: (count) => `Zurückgestellt (${count})`, inbox: "Zurück zu allen",
    until: (time) => `kommt wieder: ${time}`, now: "Jetzt zurückholen",
    snooze: "Zurückstellen", hour: "Eine Stunde", tomorrow: "Bis morgen, 9:00", week: "Bis Montag, 9:00",
  },
};

/** In the language of where the element stands, else of the browser, else in English. */
export function wordsFor(element) {
  const said = element.closest("[lang]")?.lang || navigator.language;
  return WORDS[said.toLowerCase().split("-")[0]] ?? WORDS.en;
}
