"""The producer of a process, as one role writes with it: for as long as its lease lasts."""

from collections import Counter
from collections.abc import Collection

from pipeline.producing.fencing import CHANGELOG
from pipeline.producing.gathering import Gathering
from pipeline.producing.lease import Lease
from pipeline.producing.outputs import Acknowledged, Place, Records
from pipeline.producing.producer import Producer
from pipeline.producing.write_queue import Entry


class LeasedLog:
    """Writes of one role, which holds its partitions by a group and so a lease of its own.

    The roles of a process share its producer. Each write is sent only while the lease of the role
    that it is of holds, looked at right before it leaves, whatever becomes of those that it waited
    with for its place. A `pipeline.producing.fencing.Fence`.
    """

    def __init__(self, producer: Producer, lease: Lease) -> None:
        self._producer = producer
        self._lease = lease
        self.written = Counter[int]()
        """Acknowledged writes to changelogs, by the partition number."""
        self._gathering = Gathering(self.write)

    async def open(self, topic: str, partition: int) -> int:
        """Become the one owner of a changelog partition, once the lease is held."""
        await self._lease.held()
        return await self._producer.open(topic, partition, self._lease.check)

    def release(self, topic: str, partition: int) -> None:
        """Stop renewing the ownership of a changelog partition."""
        self._producer.release(topic, partition)

    async def write(self, topic: str, partition: int, entries: list[Entry]) -> int:
        """Append records, as `Producer.write` does; raises Unavailable."""
        end = await self._producer.write(topic, partition, entries, self._lease.check)
        if topic.endswith(CHANGELOG):
            self.written[partition] += 1
        return end

    def gather(self, records: Records, acknowledged: Acknowledged) -> Collection[Place]:
        """Have these written with others, before frontiers are committed; see `Gathering.add`."""
        return self._gathering.add(records, acknowledged)

    async def settled(self, places: Collection[Place]) -> None:
        """Wait until what is gathered and being written there is acknowledged; see `Gathering`."""
        await self._gathering.settled(places)

    async def flush(self) -> None:
        """Write all that was gathered; on return it is acknowledged. Raises Unavailable."""
        await self._gathering.flush()
