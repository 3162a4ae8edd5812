"""A request as a provider sent it, and the two ways in which it can be of no use."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, Protocol, TypeVar, runtime_checkable
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct

from policy.tracking.provider_report import Report
from policy.tracking.ticket import LIFE_MS
from schemas.encoding import UNDECODABLE
from schemas.foreign import read_foreign
from schemas.vocabulary import Channel

Value = TypeVar("Value")
MOST_SECONDS = 1e12
AHEAD_MS = 86_400_000
"""By which a provider's clock may be ahead of ours, at most."""


class BadSignature(Exception):
    """It was not signed by who it says it is from, or too long ago, or for something else."""


class Malformed(Exception):
    """It is signed well, or would be, but can't be read."""


class Incoming(Struct, frozen=True, kw_only=True):
    """`url` is what the provider called, as far as we know: `public_url` and the exact rest.

    `headers` are looked up without regard to case.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    def json(self, kind: type[Value]) -> Value:
        """The body as JSON, as far as it fits this kind; raises Malformed."""
        try:
            return read_foreign(self.body, kind)
        except UNDECODABLE as error:
            raise Malformed(type(error).__name__) from None

    def form(self) -> dict[str, str]:
        """The fields of a form, the first value of each; raises Malformed."""
        return {name: values[0] for name, values in self.fields().items()}

    def fields(self) -> dict[str, list[str]]:
        """The fields of a form, with all their values; raises Malformed."""
        try:
            text = self.body.decode("utf-8")
            return parse_qs(text, keep_blank_values=True, max_num_fields=200, errors="strict")
        except ValueError as error:
            raise Malformed(type(error).__name__) from None

    @property
    def ticket(self) -> str:
        """What stands in the query as the ticket."""
        return parse_qs(urlsplit(self.url).query).get("ticket", [""])[0]


class Reporter(Protocol):
    """What a provider reports, and how it shows that it is the provider."""

    name: str
    channel: Channel

    @property
    def is_set_up(self) -> bool:
        """Whether we have what it takes to check a signature; without it nothing is taken."""
        ...

    async def verify(self, incoming: Incoming, now: int) -> None:
        """Raise BadSignature for what the provider did not sign, or not lately; `now` is epoch ms.

        Raises Malformed where the signature itself can't be read, and Unavailable where it takes
        somebody else to check it, who does not answer.
        """
        ...

    def parse(self, incoming: Incoming, now: int) -> Sequence[Report]:
        """What is reported, of the kinds that we know; raises Malformed.

        What has no time of its own happened `now`.
        """
        ...


@runtime_checkable
class ReplayGuard(Protocol):
    """A reporter that takes a request once, and so must hear of one that came to nothing."""

    def release(self, incoming: Incoming) -> None:
        """Take the request if it comes again: what it reports could not be stored."""
        ...


def first(fields: Mapping[str, str], *names: str) -> str:
    """The first of these fields that says something; empty where none does."""
    return next((fields[name] for name in names if fields.get(name)), "")


def joined(parts: Mapping[str, Any], name: str = "ticket") -> str:
    """A ticket that stands under its name, or in pieces under `ticket0`, `ticket1` and so on."""
    whole = _text(parts.get(name))
    if whole:
        return whole
    pieces: list[str] = []
    while piece := _text(parts.get(f"{name}{len(pieces)}")):
        pieces.append(piece)
    return "".join(pieces)


def _text(value: Any) -> str:
    # SES gives each tag as a list.
    if isinstance(value, list):
        value = value[0] if value else ""
    return value if isinstance(value, str) else ""


def require_recent(seconds: float | str, now: int, window: int) -> None:
    """Raise BadSignature for what was signed longer than `window` seconds ago, or ahead."""
    try:
        passed = now / 1000 - float(seconds)
    except OverflowError:
        passed = inf
    if not abs(passed) <= window:
        raise BadSignature("signed too long ago")


def at_of(seconds: float | None, now: int) -> int:
    """Epoch milliseconds of a time in seconds; `now` for none, and for one beyond all counting."""
    if seconds is None or not abs(seconds) < MOST_SECONDS:
        return now
    return round(seconds * 1000)


def plausible(report: Report, now: int) -> Report:
    """The report, which happened `now` if what it says of its time can't be.

    Some fill in the first day of their calendar, and some clocks are wrong by years. What
    happened earlier than `LIFE_MS` ago is of a message whose ticket is over.
    """
    if now - LIFE_MS <= report.at <= now + AHEAD_MS:
        return report
    return msgspec.structs.replace(report, at=now)
