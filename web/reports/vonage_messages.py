"""Reports of Vonage's Messages API, each with a token that signs what it says."""

import hmac
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import jwt
import msgspec
from msgspec import Struct, field

from pipeline.settings import Settings
from policy.contact.address import WHATSAPP
from policy.tracking.provider_report import Report
from schemas.vocabulary import Channel
from web.reports.incoming import BadSignature, Incoming, first, require_recent
from web.reports.texts import answer_report, status_report

# https://developer.vonage.com/en/api-errors/messages
GONE = frozenset({"1190", "1300"})
"""Absent for good, and a number that the channel does not know."""
THEIRS = GONE | {"1170", "1180", "1200", "1220", "1240", "1241", "1250", "1251", "1260"}
THEIRS |= {"1270", "1280", "1282", "1290", "1310", "1430", "1461"}
"""Somebody's number, device or carrier; the others are the message's fault, ours or Vonage's."""
UNDELIVERED = frozenset({"rejected", "undeliverable"})
_BEARER = "Bearer "
_UNCHECKED = ("verify_exp", "verify_iat", "verify_nbf", "verify_aud", "verify_iss")


class Problem(Struct, frozen=True):
    """Why a message did not arrive; its title is the code, as a number or as text."""

    type: str = ""
    title: str | int = ""
    error: "Problem | None" = None

    @property
    def code(self) -> str:
        """The number of the error, empty where it has none."""
        if self.error is not None:
            return self.error.code
        code = self.type.rpartition("#")[2] or str(self.title)
        return code if code.isdecimal() else ""


class Said(Struct, frozen=True):
    """A status of a message of ours, or a message to us."""

    channel: str = ""
    status: str = ""
    client_ref: str = ""
    timestamp: datetime | None = None
    error: Problem = Problem()
    from_: str = field(name="from", default="")
    text: str = ""
    destination: Any = None

    @property
    def network(self) -> str:
        """The codes of the network that a text went to, where they are told."""
        found = self.destination
        code = found.get("network_code") if isinstance(found, dict) else None
        # What is only counted by must not keep a status from being taken.
        return code if isinstance(code, str) else ""


class VonageMessagesReports:
    """What Vonage reports on texts sent by its Messages API, and what people answer."""

    name = "vonagemessages"
    channel = Channel.SMS

    def __init__(self, settings: Settings) -> None:
        self._secret = settings.vonage_signature_secret
        self.is_set_up = bool(self._secret.get_secret_value())
        self._window = settings.report_window

    async def verify(self, incoming: Incoming, now: int) -> None:
        """Check the token, that it is of this body, and its time; raises BadSignature."""
        given = first(incoming.headers, "Authorization")
        if not given.startswith(_BEARER):
            raise BadSignature("not signed")
        try:
            # Its time is looked at by our clock.
            claims = jwt.decode(
                given.removeprefix(_BEARER),
                self._secret.get_secret_value(),
                algorithms=["HS256"],
                options=dict.fromkeys(_UNCHECKED, False),  # type: ignore[arg-type]
            )
        except (jwt.PyJWTError, ValueError):
            raise BadSignature("invalid signature") from None
        signed, at = claims.get("payload_hash"), claims.get("iat")
        if not isinstance(signed, str) or not isinstance(at, int):
            raise BadSignature("it signs no body or no time")
        if not hmac.compare_digest(signed.encode(), sha256(incoming.body).hexdigest().encode()):
            raise BadSignature("another body was signed")
        require_recent(at, now, self._window)

    def parse(self, incoming: Incoming, now: int) -> Sequence[Report]:
        """A status, or what somebody answered."""
        said = incoming.json(Said)
        at = now if said.timestamp is None else int(said.timestamp.timestamp() * 1000)
        if said.status:
            code, status = said.error.code, said.status
            if status in UNDELIVERED:
                status = "undelivered" if code in THEIRS else "failed"
            hard = code in GONE
            found = status_report(
                status, at, reference=said.client_ref, detail=code, hard=hard, network=said.network
            )
            return [msgspec.structs.replace(report, channel=self.channel) for report in found]
        scheme = f"{WHATSAPP}:" if said.channel == WHATSAPP else ""
        return answer_report(said.text, f"{scheme}{said.from_}", at)


class VonageWhatsAppReports(VonageMessagesReports):
    """What Vonage reports on messages on WhatsApp, among it that one was read."""

    name = "vonagewhatsapp"
    channel = Channel.CHAT
