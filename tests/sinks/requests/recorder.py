"""An HTTP client that calls nobody: it keeps what it is asked to send, and answers as told."""

from collections.abc import Mapping
from email import message_from_bytes
from email.message import Message
from email.policy import HTTP
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec
from pydantic import SecretStr

from pipeline.settings import Settings
from schemas.delivery import Content, Delivery
from schemas.vocabulary import Channel, Priority
from sinks.http.client import HttpClient, Reply
from sinks.provider import TransientFailure
from tests.sinks.replies.table import reply

PUBLIC = "https://n.example.com"
SETTINGS = Settings(
    public_url=f"{PUBLIC}/",
    signing_key=SecretStr("a key to sign with"),
    email_from="shop@example.com",
    sms_from="+15005550006",
    sms_prices={"DE": 0.075},
)
CONTENT = Content(title="Grüße", body="Wörter", html="<p>Wörter</p>", data={"order": 7})
NOW = 1_795_000_000_000


class Request(NamedTuple):
    """What was to be sent."""

    url: str
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> Any:
        """The body, as JSON."""
        return msgspec.json.decode(self.body)

    @property
    def form(self) -> list[tuple[str, str]]:
        """The body, as a form of either kind."""
        kind = self.headers["Content-Type"]
        if kind.startswith("multipart/"):
            return form_data(self.body, kind)
        return parse_qsl(self.body.decode(), strict_parsing=True)


def form_data(body: bytes, content_type: str) -> list[tuple[str, str]]:
    """The fields of multipart/form-data, as the standard library reads them."""
    said = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=HTTP)
    return [_field(part) for part in said.iter_parts()]


def _field(part: Message) -> tuple[str, str]:
    value = part.get_payload(decode=True)
    assert isinstance(value, bytes)
    return str(part.get_param("name", header="content-disposition")), value.decode()


class Recorder(HttpClient):
    """Answers with each of these replies in turn, and with the last one from then on."""

    def __init__(self, *replies: Reply | TransientFailure) -> None:
        self.requests: list[Request] = []
        self._replies = list(replies) or [reply(200, b"")]

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> Reply | TransientFailure:
        """Keep the request."""
        self.requests.append(Request(url, body, dict(headers)))
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]

    @property
    def request(self) -> Request:
        """The only one."""
        (request,) = self.requests
        return request


def delivery(channel: Channel, address: str, number: int = 7, **fields: Any) -> Delivery:
    """A delivery of which every field is known beforehand."""
    values: dict[str, Any] = {
        "delivery_id": f"{number:032x}",
        "notification_id": f"{number + 16:032x}",
        "event_id": "order-7-shipped",
        "type": "order_shipped",
        "category": "orders",
        "user": "ada",
        "channel": channel,
        "priority": Priority.HIGH,
        "address": address,
        "content": CONTENT,
        "occurred_at": NOW,
        "accepted_at": NOW,
        "expires_at": NOW + 3_600_000,
    }
    return Delivery(**{**values, **fields})


def settings(**fields: Any) -> Settings:
    """The settings with these changed; texts become secrets where the field is one."""
    update = {
        name: SecretStr(value) if isinstance(getattr(SETTINGS, name), SecretStr) else value
        for name, value in fields.items()
    }
    return SETTINGS.model_copy(update=update)


class Still:
    """A clock that stands still."""

    def __init__(self, now: int = NOW) -> None:
        self.time = now

    def now(self) -> int:
        """Milliseconds since 1970, UTC."""
        return self.time
