"""Whether the catalogue can use the event that a source made of a record."""

from policy.audience.audience import concerned, followees, recipients, told_after
from policy.audience.segment import segment_of
from policy.catalogue.catalogue import Catalogue
from policy.message import is_message
from policy.notification_type import NotificationType
from policy.source.record import Mapped, Outcome, Refused
from schemas.errors import BadRecord
from schemas.event import Event
from schemas.vocabulary import Reason


def judged(outcome: Outcome, catalogue: Catalogue) -> Outcome:
    """What came of a record: itself, or that it is refused as nobody can be told of such an event.

    That is an event that no notification type is about, or that doesn't say whom a type is for.
    The router would refuse each of them; here it is known which source has them.
    """
    match outcome:
        case Mapped(value=Event() as event) if not is_message(event):
            if not catalogue.knows(event):
                named = f"{event.type!r}" if event.notify is None else event.notify.type
                return Refused(Reason.UNKNOWN_TYPE, f"no notification type for {named}")
            try:
                _find_addressees(event, catalogue)
            except BadRecord as error:
                return Refused(error.reason, error.detail)
    return outcome


def _find_addressees(event: Event, catalogue: Catalogue) -> None:
    for ending in catalogue.ended_by(event):
        concerned(event, ending.users)
    for spec in catalogue.for_event(event):
        if spec.when is not None and not spec.when.holds(event):
            if spec.users or event.notify is not None:
                recipients(event, spec)
        else:
            _find_those_of(spec, event)
    for spec in catalogue.aimed_at(event):
        if spec.goal is not None and spec.goal.about(event) is not None and spec.goal.user:
            concerned(event, spec.goal.user)


def _find_those_of(spec: NotificationType, event: Event) -> None:
    if spec.users or event.notify is not None:
        told_after(event, spec)
    elif spec.subscribers:
        followees(event, spec)
    elif spec.segment_at:
        segment_of(event, spec)
