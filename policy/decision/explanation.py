"""An explanation: the path of one decision, and what comes of it, in words."""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from policy.audience.membership import Membership
from policy.contact.masking import masked
from policy.decision.decide import decide
from policy.decision.decision import Decision, Outcome
from policy.decision.rule import Gather, Later, Verdict
from policy.dedupe import NO_MARKS
from policy.notification_type import NotificationType
from policy.time.timestamps import text
from policy.user.ledger import Ledger
from policy.user.state import UserState
from schemas.errors import BadRecord
from schemas.request import Request
from schemas.vocabulary import Channel, Reason, Stage


class Asked(Struct, frozen=True):
    """One rule: what it looked at, and what it said; empty where it had no objection.

    Steps count from 0; a `channel` of None means the notification as a whole.
    """

    step: int
    channel: Channel | None
    rule: str
    looked_at: str
    said: str


class Sent(Struct, frozen=True):
    """What goes out at once on a channel, and to which addresses, masked."""

    channel: Channel
    addresses: tuple[str, ...]


class Waits(Struct, frozen=True):
    """What is pending until then (epoch ms); a digest has `gathered` events with this one."""

    channel: Channel
    until: int
    reason: Reason
    detail: str
    gathered: int = 0


class Explanation(Struct, frozen=True, kw_only=True):
    """One notification type for one user: in its audience or not, and what was asked.

    `refused` is why the event becomes a dead letter. `told_before` says that a decision on the
    same id is known, so that nothing would come of this; the rest is as if it were not. `variant`
    is which of the type's experiment the user reads, as EXPERIMENT/VARIANT.
    """

    type: str
    catalogue: str
    membership: Membership
    asked: tuple[Asked, ...] = ()
    sent: tuple[Sent, ...] = ()
    waits: tuple[Waits, ...] = ()
    silent: tuple[Outcome, ...] = ()
    told_before: Outcome | None = None
    refused: str = ""
    variant: str = ""


def explain(
    request: Request, spec: NotificationType, member: Membership, state: UserState, now: int
) -> Explanation:
    """Decide at `now` (epoch ms) as it would be decided, and explain how; nothing is sent."""
    bare = Explanation(type=spec.name, catalogue=spec.catalogue, membership=member)
    if member.is_in is False:
        return bare
    if spec.experiment is not None:
        mine = spec.experiment.assigned(request.event.tenant, request.user, spec.name)
        bare = replace(bare, variant=mine.variant)
    path: list[Asked] = []

    def note(
        step: int, channel: Channel | None, rule: str, shown: str, verdict: Verdict | None
    ) -> None:
        path.append(Asked(step, channel, rule, shown, _said(verdict)))

    try:
        decision = decide(request, spec, state, now, note)
        before = _told_before(decision)
        if before is not None:
            path.clear()
            # Only the marks: limits still count what was sent then.
            ledger = replace(state.ledger, marks=NO_MARKS)
            fresh = replace(state, ledger=ledger, spilled=NO_MARKS)
            decision = decide(request, spec, fresh, now, note)
    except BadRecord as error:
        return replace(bare, asked=tuple(path), refused=str(error))
    return replace(
        bare,
        asked=tuple(path),
        sent=tuple(_sent(decision)),
        waits=tuple(_waits(decision)),
        silent=tuple(each for each in decision.outcomes if each.stage is not Stage.HELD),
        told_before=before,
    )


def _told_before(decision: Decision) -> Outcome | None:
    for outcome in decision.outcomes:
        if outcome.reason in (Reason.DUPLICATE, Reason.CONFLICT):
            return outcome
    return None


def _said(verdict: Verdict | None) -> str:
    if verdict is None:
        return ""
    detail = f": {verdict.detail}" if verdict.detail else ""
    if isinstance(verdict, Outcome):
        return f"not sent, {verdict.reason}{detail}"
    if isinstance(verdict, Later):
        return f"waits until {text(verdict.due_at)}, {verdict.reason}{detail}"
    if isinstance(verdict, Gather):
        return f"gathered, {verdict.reason}{detail}"
    return verdict.detail


def _sent(decision: Decision) -> Iterator[Sent]:
    addresses: dict[Channel, list[str]] = {}
    for delivery in decision.deliveries:
        shown = masked(delivery.channel, delivery.address)
        addresses.setdefault(delivery.channel, []).append(shown)
    for channel, found in addresses.items():
        yield Sent(channel, tuple(found))


def _waits(decision: Decision) -> Iterator[Waits]:
    ledger = decision.ledger
    # A channel is used in one step alone, so that it waits once.
    held = {each.channel: each for each in decision.outcomes if each.stage is Stage.HELD}
    for (name, *_), kept in decision.keep:
        until, gathered = _until(ledger, name)
        for channel in kept.channels:
            told = held[channel]
            yield Waits(channel, until, told.reason, told.detail, gathered)


def _until(ledger: Ledger, name: str) -> tuple[int, int]:
    if name in ledger.waiting:
        return ledger.waiting[name].due_at, 0
    found = ledger.gathering[name]
    return found.due_at, found.count
