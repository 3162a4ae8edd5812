"""What the unsubscribe pages say, in the languages that they speak.

`{}` is what the message was: its channel, and what it is about. `some` and `all` stand behind for
what comes all the same, see policy.user.preference_matrix.Remainder.
"""

from collections.abc import Mapping

from policy.user.preference_matrix import Remainder
from schemas.vocabulary import Channel

Words = Mapping[str, str]
WORDS: Mapping[str, Words] = {
    "en": {
        "what": "{} about <strong>{}</strong>",
        "ask_title": "Unsubscribe?",
        "gone": "You will get no more {}.",
        "leave": "Unsubscribe",
        "done_title": "You are unsubscribed",
        "come_back": "Subscribe again",
        "back_title": "You are subscribed",
        "back": "You will get {} again.",
        Remainder.SOME: "What you need, such as receipts and security messages, still comes.",
        "needed_title": "These messages always come",
        Remainder.ALL: "You get {} because you need it, such as receipts and security messages. "
        "It can't be turned off.",
        "unknown_title": "This link is not valid",
        "unknown": "The link may be incomplete. Open it from the message.",
        "over_title": "This link has ended",
        "over": "Its message is too old. Use the link of a newer one.",
        "later_title": "Please try again",
        "later": "It could not be stored just now; nothing was changed.",
        Channel.PUSH: "push messages",
        Channel.EMAIL: "e-mail",
        Channel.SMS: "text messages",
    },
    "de": {
        "what": "{} zum Thema <strong>{}</strong>",
        "ask_title": "Abbestellen?",
        "gone": "Du bekommst keine {} mehr.",
        "leave": "Abbestellen",
        "done_title": "Abbestellt",
        "come_back": "Wieder bestellen",
        "back_title": "Wieder bestellt",
        "back": "Du bekommst wieder {}.",
        Remainder.SOME: "Was du brauchst, etwa Belege und Sicherheitshinweise, kommt weiterhin.",
        "needed_title": "Diese Nachrichten kommen immer",
        Remainder.ALL: "Du bekommst {}, weil du sie brauchst, etwa Belege und Sicherheitshinweise. "
        "Das lässt sich nicht abbestellen.",
        "unknown_title": "Dieser Link gilt nicht",
        "unknown": "Vielleicht ist er unvollständig. Nimm den aus der Nachricht.",
        "over_title": "Dieser Link ist abgelaufen",
        "over": "Seine Nachricht ist zu alt. Nimm den Link aus einer neueren.",
        "later_title": "Bitte noch einmal",
        "later": "Es konnte gerade nicht gespeichert werden; nichts hat sich geändert.",
        Channel.PUSH: "Push-Nachrichten",
        Channel.EMAIL: "E-Mails",
        Channel.SMS: "SMS",
    },
}
