"""Slack's incoming webhooks, which answer in plain words."""

import msgspec
from aiohttp import web
from msgspec import Struct

from embedded.simulators.accept_log import AcceptLog
from embedded.simulators.chat.posting import address_of, post
from embedded.simulators.faults import Faults

WORDS = {400: "invalid_payload", 403: "action_prohibited", 404: "channel_not_found"}
MOST = 3000  # characters of a section, or of an address
MOST_LABEL = 75


class Text(Struct):
    """A text object."""

    type: str
    text: str


class Element(Struct):
    """A button."""

    type: str
    text: Text
    url: str = ""


class Block(Struct):
    """A section, or buttons."""

    type: str
    text: Text | None = None
    elements: list[Element] = []


class Message(Struct):
    """What we read of a message."""

    text: str = ""
    blocks: list[Block] = []


class SlackSimulator:
    """Any number of hooks with one token."""

    name = "slack"

    def __init__(self, token: str, log: AcceptLog, faults: Faults) -> None:
        self._token = token
        self._log = log
        self._faults = faults

    async def send(self, request: web.Request) -> web.Response:
        """Check the hook, then the message."""
        if request.match_info["token"] != self._token:
            return web.Response(status=403, text="invalid_token")
        if self._faults.is_dead(self.name, address_of(request, self.name)):
            return web.Response(status=404, text="no_service")
        try:
            message = msgspec.json.decode(await request.read(), type=Message)
        except msgspec.MsgspecError:
            return web.Response(status=400, text="invalid_payload")
        texts = [block.text.text for block in message.blocks if block.text]
        if not message.text and not texts:
            return web.Response(status=400, text="no_text")
        if any(len(text) > MOST for text in texts) or not are_buttons(message.blocks):
            return web.Response(status=400, text="invalid_blocks")
        title, body = texts if len(texts) == 2 else ("", texts[0] if texts else message.text)
        post(self._log, request, self.name, title, body, "")
        return web.Response(text="ok")


def are_buttons(blocks: list[Block]) -> bool:
    """Whether the buttons are as Slack takes them (docs.slack.dev, "Button element")."""
    buttons = [element for block in blocks if block.type == "actions" for element in block.elements]
    return all(
        each.type == "button"
        and each.text.type == "plain_text"
        and 0 < len(each.text.text) <= MOST_LABEL
        and len(each.url) <= MOST
        for each in buttons
    )


def refuse(status: int) -> web.Response:
    """Slack's answer with this status, in its words where it has any."""
    return web.Response(status=status, text=WORDS.get(status, ""))
