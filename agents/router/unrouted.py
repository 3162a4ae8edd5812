"""Writing the records of events that set off many: so many bytes a transaction.

An event of half a mebibyte that names a thousand users is half a gigabyte of requests.
"""

from aiokafka import ConsumerRecord
from msgspec.structs import replace

from agents.decider.fan_out import Refuse
from agents.router.routing import Routed, Routing
from pipeline.processing.record_faults import is_of_record, report_fault
from pipeline.records.made_record import make_record
from policy.catalogue.catalogue import Catalogue
from policy.notification_type import NotificationType
from schemas.encoding import encode
from schemas.errors import BadRecord
from schemas.kinds import encode_in
from schemas.topics import EVENTS, PLACED
from schemas.vocabulary import Reason
from tables.storage.transaction import TRANSACTION_BYTES, Transaction
from tables.unrouted import UNROUTED, Unrouted, unrouted_key

FEW = 16
"""Records of one event that are written at once, whatever their size, so that a transaction adds 16
times its slice, a mebibyte, to `TRANSACTION_BYTES`; posts and fan-outs add a copy for each
partition."""


_PLACED = frozenset(topic.name for topic in PLACED.values())


def begin_routing(
    transaction: Transaction, routing: Routing, spec: NotificationType, routed: Routed
) -> Routed:
    """Of what an event sets off by a type, as much as there is room for; the rest is noted."""
    left = Unrouted(spec.name, routing.event, routing.origin, routing.at, 0, routing.is_bulk)
    return _begun(transaction, left, spec, routed)


def go_on_routing(
    transaction: Transaction, catalogue: Catalogue, partitions: int, refuse: Refuse
) -> bool:
    """Write the next part of the most urgent event that is under way; whether there was one.

    Where the rest can't be written, as the catalogue is another one now, the event becomes a dead
    letter: replayed, it tells only those whom it has not reached.
    """
    view = transaction.view(UNROUTED)
    key = next(view.keys(b""), None)
    left = None if key is None else view.get(key)
    if key is None or left is None:
        return False
    view.put(key, None)
    try:
        spec = catalogue.type_of(left.type, left.event)
        if spec is None:
            raise BadRecord(Reason.UNKNOWN_TYPE, f"no notification type {left.type!r} any more")
        routing = Routing(left.event, left.origin, left.at, partitions, left.is_bulk)
        routed = routing.told(spec)
    except BadRecord as error:
        refuse(_record_of(left), error, transaction.outputs)
        return True
    except Exception as error:
        if not is_of_record(error):
            raise
        fault = report_fault(
            EVENTS.name,
            "the rest of an event",
            error,
            event=left.event.id,
            tenant=left.event.tenant,
        )
        refuse(_record_of(left), fault, transaction.outputs)
        return True
    for topic, partition, name, value in _begun(transaction, left, spec, routed[left.done :]):
        transaction.outputs.add(topic, partition, name.encode(), encode_in(topic.name, value))
    return True


def _record_of(left: Unrouted) -> ConsumerRecord:
    origin, event = left.origin, left.event
    key, value = event.actor.encode(), encode(event)
    # What a source has placed is an event like others by now, and its own letter can be replayed.
    topic = EVENTS.name if origin.topic in _PLACED else origin.topic
    place = topic, origin.partition, origin.offset
    return make_record(ConsumerRecord, *place, left.at, key, value)


def _begun(
    transaction: Transaction, left: Unrouted, spec: NotificationType, routed: Routed
) -> Routed:
    if len(routed) <= FEW:
        return routed
    room = TRANSACTION_BYTES - transaction.outputs.size
    fitting = max(FEW, room // len(encode(routed[0][3])))
    if len(routed) <= fitting:
        return routed
    left = replace(left, done=left.done + fitting)
    transaction.view(UNROUTED).put(unrouted_key(left, spec.priority), left)
    return routed[:fitting]
