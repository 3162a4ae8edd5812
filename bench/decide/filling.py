"""Putting the same users and requests before every contestant."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice

import msgspec

from agents.decider.topics import KINDS
from bench.decide.broker import Arena
from bench.decide.topics import AIOKAFKA, FAUST, QUIX, TOCSIN, faust_changelog
from bench.decide.workload import PARTITIONS, USERS, profile, requests, state_key, user_name
from pipeline.producing.outputs import partition_of
from schemas.topics import DEAD_LETTERS, OWNERS, Topic, changelog
from tables.users import PROFILES

BLOCK = 20_000
"""Records written together: few enough to hold, enough to fill batches."""

Entry = tuple[bytes, bytes]


async def create_topics(arena: Arena) -> None:
    """Create every topic that a contestant reads or writes."""
    plain = {*TOCSIN, *FAUST, *QUIX, *AIOKAFKA}
    tables = [_compacted(faust_changelog(table)) for table in ("profiles", "ledgers")]
    # What the decider reads beside the requests of one priority stays empty.
    ours = [topic for topic in KINDS if topic.name not in TOCSIN]
    ours += [DEAD_LETTERS, OWNERS, changelog("decider")]
    await arena.create(*plain, *tables, *ours)


async def write_requests(arena: Arena, counts: Mapping[str, int], now: datetime) -> None:
    """Write the first of the requests to each of the topics in `counts`."""
    for done, block in _blocks(requests(max(counts.values()), now)):
        await asyncio.gather(
            *(
                _write(arena, topic, ((user, user.encode(), value) for user, value in wanted))
                for topic, count in counts.items()
                if (wanted := block[: max(0, count - done)])
            )
        )


async def write_users(arena: Arena) -> None:
    """Users as each has them at hand when it starts: state to restore, or records ahead of all."""
    encode = msgspec.msgpack.Encoder().encode
    users = [(user_name(number), encode(profile(number))) for number in range(USERS)]
    keys = [state_key(user) for user, _ in users]
    ours = ((user, PROFILES.prefix + key, v) for (user, v), key in zip(users, keys, strict=True))
    theirs = ((user, key, value) for (user, value), key in zip(users, keys, strict=True))
    for number in range(PARTITIONS):  # as an owner, or the decider would wait for its writes' end
        await arena.producer.open(changelog("decider").name, number)
    await _write(arena, changelog("decider").name, ours)
    await _write(arena, faust_changelog("profiles"), theirs)
    await _write(arena, QUIX.requests, ((user, user.encode(), value) for user, value in users))


async def _write(arena: Arena, topic: str, records: Iterable[tuple[str, bytes, bytes]]) -> None:
    """Write user, key and value to the user's partition."""
    by_partition: dict[int, list[Entry]] = defaultdict(list)
    for user, key, value in records:
        by_partition[partition_of(user, PARTITIONS)].append((key, value))
    await asyncio.gather(
        *(arena.write(topic, number, entries) for number, entries in by_partition.items())
    )


def _blocks(records: Iterator[tuple[str, bytes]]) -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
    done = 0
    while block := list(islice(records, BLOCK)):
        yield done, block
        done += len(block)


def _compacted(name: str) -> Topic:
    return Topic(
        name=name,
        key="store key",
        written_by="bench",
        read_by="bench",
        compacted=True,
        retention_ms=0,
    )
