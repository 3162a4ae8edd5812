"""Everyone who is known, as router and decider have them now, for a rehearsal to begin with."""

from msgspec import Struct

from agents.decider.agent import NAME as DECIDER
from agents.router.agent import NAME as ROUTER
from pipeline.admin.topic_creation import check_topics
from pipeline.settings import Settings
from schemas.topics import changelog
from tables.followers import FOLLOWER_COUNTS, FOLLOWERS, SEGMENTS
from tables.storage.memory_store import MemoryStore
from tables.storage.snapshot import snapshot
from tables.users import PROFILES


class Population(Struct, frozen=True):
    """Profiles, followers and segments as stores have them: by key, in one partition.

    Nothing of what was decided for them.
    """

    router: dict[bytes, bytes]
    decider: dict[bytes, bytes]

    def stores(self) -> tuple[MemoryStore, MemoryStore]:
        """A store each for a router and a decider, apart from those of other rehearsals."""
        return MemoryStore(dict(self.router)), MemoryStore(dict(self.decider))


async def read_population(settings: Settings) -> Population:
    """Read it from the changelogs.

    Raises Unavailable without Kafka, Misconfigured without topics, and BrokenChangelog.
    """
    await check_topics(settings, [changelog(ROUTER), changelog(DECIDER)])
    router: dict[bytes, bytes] = {}
    decider: dict[bytes, bytes] = {}
    people = (PROFILES, FOLLOWERS, SEGMENTS)
    prefixes = tuple(table.prefix for table in people)
    for number in range(settings.partitions):
        store = await snapshot(settings.brokers, ROUTER, number, _counts, FOLLOWER_COUNTS)
        router.update({key: _folded(value) for key, value in store.stored.items()})
        store = await snapshot(
            settings.brokers, DECIDER, number, lambda key: key.startswith(prefixes), *people
        )
        decider.update(store.stored)
    return Population(router, decider)


def _counts(key: bytes) -> bool:
    return key.startswith(FOLLOWER_COUNTS.prefix)


def _folded(counts: bytes) -> bytes:
    """The same followers, all in the only partition that there is."""
    return FOLLOWER_COUNTS.encode({0: sum(FOLLOWER_COUNTS.decode(counts).values())})
