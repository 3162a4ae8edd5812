"""Who an event concerns, and whether followers are written to or read for themselves."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from policy.field_paths import value_at
from policy.notification_type import NotificationType
from schemas.errors import BadRecord
from schemas.event import Event
from schemas.naming import is_one_line
from schemas.vocabulary import Reason

_LONGEST_USER = 200
_LONGEST_TOPIC = 150
MOST_RECIPIENTS = 1000
"""Users that one event may name; each gets a record with what the event says to them in it."""
MOST_TOPICS = 100
"""Topics that one event may name; each gets a record in every partition."""
TOPIC = "topic:"
"""What a followee's name begins with where a topic is followed, and no actor."""


class Write(Struct, frozen=True):
    """Write one broadcast to each of these user partitions, ascending."""

    partitions: tuple[int, ...]


class Read(Struct, frozen=True):
    """Write the post once, to the outbox; feeds read it there."""


def recipients(event: Event, spec: NotificationType) -> list[str]:
    """The users that the event names, by `notify` or in its data at `spec.users`, each once.

    Raises BadRecord naming the field when it is missing or holds anything but a name of 1 to
    200 characters or a list of up to 1,000 of them. A whole number is the name of its digits, as
    ids in databases are numbers. An empty list is nobody. For a type with another audience there is
    no such field: that is ValueError.
    """
    if event.notify is not None:
        return list(dict.fromkeys(event.notify.users))
    if not spec.users:
        raise ValueError(f"{spec.name} does not address users that its event lists")
    return _named(event, spec.name, spec.users, "user", MOST_RECIPIENTS, _LONGEST_USER)


def concerned(event: Event, path: tuple[str, ...]) -> list[str] | None:
    """The users that an event names at a path of its data, each once; None where nothing stands.

    Raises BadRecord as `recipients` does.
    """
    if not path or value_at(event.data, path) is None:
        return None
    return _named(event, event.type, path, "user", MOST_RECIPIENTS, _LONGEST_USER)


def told_after(event: Event, spec: NotificationType) -> dict[str, int]:
    """The same users, and those who are notified after them: each with how much later (ms).

    Who is named twice is told at the first time. A path of `then` may lead nowhere: then nobody is
    notified at that time. Raises BadRecord as `recipients` does.
    """
    found = dict.fromkeys(recipients(event, spec), 0)
    if not spec.then or event.notify is not None:
        return found
    for number, path in enumerate(spec.then, 1):
        for user in concerned(event, path) or ():
            found.setdefault(user, number * spec.then_after)
    return found


def addressed_to(user: str, event: Event, spec: NotificationType) -> Event:
    """The event as one of its recipients gets it: of those that it lists, with this one alone.

    A thousand requests with a thousand names each would be a million names, and whoever is erased
    would still stand in those of all others. Only where the type's texts may speak of the list do
    they have all of it.
    """
    if event.notify is not None:
        if event.notify.users == (user,):
            return event
        return replace(event, notify=replace(event.notify, users=(user,)))
    if spec.shows_users:
        return event
    data = event.data
    if not spec.then and not isinstance(value_at(data, spec.users), list):
        return event
    for path in (spec.users, *spec.then):
        names = value_at(data, path)
        if isinstance(names, list):
            mine = [name for name in names if _name(name) == user]
            data = _with(mine[:1], data, path)
    return event if data is event.data else replace(event, data=data)


def _with(value: object, data: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """The same data with another value at the path, along which there are objects alone."""
    name, *rest = path
    return {**data, name: _with(value, data[name], tuple(rest)) if rest else value}


def followees(event: Event, spec: NotificationType) -> list[str]:
    """Whose followers are notified: the event's actor, or the topics at `spec.subscribers`.

    To subscribe to the topic NAME is to follow `topic:NAME`. The counts of its subscribers are
    in the router partition of that name and not in the actor's, so every user partition is
    asked. Raises BadRecord as `recipients` does, for names of 1 to 150 characters or up to 100
    of them; for a type with another audience, ValueError.
    """
    if spec.followers:
        return [event.actor]
    if not spec.subscribers:
        raise ValueError(f"{spec.name} addresses neither followers nor subscribers")
    topics = _named(event, spec.name, spec.subscribers, "topic", MOST_TOPICS, _LONGEST_TOPIC)
    return [TOPIC + topic for topic in topics]


def _named(
    event: Event, whose: str, path: tuple[str, ...], what: str, most: int, longest: int
) -> list[str]:
    def invalid(complaint: str) -> BadRecord:
        return BadRecord(Reason.INVALID, f"data.{'.'.join(path)} {complaint}, see {whose}")

    value = value_at(event.data, path)
    if value is None:
        raise invalid("is missing")
    found = value if isinstance(value, list) else [value]
    if len(found) > most:
        raise invalid(f"names {len(found)} {what}s, {most} are allowed")
    names = []
    for each in found:
        name = _name(each)
        if not isinstance(name, str) or not 0 < len(name) <= longest:
            raise invalid(f"is not a {what} (1 to {longest} characters) or a list of {what}s")
        if not is_one_line(name):
            raise invalid(f"names a {what} with control characters or line breaks")
        names.append(name)
    return list(dict.fromkeys(names))


def _name(value: object) -> object:
    """The name that stands there, if it is one; 7 and 7.0 are "7", as wherever events are of the
    same thing."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value) if type(value) is int else value


def fan_out(counts: Mapping[int, int], threshold: int) -> Write | Read:
    """Below `threshold` followers write to the partitions that hold any; from it on, read.

    `counts` is followers by user partition.
    """
    if sum(counts.values()) >= threshold:
        return Read()
    return Write(tuple(sorted(partition for partition, count in counts.items() if count > 0)))
