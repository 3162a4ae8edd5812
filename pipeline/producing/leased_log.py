"""The producer of a process, as one role writes with it: for as long as its lease lasts."""

from collections import Counter

from pipeline.producing.fencing import CHANGELOG
from pipeline.producing.gathering import Gathering
from pipeline.producing.lease import Lease
from pipeline.producing.producer import Producer
from pipeline.producing.write_queue import Entry


class LeasedLog(Gathering):
    """Writes of one role, which holds its partitions by a group and so a lease of its own.

    The roles of a process share its producer. Each write is sent only while the lease of the role
    that it is of holds, looked at right before it leaves, whatever becomes of those that it waited
    with for its place. A `pipeline.producing.fencing.Fence`.
    """

    def __init__(self, producer: Producer, lease: Lease) -> None:
        super().__init__(self.write)
        self._producer = producer
        self._lease = lease
        self.written = Counter[int]()
        """Acknowledged writes to changelogs, by the partition number."""

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
