"""What is asked of a notification before any of its channels, for an explanation."""

from collections.abc import Iterator

from msgspec import Struct

from policy.audience.actor import shown_actor
from policy.decision.decision import Outcome
from policy.decision.ending import Ending
from policy.decision.replacing import replaces
from policy.decision.replacing import shown as shown_thing
from policy.dedupe import Mark
from policy.notification_type import NotificationType
from policy.time.duration import shown as shown_span
from policy.time.timestamps import epoch_ms, text
from policy.user.state import UserState
from schemas.request import Request
from schemas.vocabulary import Reason

Asked = tuple[str, str, Outcome | None]
"""A rule's name, what it looked at, and its objection."""


class Opening(Struct, frozen=True):
    """What is known then. `at` is the event's time as it counts, `start` when it may go out."""

    request: Request
    spec: NotificationType
    state: UserState
    mark: Mark | None
    at: int
    start: int
    now: int

    def asked(self, refusal: Outcome | None) -> Iterator[Asked]:
        """The rules in order, up to the one that `refusal` comes from."""
        rules = (
            ("event time", self._event_time(), ()),
            ("told before", self._mark(), (Reason.DUPLICATE, Reason.CONFLICT)),
            ("time to live", self._time_to_live(), (Reason.EXPIRED,)),
            ("cancellation", self._cancellation(), (Reason.CANCELLED,)),
            ("actor", self._actor(), (Reason.OWN_EVENT, Reason.BLOCKED)),
        )
        for name, shown, reasons in rules:
            objection = refusal if refusal is not None and refusal.reason in reasons else None
            yield name, shown, objection
            if objection is not None:
                return

    def _event_time(self) -> str:
        event, happened = self.request.event, epoch_ms(self.request.event.occurred_at)
        shown = text(happened)
        if happened > self.at:
            ahead = shown_span(happened - self.at)
            shown += f", {ahead} ahead of when it was taken: counts as {text(self.at)}"
        if event.deliver_at is not None:
            shown += f"; to be delivered at {text(epoch_ms(event.deliver_at))}"
        if self.spec.delay:
            shown += f"; the type waits {shown_span(self.spec.delay)}"
        if self.request.after:
            shown += f"; others are told {shown_span(self.request.after)} before"
        return shown

    def _time_to_live(self) -> str:
        end = self.start + self.spec.time_to_live
        return f"{shown_span(self.spec.time_to_live)}, until {text(end)}; now {text(self.now)}"

    def _mark(self) -> str:
        what = "id" if self.request.event.idempotency_key is None else "idempotency key"
        mark = self.mark
        if mark is None:
            return f"nothing under this {what}"
        place = f"events/{mark.partition}/{mark.offset}"
        return f"this {what} from {place} at {text(mark.at)}; counts for {mark.hours}h"

    def _cancellation(self) -> str:
        key, at = self.request.event.cancel_key, self.state.cancelled_at
        if key is None:
            shown = "no cancel key"
        else:
            shown = f"key {key}, cancelled at {text(at)}" if at else f"key {key}, never cancelled"
        if self.spec.until is not None:
            shown += f"; {self._ending(self.spec.until)}"
        return f"{shown}; {self._replacing()}" if self.spec.replaces else shown

    def _replacing(self) -> str:
        name, thing = replaces(self.request, self.spec), shown_thing(self.spec)
        if not name:
            return f"without {'.'.join(self.spec.replaces)}, takes no place"
        last = self.state.ledger.newest.get(bytes.fromhex(name))
        return f"the last of {thing} came at {text(last[0])}" if last else f"the first of {thing}"

    def _ending(self, until: Ending) -> str:
        if not until.keys(self.request):
            return f"without {'.'.join(until.match)}, no {until.event} ends it"
        at = self.state.ended_at
        return f"{until.shown} came at {text(at)}" if at else f"no {until.shown} came yet"

    def _actor(self) -> str:
        request = self.request
        return shown_actor(request.event, request.user, self.spec, self.state.profile)
