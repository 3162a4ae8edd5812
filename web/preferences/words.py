"""What the page says, in the languages that it speaks."""

from policy.rendering.locales import chain
from schemas.vocabulary import Channel, Frequency

ENGLISH = "en"
_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Your notifications",
        "intro": "Choose what you hear of, and where. Receipts and security messages always come.",
        "category": "About",
        "frequency": "How often",
        "quiet": "Quiet hours",
        "quiet_help": "What makes a sound waits until they are over. Leave both empty for none.",
        "from": "From",
        "to": "to",
        "zone": "Time zone",
        "blocked": "Blocked",
        "blocked_help": "You hear nothing of what they do. Untick whom you want to hear of again.",
        "block": "Also block",
        "save": "Save",
        "saved": "Saved.",
        "none": "There is nothing to choose from.",
        "all_off": "Turn everything off",
        "invalid_title": "This link is not valid",
        "invalid": "It was cut, or has ended. Try it from the newest message.",
        "later_title": "Please try again",
        "later": "It could not be stored just now; nothing was changed.",
        "wrong": "The quiet hours, the time zone or a name can't be used; nothing was changed.",
        Channel.PUSH: "Push",
        Channel.EMAIL: "E-mail",
        Channel.SMS: "Text",
        Channel.INAPP: "In the app",
        Channel.CHAT: "Chat",
        Channel.WEBHOOK: "Webhook",
        Frequency.INSTANTLY: "At once",
        Frequency.HOURLY: "Hourly",
        Frequency.DAILY: "Daily",
    },
    "de": {
        "title": "Deine Benachrichtigungen",
        "intro": "Wähle, wovon du hörst und wo. Belege und Sicherheitshinweise kommen immer.",
        "category": "Thema",
        "frequency": "Wie oft",
        "quiet": "Ruhezeit",
        "quiet_help": "Was Geräusche macht, wartet bis danach. Beide leer heißt: keine.",
        "from": "Von",
        "to": "bis",
        "zone": "Zeitzone",
        "blocked": "Blockiert",
        "blocked_help": "Von ihnen hörst du nichts. Ohne Haken hörst du wieder von jemandem.",
        "block": "Auch blockieren",
        "save": "Speichern",
        "saved": "Gespeichert.",
        "none": "Es gibt nichts auszuwählen.",
        "all_off": "Alles ausschalten",
        "invalid_title": "Dieser Link gilt nicht",
        "invalid": "Er ist unvollständig oder abgelaufen. Nimm den aus der neuesten Nachricht.",
        "later_title": "Bitte noch einmal",
        "later": "Es konnte gerade nicht gespeichert werden; nichts hat sich geändert.",
        "wrong": "Ruhezeit, Zeitzone oder Name gehen so nicht; nichts hat sich geändert.",
        Channel.PUSH: "Push",
        Channel.EMAIL: "E-Mail",
        Channel.SMS: "SMS",
        Channel.INAPP: "In der App",
        Channel.CHAT: "Chat",
        Channel.WEBHOOK: "Webhook",
        Frequency.INSTANTLY: "Sofort",
        Frequency.HOURLY: "Stündlich",
        Frequency.DAILY: "Täglich",
    },
}


def words_of(*locales: str) -> tuple[str, dict[str, str]]:
    """The language and its words: of the first of these locales whose language the page speaks."""
    for locale in locales:
        for name in chain(locale) if locale else ():
            if name in _WORDS:
                return name, _WORDS[name]
    return ENGLISH, _WORDS[ENGLISH]
