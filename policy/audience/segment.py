"""A segment: users by an expression over their attributes, under a name."""

from collections.abc import Mapping

from msgspec import Struct

from policy.condition import Condition, compile_condition
from policy.field_paths import value_at
from policy.notification_type import NotificationType
from policy.rendering.reader import USER
from schemas.errors import BadRecord
from schemas.event import Event
from schemas.vocabulary import Reason

NAMES = frozenset({USER})
"""What an expression may speak of: the attributes of a user's contacts, and their `id`."""


def compile_segment(source: str) -> Condition:
    """The condition that this expression states, in the language of templates.

    Raises ValueError, saying why, for what is no expression or speaks of something else.
    """
    return compile_condition(source, NAMES, leaves_out=True)


def belongs(condition: Condition, user: str, attributes: Mapping[str, str]) -> bool:
    """Whether a user is in the segment; who lacks what its expression asks for is not.

    Nor is who has there what can't be compared, such as a text where it takes a number.
    """
    try:
        return condition.text({USER: {**attributes, "id": user}}, "") == "1"
    except Exception:  # whatever an attribute makes go wrong
        return False


class Chosen(Struct, frozen=True):
    """A segment by its name."""

    name: str
    condition: Condition


def segment_of(event: Event, spec: NotificationType) -> Chosen | None:
    """The segment that the event is for; None where its type is not for a named one.

    Raises BadRecord for an event that has no name of one where the type has it say which.
    """
    if not spec.segments:
        return None
    if not spec.segment_at:
        ((name, condition),) = spec.segments.items()
        return Chosen(name, condition)
    value, place = value_at(event.data, spec.segment_at), f"data.{'.'.join(spec.segment_at)}"
    if not isinstance(value, str) or value not in spec.segments:
        known = ", ".join(sorted(spec.segments))
        problem = "is missing" if value is None else "names no segment"
        raise BadRecord(Reason.INVALID, f"{place} {problem} of {known}, see {spec.name}")
    return Chosen(value, spec.segments[value])
