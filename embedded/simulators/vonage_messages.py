"""Vonage's Messages API: `POST /v1/messages`, for texts and for WhatsApp."""

import base64
import hmac
import re
import uuid
from typing import Any

import jwt
import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct, field

from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, now
from embedded.simulators.credentials import Credentials
from embedded.simulators.faults import Faults
from embedded.simulators.reply import json_reply
from schemas.vocabulary import Channel

NUMBER = re.compile(r"[1-9]\d{6,14}")
SENDER = re.compile(r"[1-9]\d{4,14}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")
BOLD = re.compile(r"\*([^*\n]+)\*\n(.*)", re.DOTALL)
MOST_TEXT = {"sms": 3200, "whatsapp": 4096}  # characters
MOST_REFERENCE = 100
DOCS = "https://developer.vonage.com/api-errors"

# HTTP status: (what stands behind the #, title), as Vonage documents them.
PROBLEMS = {
    400: ("/messages#1020", "Invalid params"),
    401: ("#unauthorized", "You did not provide correct credentials."),
    402: ("#low-balance", "Low balance"),
    403: ("#forbidden", "Your account does not have permission to perform this action."),
    404: ("#not-found", "The requested resource does not exist, or you do not have access to it."),
    429: ("#throttled", "Rate Limit Hit"),
    500: ("/messages#1030", "Internal error"),
    503: ("/messages#1331", "Provider error"),
}


class Template(Struct, frozen=True):
    """A template of WhatsApp's by its name, and what fills it."""

    name: str = ""
    parameters: tuple[str, ...] = ()


class Message(Struct):
    """What we read of a message."""

    to: str = ""
    from_: str = field(name="from", default="")
    channel: str = ""
    message_type: str = ""
    text: str = ""
    client_ref: str = ""
    webhook_url: str = ""
    template: Template = Template()
    whatsapp: dict[str, Any] = {}


class VonageMessagesSimulator:
    """One account with one application; `closed` are WhatsApp numbers that get templates alone."""

    def __init__(self, accounts: Credentials, log: AcceptLog, faults: Faults) -> None:
        pair = f"{accounts.vonage_api_key}:{accounts.vonage_api_secret}"
        self._basic = f"Basic {base64.b64encode(pair.encode()).decode()}"
        self._application = accounts.vonage_application_id
        private = load_pem_private_key(
            accounts.vonage_private_key.encode(),
            password=None,
            unsafe_skip_rsa_key_validation=True,  # we made it
        )
        self._public: Any = private.public_key()
        self._log = log
        self._faults = faults
        self.closed: set[str] = set()

    async def by_text(self, request: web.Request) -> web.Response:
        """Take a text."""
        return await self._send(request, "vonagemessages", Channel.SMS)

    async def by_whatsapp(self, request: web.Request) -> web.Response:
        """Take a message for WhatsApp."""
        return await self._send(request, "vonagewhatsapp", Channel.CHAT)

    async def _send(self, request: web.Request, name: str, channel: Channel) -> web.Response:
        if not self._knows(request.headers.get("Authorization", "")):
            return refuse(401)
        try:
            message = msgspec.json.decode(await request.read(), type=Message)
        except msgspec.MsgspecError:
            return _error(422, "/messages#1020", "Invalid params")
        if problem := problem_of(message):
            return _error(422, f"/messages#{problem[0]}", problem[1])
        address = f"+{message.to}"
        if channel is Channel.CHAT:
            address = f"whatsapp:{address}"
            if address in self.closed and message.message_type == "text":
                return _error(422, "/messages#1340", "Outside of the allowed window")
        if self._faults.is_dead(name, address):
            return _error(422, "/messages#1300", "Not part of the provider network")
        return self._accept(message, name, channel, address)

    def _accept(self, message: Message, name: str, channel: Channel, address: str) -> web.Response:
        delivery_id, notification_id = (*message.client_ref.split("."), "")[:2]
        title, body = _shown(message)
        reference = str(uuid.uuid4())
        accepted = Accepted(
            at=now(),
            provider=name,
            channel=channel,
            notification_id=notification_id,
            delivery_id=delivery_id,
            address=address,
            title=title,
            digest=digest_of(body),
            reference=reference,
        )
        self._log.append((accepted,))
        return json_reply({"message_uuid": reference}, 202)

    def _knows(self, given: str) -> bool:
        if not given.startswith("Bearer "):
            return hmac.compare_digest(given.encode(), self._basic.encode())
        try:
            # By the wall, whatever clock the caller has: it may be set ahead by a test.
            claims = jwt.decode(
                given.removeprefix("Bearer "),
                self._public,
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "jti"]},
            )
        except jwt.PyJWTError:
            return False
        return bool(claims.get("application_id") == self._application)


def channel_of(body: bytes) -> str:
    """The channel that a message is for; empty for what is none."""
    try:
        return msgspec.json.decode(body, type=Message).channel
    except msgspec.MsgspecError:
        return ""


def problem_of(message: Message) -> tuple[str, str] | None:
    """Vonage's code and words for the first thing that it refuses in a message."""
    if message.channel not in MOST_TEXT:
        return "1400", "Unsupported channel"
    if not NUMBER.fullmatch(message.to):
        return "1430", "Invalid recipient"
    sender = NUMBER if message.channel == "whatsapp" else SENDER
    if not sender.fullmatch(message.from_):
        return "1420", "Invalid sender"
    if len(message.client_ref) > MOST_REFERENCE:
        return "1450", "Invalid client reference"
    if message.message_type == "template" and message.channel == "whatsapp":
        is_whole = message.template.name and message.whatsapp.get("locale")
        return (
            None if is_whole and all(message.template.parameters) else ("1022", "Invalid template")
        )
    if message.message_type != "text":
        return "1440", "Invalid message type"
    if not message.text or len(message.text) > MOST_TEXT[message.channel]:
        return "1020", "Invalid params"
    return None


def refuse(status: int) -> web.Response:
    """Vonage's problem with this HTTP status."""
    return _error(status, *PROBLEMS.get(status, PROBLEMS[500]))


def _shown(message: Message) -> tuple[str, str]:
    """The bold line above the text; of a template its name and what fills it."""
    if message.message_type == "template":
        return message.template.name, "\n".join(message.template.parameters)
    found = BOLD.fullmatch(message.text) if message.channel == "whatsapp" else None
    return (found[1], found[2]) if found else ("", message.text)


def _error(status: int, kind: str, title: str) -> web.Response:
    body = {"type": f"{DOCS}{kind}", "title": title, "detail": title, "instance": uuid.uuid4().hex}
    return json_reply(body, status)
