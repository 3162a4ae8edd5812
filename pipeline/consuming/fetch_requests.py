"""What is asked of a broker in a fetch: of which partitions, and from where."""

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka.protocol.fetch import FetchRequest, FetchRequestStruct

FIRST_VERSION = 7
"""Of fetch requests, that has sessions: brokers from Kafka 1.1 on."""

Place = tuple[str, int]
"""A topic and a partition; equal to a TopicPartition."""
Partitions = list[tuple[str, list[tuple[int, int, int]]]]
"""By topic the partitions, from which offset, and how many bytes at most."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Partitions and, in the same order, from which offset each; of each so many bytes at most.

    Requests that are planned for one assignment share `places` as long as leaders stay, so that
    they can be compared place by place. `states` is what the client keeps of each, where known.
    """

    places: Sequence[Place]
    offsets: Sequence[int]
    most: int
    states: Sequence[Any] | None = None

    def in_topics(self, pairs: Iterable[tuple[Place, int]]) -> Partitions:
        """These places and offsets, in the form of a request."""
        topics: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for (topic, partition), offset in pairs:
            topics[topic].append((partition, offset, self.most))
        return list(topics.items())


NONE_WANTED = Wanted((), (), 0)


class Planned(FetchRequest):
    """A request whose partitions are spelled out only if somebody asks for them."""

    def __init__(self, wanted: Wanted, options: tuple[int, int, int, int, str]) -> None:
        *bounds, rack = options
        super().__init__(*bounds, [], rack)
        self.wanted = wanted
        self._named: Partitions | None = None

    @property
    def topics(self) -> Partitions:
        """All partitions, in an order by chance: a full answer may leave out the last ones."""
        if self._named is None:
            pairs = list(zip(self.wanted.places, self.wanted.offsets, strict=True))
            random.shuffle(pairs)
            self._named = self.wanted.in_topics(pairs)
        return self._named

    def name_only(self, response: Any) -> None:
        """Have `topics` give what the response tells of: the client looks no other one up."""
        if not response.topics:
            self._named = []
            return
        offsets = dict(zip(self.wanted.places, self.wanted.offsets, strict=True))
        told = ((topic, part[0]) for topic, parts in response.topics for part in parts)
        self._named = self.wanted.in_topics((place, offsets[place]) for place in told)

    def build(self, struct: type[FetchRequestStruct]) -> FetchRequestStruct:
        """With all partitions."""
        self._topics = self.topics
        return super().build(struct)


class Changes(FetchRequest):
    """A fetch request that says how a session's partitions change; all of it to an old broker."""

    def __init__(
        self,
        whole: FetchRequest,
        session: tuple[int, int],
        changed: Partitions,
        forgotten: list[tuple[str, list[int]]],
    ) -> None:
        super().__init__(
            whole._max_wait_ms,  # noqa: SLF001
            whole._min_bytes,  # noqa: SLF001
            whole._max_bytes,  # noqa: SLF001
            whole._isolation_level,  # noqa: SLF001
            changed,
            whole._rack_id,  # noqa: SLF001
        )
        self._whole = whole
        self._session = session
        self._forgotten = forgotten

    def build(self, struct: type[FetchRequestStruct]) -> FetchRequestStruct:
        """As the version has it that both sides know."""
        if struct.API_VERSION < FIRST_VERSION:
            return self._whole.build(struct)
        request = super().build(struct)
        request.session_id, request.session_epoch = self._session
        request.forgotten_topics_data = self._forgotten
        return request


def wanted_in(request: FetchRequest) -> Wanted:
    """What a request asks for, whoever made it."""
    if isinstance(request, Planned):
        return request.wanted
    named = [(topic, part) for topic, parts in request.topics for part in parts]
    return Wanted(
        places=[(topic, partition) for topic, (partition, _, _) in named],
        offsets=[offset for _, (_, offset, _) in named],
        most=named[0][1][2] if named else 0,
    )
