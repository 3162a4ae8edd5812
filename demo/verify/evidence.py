"""What can be seen of a run from outside: the input of the judge."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from embedded.simulators.accept_log import Accepted
from schemas.dead_letter import DeadLetter
from schemas.delivery_event import DeliveryEvent


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One item in somebody's inbox; `at` is epoch ms."""

    user: str
    notification_id: str
    at: int
    title: str
    body: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Excuse:
    """A row in which Tocsin says that it did not send (`suppressed`), or not yet (`held`).

    No channel means all of them.
    """

    notification_id: str
    event_id: str
    user: str
    type: str
    category: str
    priority: str
    channel: str
    stage: str
    reason: str

    @classmethod
    def of(cls, row: DeliveryEvent) -> Self:
        """The excuse that a record of `delivery-events` is."""
        return cls(
            notification_id=row.notification_id,
            event_id=row.event_id,
            user=row.user,
            type=row.type,
            category=row.category,
            priority=row.priority,
            channel=row.channel or "",
            stage=row.stage,
            reason=row.reason,
        )


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A post in one partition of the outbox; `event` is its event as JSON has it."""

    notification_id: str
    partition: int
    event: Mapping[str, Any]


Place = tuple[str, str]
"""A notification id and a channel."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything that was found, once nothing moved any more, at `ended_at` (epoch ms).

    `held` is when what the decider's state holds is due (epoch ms). `outbox` are the posts that
    stand for feeds in any of `partitions`. `priorities` are those of the topics in which messages
    were written for the sinks.
    """

    ended_at: int
    partitions: int
    accepted: list[Accepted] = field(default_factory=list)
    inbox: list[Stored] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)
    excuses: list[Excuse] = field(default_factory=list)
    held: Mapping[Place, set[int]] = field(default_factory=dict)
    outbox: list[Posted] = field(default_factory=list)
    priorities: Mapping[Place, set[str]] = field(default_factory=dict)
