"""Topics that hold records of several kinds, and how a record says of which it is.

Each such topic has one kind that says nothing, as it had before. The others bear the name of their
kind in a field of their own, beside those of their struct: so whoever looks for a tenant, a user or
an event in a record finds them where they are in every other topic.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from schemas.encoding import UNDECODABLE, encode
from schemas.event import Cancellation
from schemas.feedback import Receipt, Stop
from schemas.profile import Subscription
from schemas.request import Broadcast
from schemas.topics import REQUESTS, SUPPRESSIONS, TOPICS, Topic
from schemas.vocabulary import Priority

PLAIN = ""
"""The kind of a record that names none."""
STRUCTS: Mapping[str, type[Struct]] = {
    "broadcast": Broadcast,
    "cancellation": Cancellation,
    "receipt": Receipt,
    "stop": Stop,
    "subscription": Subscription,
}
"""By name, what the records of each kind are."""
_NAMES: dict[type, str] = {struct: name for name, struct in STRUCTS.items()}
_MIXED = {topic.name: frozenset(topic.kinds) for topic in TOPICS if topic.kinds}
_NOTHING: frozenset[str] = frozenset()
MOVED: dict[str, tuple[str, str]] = {
    "receipts": (SUPPRESSIONS.name, "receipt"),
    "stops": (SUPPRESSIONS.name, "stop"),
    "subscriptions": (SUPPRESSIONS.name, "subscription"),
    "cancelled": (SUPPRESSIONS.name, "cancellation"),
    "cancelled.bulk": (REQUESTS[Priority.BULK].name, "cancellation"),
    **{f"broadcasts.{each}": (REQUESTS[each].name, "broadcast") for each in Priority},
}
"""By topic of before, the one that has its records since, and their kind there: dead letters of
records of then are there for a month, and broadcasts that are under way name where they stood."""
_KEY = b'"kind"'
_STARTS = {name: b'{"kind":"%s",' % name.encode() for name in STRUCTS}
"""As a record begins; no struct of these is without a field."""


class _Named(Struct):
    kind: str = PLAIN


_decode = msgspec.json.Decoder(_Named).decode


def encode_in(topic: str, value: Struct) -> bytes:
    """A value as a record of the topic: with the name of its kind where the topic has others."""
    name = name_in(topic, type(value))
    return encode(value) if name == PLAIN else _STARTS[name] + encode(value)[1:]


def name_in(topic: str, struct: type) -> str:
    """The name of the kind that such a value has in the topic."""
    name = _NAMES.get(struct, PLAIN)
    return name if name in _MIXED.get(topic, _NOTHING) else PLAIN


def sent_again(topic: str, value: bytes | None) -> tuple[str, bytes | None]:
    """Where a record of a topic goes now, and as what, if its kind has moved to another topic."""
    goal, name = MOVED.get(topic, (topic, PLAIN))
    if name != PLAIN and value is not None and value.lstrip().startswith(b"{"):
        value = _STARTS[name] + value.lstrip()[1:]
    return goal, value


def is_kind(name: str, value: bytes | None) -> bool:
    """Whether a record is of that kind, as far as its first bytes tell, which is how we write it.

    For what goes by many records and needs only be about right.
    """
    return value is not None and value.startswith(_STARTS[name])


def kind_of(value: bytes) -> str:
    """The name of the kind that a record says; `PLAIN` for none, or what is no JSON."""
    if _KEY not in value:  # quicker than to decode it, and so it is with nearly all
        return PLAIN
    try:
        return _decode(value).kind
    except UNDECODABLE:
        return PLAIN


def structs_of(topic: Topic, plain: type[Struct]) -> dict[str, type[Struct]]:
    """By name of their kind, what records of the topic are."""
    return {PLAIN: plain, **{name: STRUCTS[name] for name in topic.kinds}}
