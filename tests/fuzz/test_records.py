"""Whatever is sent to a public topic: no worker raises, and what was stored can be read again."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.decider.agent import TABLES as DECIDER_TABLES
from agents.inapp.agent import TABLES as INBOX_TABLES
from agents.router.agent import TABLES as ROUTER_TABLES
from schemas.dead_letter import DeadLetter
from schemas.encoding import encode
from schemas.kinds import structs_of
from schemas.topics import DEAD_LETTERS, EVENTS, Topic
from schemas.vocabulary import Reason
from tables.storage.table import Table, checker
from tests.fuzz.house import KINDS, PUBLIC, House, key_for
from tests.fuzz.records import records

TABLES: tuple[tuple[Table[Any], ...], ...] = (ROUTER_TABLES, DECIDER_TABLES, INBOX_TABLES)
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "150"))
CORPUS = sorted(Path(__file__).with_name("corpus").glob("*/*"))


def records_of(topic: Topic) -> st.SearchStrategy[dict[str, Any]]:
    """What could be written to a topic, of any of its kinds."""
    structs = structs_of(topic, KINDS[topic])
    return st.sampled_from(sorted(structs)).flatmap(
        lambda name: records(structs[name]).map(
            lambda record: {"kind": name, **record} if name else record
        )
    )


MANY = st.lists(
    st.sampled_from((*PUBLIC, *[EVENTS] * len(PUBLIC))).flatmap(
        lambda topic: st.tuples(st.just(topic), records_of(topic))
    ),
    min_size=1,
    max_size=8,
)


async def play(said: list[tuple[Topic, bytes]], key: str | None = None) -> House:
    """Take these records one after the other, and let more than a month pass.

    Each has the key that its producer would give it, unless one is given.
    """
    house = House()
    await house.move_in()
    for topic, value in said:
        own = key_for(topic, value) if key is None else key.encode()
        await house.take(topic, own, value)
    await house.pass_time()
    house.send()
    return house


def check_stored(house: House) -> None:
    """What is stored is what a restart can read, and no dead letter tells of a fault of ours."""
    for store, known in zip(house.stores, TABLES, strict=True):
        check = checker(*known)
        for key, value in store.stored.items():
            check(key, value)
    for record in house.log.topics[DEAD_LETTERS.name]:
        letter = msgspec.json.decode(record.value, type=DeadLetter)
        assert letter.reason is not Reason.UNPROCESSABLE


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(MANY)
def test_no_worker_raises_whatever_the_records_hold(said: list[tuple[Topic, object]]) -> None:
    house = asyncio.run(play([(topic, encode_odd(value)) for topic, value in said]))
    check_stored(house)


def encode_odd(value: object) -> bytes:
    """As JSON; numbers of any size among it."""
    try:
        return encode(value)
    except OverflowError:
        return json.dumps(value).encode()


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_worker_raises_at_what_a_fuzzer_found_of_interest(path: Path) -> None:
    (topic,) = [topic for topic in PUBLIC if topic.name == path.parent.name]
    check_stored(asyncio.run(play([(topic, path.read_bytes())])))
