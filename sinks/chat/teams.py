"""Teams' webhooks, which take an Adaptive Card: Workflows answer 202, connectors 200 and `1`."""

import re
from typing import Literal

from msgspec import UNSET, Struct, UnsetType, structs

from schemas.delivery import Content
from schemas.encoding import UNDECODABLE
from schemas.foreign import read_foreign
from schemas.vocabulary import Reason
from sinks.chat.hooks import Hooks
from sinks.http.client import Reply, failure_of, unreadable
from sinks.provider import Outcome, PermanentFailure, Sent

GONE = frozenset({"WorkflowNotFound", "WorkflowTriggerIsNotEnabled", "DirectApiRequestDenied"})
"""Codes of a hook that was deleted or turned off."""
POSTED = b"1"
"""What connectors answer, with 200, and only where the message was posted: a 200 with other words
tells of an error."""
BAD_CARD = (b"Bad payload received by generic incoming webhook", b"Summary or Text is required")
"""What connectors answer, with 400, to what they can't make a message of."""
RUN = "x-ms-workflow-run-id"
_WITHIN = re.compile(rb"Webhook message delivery failed(?:.*?HTTP error (\d{3}))?", re.DOTALL)
"""How a connector's 200 tells of an error of Teams itself, mostly by its status."""
ADAPTIVE_CARD = "application/vnd.microsoft.card.adaptive"


class Run(Struct, frozen=True):
    """A piece of text, in which nothing is markdown."""

    text: str
    weight: Literal["Bolder", "Default"] = "Default"
    type: Literal["TextRun"] = "TextRun"


class Paragraph(Struct, frozen=True):
    """Text as it is: a TextBlock would read markdown in it, and links."""

    inlines: tuple[Run, ...]
    type: Literal["RichTextBlock"] = "RichTextBlock"


class Picture(Struct, frozen=True, rename="camel"):
    """An image, and what is read out in its place."""

    url: str
    alt_text: str
    type: Literal["Image"] = "Image"


class Open(Struct, frozen=True):
    """A button that leads to a page."""

    title: str
    url: str
    type: Literal["Action.OpenUrl"] = "Action.OpenUrl"


class Card(Struct, frozen=True):
    """An Adaptive Card."""

    body: tuple[Paragraph | Picture, ...]
    version: str = "1.4"
    type: Literal["AdaptiveCard"] = "AdaptiveCard"
    actions: tuple[Open, ...] | UnsetType = UNSET


class Attachment(Struct, frozen=True, rename="camel"):
    """What a message carries."""

    content: Card
    content_type: str = ADAPTIVE_CARD


class Message(Struct, frozen=True):
    """What the workflow's trigger takes."""

    attachments: tuple[Attachment, ...]
    type: Literal["message"] = "message"


class Problem(Struct, frozen=True):
    """What the trigger says of a request that it does not take."""

    code: str
    message: str = ""


class Failure(Struct, frozen=True):
    """Its body."""

    error: Problem


class Teams(Hooks):
    """Posts to Teams."""

    name = "teams"
    scheme = "teams"

    def message_of(self, content: Content) -> Message:
        """A card with the title, if there is one, the lines of the body, image and buttons."""
        lines = [Run(line) for line in content.body.split("\n") if line.strip()]
        if content.title:
            lines.insert(0, Run(content.title, "Bolder"))
        body: list[Paragraph | Picture] = [Paragraph((line,)) for line in lines]
        if content.image:
            body.append(Picture(content.image, content.caption))
        actions = tuple(Open(action.label, action.url) for action in content.actions)
        return Message((Attachment(Card(tuple(body), actions=actions or UNSET)),))

    def outcome_of(self, reply: Reply, name: str) -> Outcome:
        """The trigger accepts and names the run of the workflow, which then posts the card.

        A workflow may have an answer of its own, of any form: then it has run.
        """
        run = reply.header(RUN)
        if reply.status == 202 or (run and reply.status < 300):
            return Sent(run or name)
        if reply.status == 200 and reply.body.strip() == POSTED:
            return Sent(name)
        if reply.status == 200 and (within := _WITHIN.match(reply.body)):
            # Without a status the connector does not know itself whether it was posted.
            status = int(within[1] or 502)
            return failure_of(structs.replace(reply, status=status), "said by a connector")
        if reply.status == 400 and reply.body.startswith(BAD_CARD):
            return failure_of(reply, "it is no card to a connector")
        if reply.status < 400:
            return unreadable(reply)
        try:
            error = read_foreign(reply.body, Failure).error
        except UNDECODABLE:
            return failure_of(reply, None)
        if reply.status in (400, 404, 410) and error.code in GONE:
            return PermanentFailure(Reason.UNREGISTERED, error.code)
        # Its words repeat the workflow's name.
        return failure_of(reply, error.code)
