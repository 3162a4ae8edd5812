"""Dead letters on a real Kafka: found, and sent again unless whom they name was erased since."""

from collections.abc import AsyncIterator
from itertools import count

import msgspec
import pytest
from aiokafka import ConsumerRecord

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.kafka.topic_reading import read_topic
from pipeline.producing.outputs import MOST_BYTES
from pipeline.producing.producer import Producer, start_producer
from pipeline.records.dead_letter_reading import find, send_again
from pipeline.settings import Settings
from schemas.dead_letter import DeadLetter
from schemas.encoding import encode
from schemas.erasure import Erasure
from schemas.kinds import MOVED
from schemas.topics import Topic
from schemas.vocabulary import Reason
from tests.patience import ended

LONG_AGO, FAR_AHEAD = 1_600_000_000_000, 9_000_000_000_000
numbers = count()


class Letters:
    """Topics of a test's own: of dead letters, of erasures, and the one that letters are about."""

    def __init__(self, kafka: str, producer: Producer) -> None:
        self.settings = Settings(kafka=kafka, partitions=2)
        self.producer = producer
        number = next(numbers)
        names = ("letters", "erasures", "source")
        self.letters, self.erasures, self.source = (
            Topic(name=f"{name}-{number}", key="", written_by="", read_by="") for name in names
        )

    def letter(
        self, value: bytes | None, at: int = LONG_AGO, *, number: int = 0, truncated: bool = False
    ) -> DeadLetter:
        """One about a record of partition 1 that Kafka took then."""
        return DeadLetter(
            id=f"letter-{next(numbers)}",
            reason=Reason.INVALID,
            detail="of no use",
            role="router",
            topic=self.source.name,
            partition=1,
            offset=number,
            at=at,
            key=b"key",
            value=value,
            headers=(("trace", b"7"),),
            truncated=truncated,
            accepted_at=at,
        )

    async def write(self, topic: Topic, value: bytes, partition: int = 0) -> None:
        """One record."""
        await self.producer.send_and_wait(topic.name, value, b"key", partition)

    async def again(self, *letters: DeadLetter) -> tuple[int, int]:
        """How many went, and how many can't."""
        return await ended(send_again(self.settings, list(letters)))

    async def sent(self) -> list[ConsumerRecord]:
        """What the source topic has by now."""
        kafka = self.settings.kafka
        return [record async for record in read_topic(kafka, self.source.name)]


@pytest.fixture
async def letters(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Letters]:
    producer = await start_producer(kafka.address)
    letters = Letters(kafka.address, producer)
    await create_topics(letters.settings, [letters.letters, letters.erasures, letters.source])
    monkeypatch.setattr("pipeline.records.dead_letter_reading.DEAD_LETTERS", letters.letters)
    monkeypatch.setattr("pipeline.records.dead_letter_reading.ERASURES", letters.erasures)
    yield letters
    await producer.stop()


async def test_letters_are_found_by_what_they_say_each_once_and_the_oldest_first(
    letters: Letters,
) -> None:
    late, early, middle = (letters.letter(b"{}", at) for at in (300, 100, 200))
    for letter in (late, early, middle, early):
        await letters.write(letters.letters, encode(letter))
    assert await find(letters.settings) == [early, middle, late]
    assert await find(letters.settings, letter_id=middle.id) == [middle]
    assert await find(letters.settings, reason="invalid", topic=letters.source.name) == [
        early,
        middle,
        late,
    ]
    assert await find(letters.settings, reason="undecodable") == []
    assert await find(letters.settings, topic="another", letter_id=middle.id) == []


async def test_what_is_sent_again_is_the_record_where_it_stood_marked_with_the_letter(
    letters: Letters,
) -> None:
    letter = letters.letter(b'{"user": "ada"}')
    assert await letters.again(letter) == (1, 0)
    (record,) = await letters.sent()
    assert (record.partition, record.key, record.value) == (1, b"key", b'{"user": "ada"}')
    assert list(record.headers) == [("trace", b"7"), ("dead-letter", letter.id.encode())]


async def test_what_has_moved_to_another_topic_is_sent_again_as_it_is_written_there(
    letters: Letters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MOVED, "topic-of-before", (letters.source.name, "stop"))
    letter = msgspec.structs.replace(letters.letter(b'{"user":"ada"}'), topic="topic-of-before")
    assert await letters.again(letter) == (1, 0)
    (record,) = await letters.sent()
    assert (record.partition, record.value) == (1, b'{"kind":"stop","user":"ada"}')


async def test_of_a_letter_that_was_cut_the_record_itself_is_sent_unless_it_is_gone(
    letters: Letters,
) -> None:
    await letters.write(letters.source, b"the whole value", 1)
    cut = letters.letter(b"the wh", number=0, truncated=True)
    gone = letters.letter(b"the wh", number=5, truncated=True)
    assert await letters.again(cut, gone) == (1, 1)
    assert [record.value for record in await letters.sent()] == [b"the whole value"] * 2


async def test_a_record_is_sent_again_up_to_what_is_written_and_no_larger_one(
    letters: Letters,
) -> None:
    for size in (MOST_BYTES, MOST_BYTES + 1):
        await letters.write(letters.source, bytes(size), 1)
    cuts = [letters.letter(b"", number=number, truncated=True) for number in (0, 1)]
    assert await letters.again(*cuts) == (1, 1)


NAMING = {
    "user": b'{"user": "ada"}',
    "actor": b'{"actor": "ada"}',
    "follower": b'{"follower": "ada", "followee": "bob"}',
    "followee": b'{"follower": "bob", "followee": "ada"}',
    "of an event": b'{"user": "ada", "event": {"actor": "bob"}}',
}


@pytest.mark.parametrize("value", NAMING.values(), ids=NAMING)
async def test_whom_a_record_names_is_not_brought_back_once_they_are_erased(
    letters: Letters, value: bytes
) -> None:
    await letters.write(letters.erasures, b"no erasure")
    assert await letters.again(letters.letter(value)) == (1, 0)
    await letters.write(letters.erasures, encode(Erasure(user="ada")))
    assert await letters.again(letters.letter(value)) == (0, 1)
    # What came later is of somebody who came back.
    assert await letters.again(letters.letter(value, FAR_AHEAD)) == (1, 0)


@pytest.mark.parametrize(
    "value",
    [
        b'{"user": "bob"}',
        b'{"user": "ada", "tenant": "acme"}',
        b'{"user": "bob", "event": {"actor": "ada"}}',
        b"no JSON",
        None,
    ],
)
async def test_others_records_are_sent_again_whoever_is_erased(
    letters: Letters, value: bytes | None
) -> None:
    """What others are told of somebody is theirs, and one tenant's users are not another's."""
    await letters.write(letters.erasures, encode(Erasure(user="ada")))
    assert await letters.again(letters.letter(value)) == (1, 0)


async def test_what_names_nobody_is_sent_again_whoever_is_erased(letters: Letters) -> None:
    for nobody in ("", "XXXX"):
        await letters.write(letters.erasures, encode(Erasure(user=nobody)))
    assert await letters.again(letters.letter(b"{}")) == (1, 0)


async def test_an_event_of_a_tenant_names_users_of_that_tenant(letters: Letters) -> None:
    await letters.write(letters.erasures, encode(Erasure(user="ada", tenant="acme")))
    request = b'{"user": "ada", "event": {"tenant": "acme"}}'
    assert await letters.again(letters.letter(request)) == (0, 1)
