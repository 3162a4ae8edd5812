"""Slack's incoming webhooks (api.slack.com/messaging/webhooks)."""

import re
from typing import Literal

from msgspec import Struct

from schemas.delivery import Content
from schemas.encoding import UNDECODABLE
from schemas.foreign import read_foreign
from schemas.vocabulary import Reason
from sinks.chat.hooks import Hooks
from sinks.http.client import Reply, failure_of, unreadable
from sinks.provider import Outcome, PermanentFailure, Sent

GONE = frozenset(
    {"no_service", "no_service_id", "no_team", "no_active_hooks", "channel_not_found"}
    | {"channel_is_archived", "team_disabled", "user_not_found", "invalid_token"}
)
"""Its words for a hook that nothing will come through again."""
SAID = GONE | {"action_prohibited", "invalid_blocks", "invalid_payload", "no_text"}
"""And others that are certainly its own."""
_WORD = re.compile(r"[a-z]+(_[a-z]+)+")
"""How it words what is wrong with a message: any such, where it can't be another server's."""
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


class PlainText(Struct, frozen=True):
    """Text in which Slack looks for nothing: no mention, no link, no style."""

    text: str
    type: Literal["plain_text"] = "plain_text"
    emoji: bool = False


class Section(Struct, frozen=True):
    """A block that holds a text."""

    text: PlainText
    type: Literal["section"] = "section"


class Button(Struct, frozen=True):
    """Leads to a page."""

    text: PlainText
    url: str
    action_id: str
    type: Literal["button"] = "button"


class Buttons(Struct, frozen=True):
    """A block of buttons."""

    elements: tuple[Button, ...]
    type: Literal["actions"] = "actions"


class Picture(Struct, frozen=True):
    """An image below the blocks. In a block, one that Slack can't fetch would cost the message."""

    image_url: str
    fallback: str


Blocks = tuple[Section | Buttons, ...]


class Message(Struct, frozen=True, omit_defaults=True):
    """`text` is what a notification of the message says; the blocks are what is read."""

    text: str
    blocks: Blocks
    attachments: tuple[Picture, ...] = ()


class Started(Struct, frozen=True):
    """What a hook that starts a workflow answers."""

    ok: bool
    error: str = ""


class Slack(Hooks):
    """Posts to Slack: into a channel, or to a workflow that makes something of it."""

    name = "slack"
    scheme = "slack"

    def message_of(self, content: Content) -> Message:
        """A section each for title and body, and buttons; an image is below."""
        return Message(escaped(content), blocks_of(content), pictures_of(content))

    def outcome_of(self, reply: Reply, name: str) -> Outcome:
        """Slack answers in words, and in JSON for a workflow (docs.slack.dev/workflows)."""
        if reply.body.startswith(b"{"):
            return _of_workflow(reply, name)
        said = reply.body[:100].decode(errors="replace").strip()
        if reply.status == 200:
            return Sent(name) if said == "ok" else unreadable(reply)
        if reply.status in (403, 404, 410) and said in GONE:
            return PermanentFailure(Reason.UNREGISTERED, said)
        is_its_own = said in SAID or (reply.status == 400 and _WORD.fullmatch(said))
        return failure_of(reply, said if is_its_own else None)


def _of_workflow(reply: Reply, name: str) -> Outcome:
    try:
        started = read_foreign(reply.body, Started)
    except UNDECODABLE:
        return failure_of(reply, None)
    if reply.status == 200 and started.ok:
        return Sent(name)
    elif started.error in GONE and reply.status in (200, 400, 403, 404, 410):
        return PermanentFailure(Reason.UNREGISTERED, started.error)
    elif reply.status == 200 and started.error:
        return PermanentFailure(Reason.REJECTED, started.error)
    return failure_of(reply, started.error or None)


def escaped(content: Content) -> str:
    """All of the text, which can't name a channel or a person: mentions are in angle brackets."""
    return "\n".join(_texts(content)).translate(_ESCAPES)


def blocks_of(content: Content) -> Blocks:
    """A section each for title and body, and the buttons."""
    sections = tuple(Section(PlainText(text)) for text in _texts(content))
    buttons = tuple(
        Button(PlainText(action.label), action.url, f"link-{at}")
        for at, action in enumerate(content.actions)
    )
    return (*sections, Buttons(buttons)) if buttons else sections


def pictures_of(content: Content) -> tuple[Picture, ...]:
    """The image, if there is one."""
    return (Picture(content.image, content.caption),) if content.image else ()


def _texts(content: Content) -> list[str]:
    return [text for text in (content.title, content.body) if text]
