"""Broadcasts: everyone of an audience whose state is in this partition, so many at a time."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

from aiokafka import ConsumerRecord
from msgspec.structs import replace

from agents.decider.decisions import Decisions
from pipeline.processing.record_faults import is_of_record, report_fault
from pipeline.producing.outputs import Outputs
from pipeline.records.made_record import make_record
from policy.audience.segment import belongs
from policy.condition import Condition
from policy.notification_type import NotificationType
from policy.user.profile import Profile
from schemas.encoding import encode
from schemas.errors import BadRecord
from schemas.kinds import encode_in
from schemas.request import Broadcast, Request
from schemas.topics import EVENTS
from schemas.vocabulary import Priority, Reason
from tables.erasure_filter import ErasureFilter
from tables.followers import FOLLOWERS, SEGMENTS
from tables.pending import FAN_OUT_TURN, FAN_OUTS, FanOut
from tables.storage.table import View, key_of, last_part
from tables.storage.transaction import TRANSACTION_BYTES, Transaction
from tables.users import PROFILES, user_key

AT_ONCE = 1000
"""People decided, or timers of each kind fired, in one transaction; others get the rest.

Fewer are, where an event is so large that all of them would be more than `TRANSACTION_BYTES`.
"""


URGENCY = tuple(Priority)
"""Most urgent first."""
_BEYOND = b"\xff\xff"
"""Behind a tenant's key, is behind all of its broadcasts: no part of a key is so long."""
Refuse = Callable[[ConsumerRecord, BadRecord, Outputs], None]
"""Adds a record to outputs as a dead letter."""


def start_fan_out(
    transaction: Transaction,
    decisions: Decisions,
    record: ConsumerRecord,
    broadcast: Broadcast,
    broadcasts: int = 1,
) -> None:
    """Decide a broadcast for the first of its audience; the others are left to `resume_fan_out`.

    All `broadcasts` of a slice together are for as many people as one, as others wait for it.
    Raises BadRecord for one that names no known type or no audience, and, after all the others
    were decided, where somebody could not be: the record is then to be set aside, and when it is
    replayed only they are told.
    """
    check_broadcast(decisions, broadcast)
    left = FanOut(broadcast, b"", record.topic, record.offset)
    error = _go_on(transaction, decisions, left, max(1, AT_ONCE // broadcasts))
    if error is not None:
        raise error


def check_broadcast(decisions: Decisions, broadcast: Broadcast) -> None:
    """Raise BadRecord where it names no known type or no audience."""
    decisions.type_of(broadcast)
    if not (broadcast.followee or broadcast.segment or broadcast.named):
        raise BadRecord(Reason.INVALID, "the broadcast has neither a followee nor a segment")


def begin_fan_out(
    transaction: Transaction,
    decisions: Decisions,
    left: FanOut,
    broadcasts: int,
    number: int,
    refuse: Refuse,
) -> None:
    """As `start_fan_out`, long after its record in partition `number` was taken."""
    error = _go_on(transaction, decisions, left, max(1, AT_ONCE // broadcasts))
    if error is not None:
        _set_aside(left, error, number, refuse, transaction.outputs)


def keep_fan_out(transaction: Transaction, decisions: Decisions, left: FanOut) -> None:
    """Leave a broadcast, or what is left of it, to `resume_fan_out`."""
    broadcast, origin = left.broadcast, left.broadcast.origin
    source = f"{origin.partition}.{origin.offset}"
    if origin.topic != EVENTS.name:
        source += f".{origin.topic}"
    rank = f"{URGENCY.index(_priority(decisions, broadcast))}"
    tenant = broadcast.event.tenant
    name = key_of(tenant, rank, broadcast.type, broadcast.followee, source)
    transaction.view(FAN_OUTS).put(name, left)


def resume_fan_out(
    transaction: Transaction, decisions: Decisions, most: int, number: int, refuse: Refuse
) -> bool:
    """Go on with what was left of a broadcast, if any was, for the next `most` of its audience.

    Tenants take turns, however many broadcasts each has; of one, the most urgent goes first.
    The first that can't be told makes it a dead letter, as among those with whom it began. Tells
    whether there may be more.
    """
    found = _next_of(transaction)
    if found is None:
        return False
    key, left = found
    transaction.view(FAN_OUTS).put(key, None)
    transaction.view(FAN_OUT_TURN).put(b"", left.broadcast.event.tenant)
    error = _go_on(transaction, decisions, left, most)
    if error is not None:
        _set_aside(left, error, number, refuse, transaction.outputs)
    return True


def give_up_next(
    transaction: Transaction, decisions: Decisions, error: BadRecord, number: int, refuse: Refuse
) -> None:
    """Leave out the next recipient of the current broadcast, and report why."""
    found = _next_of(transaction)
    if found is None:
        return
    key, left = found
    edge = next(_edges(transaction, left.broadcast, left.done), None)
    later = None if edge is None else replace(left, done=edge, is_set_aside=True)
    transaction.view(FAN_OUTS).put(key, later)
    if edge is not None:
        decisions.refuse(_request(left.broadcast, last_part(edge)), error)
        _set_aside(left, error, number, refuse, transaction.outputs)


def _next_of(transaction: Transaction) -> tuple[bytes, FanOut] | None:
    """The broadcast whose turn it is: stored, so that who goes on after a crash takes the same."""
    view, last = transaction.view(FAN_OUTS), transaction.view(FAN_OUT_TURN).get(b"")
    others = view.keys(b"", key_of(last) + _BEYOND) if last is not None else view.keys(b"")
    key = next(others, None) or next(view.keys(b""), None)
    left = None if key is None else view.get(key)
    return None if key is None or left is None else (key, left)


def _priority(decisions: Decisions, broadcast: Broadcast) -> Priority:
    if broadcast.bulk:
        return Priority.BULK
    try:
        return decisions.type_of(broadcast).priority
    except BadRecord:  # of a type that is no longer there nobody is told
        return Priority.BULK


def _set_aside(
    left: FanOut, error: BadRecord, number: int, refuse: Refuse, outputs: Outputs
) -> None:
    if left.topic and not left.is_set_aside:
        refuse(_record_of(left, number), error, outputs)


def _go_on(
    transaction: Transaction, decisions: Decisions, left: FanOut, most: int
) -> BadRecord | None:
    """Decide the next `most` of the audience; the first error, each of which is told."""
    first: BadRecord | None = None
    broadcast, forgotten = left.broadcast, ErasureFilter(transaction)
    event, at = broadcast.event, broadcast.accepted_at
    if forgotten.covers(event.tenant, event.actor, at):
        return None
    try:
        is_among = _members(transaction, broadcast, decisions.type_of(broadcast))
    except BadRecord as other:  # another catalogue since
        return other
    most = min(most, max(1, TRANSACTION_BYTES // len(encode(event))))
    edges = list(islice(_edges(transaction, broadcast, left.done), most))
    tenant = broadcast.event.tenant
    users = [last_part(edge) for edge in edges]
    transaction.view(PROFILES).load(user_key(tenant, user) for user in users)
    users = [user for user in users if is_among(user)]
    decisions.load(user_key(tenant, user) for user in users)
    for user in users:
        if forgotten.covers(tenant, user, at):
            continue  # who came back, and follows again
        request = _request(broadcast, user)
        error = _decide(decisions, request)
        if error is not None:
            first = first or error
            decisions.refuse(request, error)
    if len(edges) == most:
        is_set_aside = left.is_set_aside or first is not None
        left = replace(left, done=edges[-1], is_set_aside=is_set_aside)
        keep_fan_out(transaction, decisions, left)
    return first


def count_audience(
    transaction: Transaction, broadcast: Broadcast, spec: NotificationType, done: bytes, most: int
) -> tuple[int, bytes]:
    """How many of the next `most` of a broadcast's audience here belong to it, and where to go on;
    empty where that was all. Raises BadRecord as `_members` does."""
    is_among, tenant = _members(transaction, broadcast, spec), broadcast.event.tenant
    edges = list(islice(_edges(transaction, broadcast, done), most))
    users = [last_part(edge) for edge in edges]
    transaction.view(PROFILES).load(user_key(tenant, user) for user in users)
    return sum(map(is_among, users)), edges[-1] if len(edges) == most else b""


def _decide(decisions: Decisions, request: Request) -> BadRecord | None:
    """Decide for one of an audience; why that can't be, or None."""
    try:
        decisions.decide(request)
    except BadRecord as error:
        return error
    except Exception as error:
        if not is_of_record(error):
            raise
        return report_fault("broadcasts", "one of an audience", error)
    return None


def _record_of(left: FanOut, number: int) -> ConsumerRecord:
    """The record that the broadcast came in, as it stands in partition `number`."""
    key, value = left.broadcast.event.actor.encode(), encode_in(left.topic, left.broadcast)
    at = left.broadcast.accepted_at
    return make_record(ConsumerRecord, left.topic, number, left.offset, at, key, value)


def _edges(transaction: Transaction, broadcast: Broadcast, done: bytes) -> Iterator[bytes]:
    tenant = broadcast.event.tenant
    if broadcast.followee:
        return transaction.view(FOLLOWERS).keys(key_of(tenant, broadcast.followee), done)
    if broadcast.named:
        return transaction.view(PROFILES).keys(key_of(tenant), done)
    attribute, value = min(broadcast.segment.items())
    return transaction.view(SEGMENTS).keys(key_of(tenant, attribute, value), done)


def _members(
    transaction: Transaction, broadcast: Broadcast, spec: NotificationType
) -> Callable[[str], bool]:
    """Whether a user at one of the edges is of the audience; raises BadRecord for a segment that
    the catalogue has no more."""
    if not broadcast.named and len(broadcast.segment) < 2:
        return lambda user: True
    condition = None
    if broadcast.named:
        condition = spec.segments.get(broadcast.named)
        if condition is None:
            raise BadRecord(
                Reason.INVALID, f"{broadcast.named!r} is no segment of {broadcast.type}"
            )
    return partial(_is_member, transaction.view(PROFILES), broadcast, condition)


def _is_member(
    profiles: View[Profile], broadcast: Broadcast, condition: Condition | None, user: str
) -> bool:
    profile = profiles.get(user_key(broadcast.event.tenant, user))
    attributes = (profile or Profile()).attributes
    if condition is not None:
        return belongs(condition, user, attributes)
    return broadcast.segment.items() <= attributes.items()


def _request(broadcast: Broadcast, user: str) -> Request:
    return Request(
        type=broadcast.type,
        user=user,
        event=broadcast.event,
        origin=broadcast.origin,
        accepted_at=broadcast.accepted_at,
        bulk=broadcast.bulk,
    )
