"""Discord's webhooks (discord.com/developers/docs/resources/webhook)."""

import re
from collections.abc import Sequence

from msgspec import Struct, structs

from schemas.delivery import Action, Content
from schemas.encoding import UNDECODABLE
from schemas.foreign import read_foreign
from schemas.vocabulary import Reason
from sinks.chat.hooks import Hooks
from sinks.http.client import Reply, failure_of, unreadable
from sinks.provider import Outcome, PermanentFailure, Sent, TransientFailure

UNKNOWN_WEBHOOK = 10015
INVALID_TOKEN = 50027
# What its markdown and mentions are made of; a backslash in front makes it a plain character.
_SPECIAL = re.compile(r"([\\*_~`|>#\[\]()<@:-])")


class Picture(Struct, frozen=True):
    """An image below the text."""

    url: str


class Field(Struct, frozen=True):
    """A line below that, with a heading that can't be empty."""

    value: str
    name: str = "\u200b"


class Embed(Struct, frozen=True, omit_defaults=True):
    """A box with text."""

    description: str
    image: Picture | None = None
    fields: tuple[Field, ...] = ()


class Mentions(Struct, frozen=True):
    """Whom a message may ping: nobody."""

    parse: tuple[str, ...] = ()


class Message(Struct, frozen=True):
    """What a webhook takes."""

    embeds: tuple[Embed, ...]
    allowed_mentions: Mentions = Mentions()


class Posted(Struct, frozen=True):
    """The message as it was posted."""

    id: str


class Failure(Struct, frozen=True):
    """Why it was not; `retry_after` in seconds."""

    message: str
    code: int = 0
    retry_after: float | None = None


MOST_FIELD = 1024
"""Characters of a field; an action whose address is longer than that is left out."""


def fields_of(actions: Sequence[Action]) -> tuple[Field, ...]:
    """A link each: hooks that belong to no app can't have buttons."""
    labels = (_SPECIAL.sub(r"\\\1", each.label) for each in actions)
    pairs = zip(labels, actions, strict=True)
    links = (f"[{label}](<{_address(each.url)}>)" for label, each in pairs)
    return tuple(Field(link) for link in links if len(link) <= MOST_FIELD)


def _address(url: str) -> str:
    """What would end the link in Discord's markdown, encoded."""
    return url.replace("<", "%3C").replace(">", "%3E").replace("\\", "%5C")


class Discord(Hooks):
    """Posts to Discord."""

    name = "discord"
    scheme = "discord"

    def url_of(self, hook: str) -> str:
        """Asked to wait, it answers with the message, and not before it is posted."""
        return f"{hook}{'&' if '?' in hook else '?'}wait=true"

    def message_of(self, content: Content) -> Message:
        """An embed, in which nothing of the event's is markdown."""
        body = _SPECIAL.sub(r"\\\1", content.body)
        title = _SPECIAL.sub(r"\\\1", content.title)
        image = Picture(content.image) if content.image else None
        links = fields_of(content.actions)
        return Message((Embed(f"**{title}**\n{body}" if title else body, image, links),))

    def outcome_of(self, reply: Reply, name: str) -> Outcome:
        """Discord answers in JSON."""
        try:
            if reply.status == 200:
                return Sent(read_foreign(reply.body, Posted).id)
            if reply.status < 400:
                return unreadable(reply)
            said = read_foreign(reply.body, Failure)
        except UNDECODABLE:
            return failure_of(reply, _fields_in(reply))
        if said.code in (UNKNOWN_WEBHOOK, INVALID_TOKEN):
            return PermanentFailure(Reason.UNREGISTERED, f"{said.code}: {said.message[:100]}")
        failed = failure_of(reply, f"{said.code}: {said.message}")
        # More exact than the header, which has whole seconds.
        if isinstance(failed, TransientFailure) and said.retry_after is not None:
            return structs.replace(failed, after=said.retry_after)
        return failed


def _fields_in(reply: Reply) -> str | None:
    """What is wrong with a message in another form of Discord's: fields, and what of each."""
    try:
        fields = read_foreign(reply.body, dict[str, list[str]])
    except UNDECODABLE:
        return None
    return ", ".join(fields) or None
