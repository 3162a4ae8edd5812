"""Broadcasts that came before it is known who belongs to their audience.

They stand in one topic with requests, which must not wait behind them. So they are put by, and
begin once what Kafka took before them of addresses and follows is read.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, takewhile

from aiokafka import ConsumerRecord

from agents.decider.decisions import Decisions
from agents.decider.fan_out import Refuse, begin_fan_out, check_broadcast, keep_fan_out
from agents.decider.topics import BROADCAST_SLICE, GATHERED
from pipeline.processing.record_faults import is_of_record
from schemas.request import Broadcast
from schemas.topics import REQUESTS
from schemas.vocabulary import Priority
from tables.pending import AWAITED, FanOut
from tables.storage.table import View
from tables.storage.transaction import Transaction

TIME_BYTES, OFFSET_BYTES = 8, 8
RANKS = {REQUESTS[priority].name: b"%d" % rank for rank, priority in enumerate(Priority)}
"""By topic, how they begin their keys: the most urgent go first."""
Turn = Callable[[], tuple[Transaction, Decisions]]
"""A transaction by the clock, and what decides in it."""
_PROMPT = tuple(rank for topic, rank in RANKS.items() if topic in GATHERED)


class WaitingBroadcasts:
    """Those of partition `number`; what can't be decided of one is refused."""

    def __init__(self, number: int, refuse: Refuse) -> None:
        self._number = number
        self._refuse = refuse
        self.may_be_left = True
        """Until a look shows that none is."""

    def waits(self, record: ConsumerRecord, until: int) -> bool:
        """Whether one is to be put by, where audiences of until then (epoch ms) are known."""
        return bool(until < record.timestamp)

    def put_by(
        self,
        transaction: Transaction,
        decisions: Decisions,
        record: ConsumerRecord,
        broadcast: Broadcast,
    ) -> None:
        """Keep one until its audience is known; raises BadRecord as `start_fan_out` does."""
        check_broadcast(decisions, broadcast)
        key = (
            RANKS[record.topic]
            + record.timestamp.to_bytes(TIME_BYTES, "big")
            + record.offset.to_bytes(OFFSET_BYTES, "big")
        )
        left = FanOut(broadcast, b"", record.topic, record.offset)
        transaction.view(AWAITED).put(key, left)
        self.may_be_left = True

    def since(self, transaction: Transaction) -> int | None:
        """When (epoch ms) Kafka took the first that a digest may wait for; None for none."""
        if not self.may_be_left:
            return None
        view = transaction.view(AWAITED)
        first = (next(view.keys(rank), None) for rank in _PROMPT)
        return min((_at(key) for key in first if key is not None), default=None)

    async def go_on(self, turn: Turn, until: int) -> bool:
        """Begin with those that Kafka took until then (epoch ms), as many as a slice has.

        Each begins as `start_fan_out` has it, all together with as many people as one. Where
        something raises what a record may be to blame for, they are left to those that are under
        way, where one alone is given up. Whether there were any.
        """
        transaction, decisions = turn()
        keys = self._known(transaction, until)
        if not keys:
            return False
        try:
            for left in _taken(transaction.view(AWAITED), keys):
                begin_fan_out(transaction, decisions, left, len(keys), self._number, self._refuse)
            await transaction.commit()
        except Exception as error:
            if not is_of_record(error):
                raise
            transaction, decisions = turn()
            for left in _taken(transaction.view(AWAITED), keys):
                keep_fan_out(transaction, decisions, left)
            await transaction.commit()
        return True

    def _known(self, transaction: Transaction, until: int) -> Sequence[bytes]:
        view = transaction.view(AWAITED)
        self.may_be_left = next(view.keys(b""), None) is not None
        found = (
            key
            for rank in RANKS.values()
            for key in takewhile(lambda key: _at(key) <= until, view.keys(rank))
        )
        return list(islice(found, BROADCAST_SLICE)) if self.may_be_left else []


def _taken(view: View[FanOut], keys: Sequence[bytes]) -> Iterator[FanOut]:
    for key in keys:
        left = view.get(key)
        view.put(key, None)
        if left is not None:
            yield left


def _at(key: bytes) -> int:
    return int.from_bytes(key[1 : 1 + TIME_BYTES], "big")
