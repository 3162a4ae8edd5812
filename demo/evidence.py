"""What can be seen of a run from outside: the input of the judge."""

from dataclasses import dataclass, field

from embedded.simulators.accept_log import Accepted
from schemas.dead_letter import DeadLetter


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One item in somebody's inbox; `at` is epoch ms."""

    user: str
    notification_id: str
    at: int


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Tocsin says that it did not send, and why; no channel means on none. `at` is epoch ms."""

    event_id: str
    user: str
    type: str
    channel: str
    reason: str
    at: int


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that was found; `outbox` are the notification ids of posts left to feeds."""

    accepted: list[Accepted] = field(default_factory=list)
    inbox: list[Stored] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    outbox: frozenset[str] = frozenset()
