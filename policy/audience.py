"""Who an event concerns, and whether followers are written to or read for themselves."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from pipeline.errors import BadRecord
from policy.notification_type import NotificationType
from schemas.event import Event
from schemas.vocabulary import Reason

_LONGEST_NAME = 200
MOST_RECIPIENTS = 1000
"""Users that one event may name; each gets a record with the whole event in it."""


class Write(Struct, frozen=True):
    """Write one broadcast to each of these user partitions, ascending."""

    partitions: tuple[int, ...]


class Read(Struct, frozen=True):
    """Write the post once, to the outbox; feeds read it there."""


def recipients(event: Event, spec: NotificationType) -> list[str]:
    """The users that the event's data names at `spec.users`, each once, in order.

    Raises BadRecord naming the field when it is missing or holds anything but a name of 1 to
    200 characters or a list of up to 1,000 of them. An empty list is nobody. For a type whose
    audience is followers there is no such field: that is ValueError.
    """
    if not spec.users:
        raise ValueError(f"{spec.name} addresses followers, which no event lists")
    value: Any = event.data
    for part in spec.users:
        if not isinstance(value, dict) or part not in value:
            raise _invalid(spec, "is missing")
        value = value[part]
    users = value if isinstance(value, list) else [value]
    if len(users) > MOST_RECIPIENTS:
        raise _invalid(spec, f"names {len(users)} users, {MOST_RECIPIENTS} are allowed")
    for user in users:
        if not isinstance(user, str) or not 0 < len(user) <= _LONGEST_NAME:
            raise _invalid(spec, "is not a user (1 to 200 characters) or a list of users")
    return list(dict.fromkeys(users))


def _invalid(spec: NotificationType, complaint: str) -> BadRecord:
    return BadRecord(Reason.INVALID, f"data.{'.'.join(spec.users)} {complaint}, see {spec.name}")


def fan_out(counts: Mapping[int, int], threshold: int) -> Write | Read:
    """Below `threshold` followers write to the partitions that hold any; from it on, read.

    `counts` is followers by user partition.
    """
    if sum(counts.values()) >= threshold:
        return Read()
    return Write(tuple(sorted(partition for partition, count in counts.items() if count > 0)))
