"""A message whose texts and channels the caller gives: the built-in notification type."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from policy.rendering.links import is_web_page
from policy.rendering.sandbox.plain_text import clean
from schemas.errors import BadRecord
from schemas.event import Event, Name
from schemas.vocabulary import Channel, Reason

MESSAGE = "tocsin.message"
"""The type, and the event that sets it off. No type of a catalogue can be called so."""
CATEGORY = "messages"
"""Of messages that name no other; every catalogue has it."""
Title = Annotated[str, Meta(max_length=250)]
MessageBody = Annotated[str, Meta(min_length=1, max_length=20_000)]
"""Whatever stands in it, a text of this length has room in a record, also as HTML."""
Channels = Annotated[tuple[Channel, ...], Meta(min_length=1, max_length=len(Channel))]
MessagePriority = Literal["critical", "high", "normal", "low"]
MOST_LABEL = 40
"""Characters of a button's label: Slack takes 75, and phones show fewer than that."""
_PLACE = " - at `$"


class MessageAction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A button, and the web page that it leads to."""

    label: Annotated[str, Meta(min_length=1, max_length=MOST_LABEL)]
    url: Annotated[str, Meta(pattern="^https?://", max_length=2048)]


Image = Annotated[str, Meta(pattern="^(https://|$)", max_length=2048)]
MessageActions = Annotated[tuple[MessageAction, ...], Meta(max_length=3)]


class Message(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the event's data say. Title and body are texts, and are never read as templates.

    `users` are whom to tell, where the event does not name them itself. An e-mail needs a title,
    and an SMS has none. `image` and `actions` are shown where the channel shows any.
    """

    body: MessageBody
    channels: Channels
    title: Title = ""
    priority: MessagePriority = "normal"
    category: Name = CATEGORY
    image: Image = ""
    actions: MessageActions = ()
    users: Any = None


class BadMessage(BadRecord):
    """What the event's data say is no message; `field` is the one at fault, empty for the whole."""

    def __init__(self, complaint: str, field: str = "") -> None:
        super().__init__(Reason.INVALID, f"data{field and '.'}{field}: {complaint}")
        self.complaint = complaint
        self.field = field


def is_message(event: Event) -> bool:
    """Whether the event sets off the built-in type."""
    return (event.type if event.notify is None else event.notify.type) == MESSAGE


def meaning_of(event: Event) -> dict[str, Any]:
    """What the message comes to, the same for all ways to say it; raises BadMessage."""
    said: dict[str, Any] = msgspec.to_builtins(message_of(event))
    # Whom it tells is no part of what it says: each user is told once.
    return {**said, "channels": sorted(said["channels"]), "users": None}


def message_of(event: Event) -> Message:
    """What the event says; raises BadMessage."""
    try:
        message = msgspec.convert(event.data, Message)
    except msgspec.ValidationError as error:
        complaint, _, place = str(error).partition(_PLACE)
        raise BadMessage(complaint, place.strip(".`")) from None
    if len(set(message.channels)) < len(message.channels):
        raise BadMessage("names a channel more than once", "channels")
    if not clean(message.body).strip():
        raise BadMessage("says nothing", "body")
    for number, action in enumerate(message.actions):
        if not is_web_page(action.url):
            raise BadMessage("leads to no web page", f"actions[{number}].url")
        if not clean(action.label).strip():
            raise BadMessage("says nothing", f"actions[{number}].label")
    if message.image and not is_web_page(message.image):
        raise BadMessage("is no address of an image", "image")
    if Channel.EMAIL in message.channels and not clean(message.title).strip():
        raise BadMessage("is missing, and an e-mail needs a subject", "title")
    return message
