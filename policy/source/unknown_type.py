"""Whether what a source made of a record is an event that no notification type is about."""

from policy.catalogue.catalogue import Catalogue
from policy.message import is_message
from policy.source.record import Mapped, Outcome
from schemas.event import Event


def unknown_type(outcome: Outcome, catalogue: Catalogue) -> str | None:
    """The name of an event that the catalogue does not know, if that is what came of a record."""
    match outcome:
        case Mapped(value=Event() as event) if not is_message(event):
            return None if catalogue.knows(event) else event.type
        case _:
            return None
