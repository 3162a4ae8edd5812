"""Whether what a source made of a record is an event that no notification type is about."""

from policy.catalogue.catalogue import Catalogue
from policy.message import is_message
from policy.source.record import Mapped, Outcome, Refused
from schemas.event import Event
from schemas.vocabulary import Reason


def unknown_type(outcome: Outcome, catalogue: Catalogue) -> str | None:
    """The name of an event that the catalogue does not know, if that is what came of a record."""
    match outcome:
        case Mapped(value=Event() as event) if not is_message(event):
            return None if catalogue.knows(event) else event.type
        case _:
            return None


def with_known_type(outcome: Outcome, catalogue: Catalogue) -> Outcome:
    """What came of a record: itself, or that it is refused as no notification type is about it."""
    unknown = unknown_type(outcome, catalogue)
    if unknown is None:
        return outcome
    return Refused(Reason.UNKNOWN_TYPE, f"no notification type for {unknown!r}")
