"""Which contestant reads and writes which topics."""

from typing import NamedTuple

from schemas.topics import DELIVER, DELIVERY_EVENTS, REQUESTS
from schemas.vocabulary import Channel, Priority

FAUST_APP = "bench-faust"


class Topics(NamedTuple):
    """The topics of one contestant, by name."""

    requests: str
    deliver: str
    delivery_events: str


def _own(name: str) -> Topics:
    return Topics(f"{name}-requests", f"{name}-deliver", f"{name}-delivery-events")


TOCSIN = Topics(
    REQUESTS[Priority.HIGH].name, DELIVER[Channel.PUSH, Priority.HIGH].name, DELIVERY_EVENTS.name
)
FAUST = _own("faust")
QUIX = _own("quix")
AIOKAFKA = _own("aiokafka")


def faust_changelog(table: str) -> str:
    """Where Faust keeps the changelog of a table."""
    return f"{FAUST_APP}-{table}-changelog"
