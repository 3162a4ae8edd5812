"""Finding dead letters, and sending their records again once they are mended."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from pipeline.catalogue_folder import read_catalogue
from pipeline.clock import SystemClock
from pipeline.kafka.decompression import Unread
from pipeline.kafka.topic_reading import read_record, read_topic
from pipeline.processing.misplaced import moved
from pipeline.producing.outputs import MOST_BYTES, partition_of
from pipeline.producing.producer import start_producer
from pipeline.records.made_record import make_record
from pipeline.records.source_decoders import SourceDecoders
from pipeline.settings import Settings
from policy.source.decoding import RegistryUnavailable
from policy.source.record import Mapped, SourceRecord
from policy.source.source import Source
from schemas.dead_letter import DeadLetter
from schemas.encoding import UNDECODABLE, encode
from schemas.erasure import Erasure
from schemas.errors import Unavailable
from schemas.kinds import sent_again
from schemas.misplaced import Misplaced
from schemas.topics import DEAD_LETTERS, ERASURES, INTO, PLACED

decode = msgspec.json.Decoder(DeadLetter).decode
Erased = Mapping[tuple[str, str], int]
"""When (epoch ms) a user of a tenant was erased last."""


class _Named(msgspec.Struct):
    """Whom a record names: by itself, or by the event that it is about."""

    tenant: str = "default"
    user: str = ""
    actor: str = ""
    follower: str = ""
    followee: str = ""
    event: "_Named | None" = None


_named = msgspec.json.Decoder(_Named).decode


async def find(
    settings: Settings,
    *,
    letter_id: str | None = None,
    reason: str | None = None,
    topic: str | None = None,
) -> list[DeadLetter]:
    """The dead letters that match, each once, oldest first."""
    letters = {}
    async for record in read_topic(settings.brokers, DEAD_LETTERS.name):
        letter = decode(record.value)
        wanted = (letter_id, letter.id), (reason, letter.reason), (topic, letter.topic)
        if all(want in (None, has) for want, has in wanted):
            letters[letter.id] = letter
    return sorted(letters.values(), key=lambda letter: letter.at)


async def send_again(settings: Settings, letters: list[DeadLetter]) -> tuple[int, int]:
    """Write the source records back; returns how many went and how many can't.

    What has moved to another topic since goes there, as it is written there now.
    Nothing is written to a company's own topic: what is read there is mapped as the catalogue says
    today, and what it says is placed, with where it was read, as accepted now. Those can't that are
    gone from their topic, of users who were erased since, larger than what is written, or nothing
    to their source any more. Raises Unavailable, naming how many went, when Kafka stops to answer,
    and BadCatalogue.
    """
    done, gone, begun = 0, 0, SystemClock().now()
    erased = await _erased(settings)
    sources = _sources_of(settings, letters)
    decoders = SourceDecoders(settings)
    producer = await start_producer(settings.brokers)
    try:
        for letter in _in_order(letters):
            key, value, headers = letter.key, letter.value, letter.headers
            if letter.truncated:
                place = letter.topic, letter.partition, letter.offset
                kafka = settings.brokers.unprefixed if letter.source else settings.brokers
                record = await read_record(kafka, *place)
                if record is None or _is_too_large(record):
                    gone += 1
                    continue
                key, value, headers = record.key, record.value, record.headers
            topic, partition, said = letter.topic, letter.partition, None
            if letter.source:
                said = await _said(decoders, sources, letter, key, value, headers)
                if said is None:
                    gone += 1
                    continue
                value = encode(said.value)
            if _is_of_erased(letter, value, erased):
                gone += 1
                continue
            if said is not None:
                topic, partition = _place_of(said, settings.partitions)
                value = encode(_placed(letter, said, key, headers, begun))
                key = said.key.encode()
            else:
                topic, value = sent_again(topic, value)
            marked = [*headers, ("dead-letter", letter.id.encode())]
            await producer.send_and_wait(topic, value, key, partition, headers=marked)
            done += 1
    except KafkaError as error:
        raise Unavailable(
            f"Kafka does not answer any more at {settings.brokers}. {done} of {len(letters)} "
            "records were sent again; do the same once it is back: what counts once counts once."
        ) from error
    finally:
        await decoders.close()
        await producer.stop()
    return done, gone


def _sources_of(settings: Settings, letters: Iterable[DeadLetter]) -> Mapping[str, Source]:
    if not any(letter.source for letter in letters):
        return {}
    return read_catalogue(settings.catalogue).sources


async def _said(
    decoders: SourceDecoders,
    sources: Mapping[str, Source],
    letter: DeadLetter,
    key: bytes | None,
    value: bytes | None,
    headers: Iterable[tuple[str, bytes]],
) -> Mapped | None:
    """What the letter's source makes of its record now; None for nothing."""
    source = sources.get(letter.source)
    if source is None:
        return None
    record = SourceRecord(
        value=value,
        timestamp=letter.accepted_at or letter.at,
        topic=letter.topic,
        partition=letter.partition,
        offset=letter.offset,
        key=key,
        headers=tuple(headers),
    )
    try:
        outcome = await source.outcome(record, decoders.of(source), decoders.key_of(source))
    except RegistryUnavailable as error:
        raise Unavailable(f"{error}; do the same once it answers.") from error
    return outcome if isinstance(outcome, Mapped) else None


def _in_order(letters: Iterable[DeadLetter]) -> list[DeadLetter]:
    """Those of sources last, in the order of their topics: of what is placed, what stands before
    something that was taken counts as a repeat of it."""

    def place(letter: DeadLetter) -> tuple[str, str, int, int]:
        if not letter.source:
            return "", "", 0, 0
        return letter.source, letter.topic, letter.partition, letter.offset

    return sorted(letters, key=place)


def _place_of(said: Mapped, partitions: int) -> tuple[str, int]:
    return PLACED[INTO[said.into].read_by].name, partition_of(said.key, partitions)


def _placed(
    letter: DeadLetter,
    said: Mapped,
    key: bytes | None,
    headers: Iterable[tuple[str, bytes]],
    begun: int,
) -> Misplaced:
    """What was said, with where the record stands, so that all that comes of it names that.

    It is another run than the reading that there was, whose repeats it is none of.
    """
    place = letter.topic, letter.partition, letter.offset
    record = make_record(ConsumerRecord, *place, begun, key, None)
    given = tuple((name, content or b"") for name, content in headers)
    return moved(
        record, encode(said.value), begun, headers=given, source=letter.source,
        into=said.into, since=begun,
    )  # fmt: skip


def _is_too_large(record: ConsumerRecord) -> bool:
    return isinstance(record.value, Unread) or len(record.value or b"") > MOST_BYTES


async def _erased(settings: Settings) -> Erased:
    erased: dict[tuple[str, str], int] = {}
    async for record in read_topic(settings.brokers, ERASURES.name):
        try:
            said = msgspec.json.decode(record.value or b"", type=Erasure)
        except UNDECODABLE:
            continue
        erased[said.tenant, said.user] = record.timestamp
    return erased


def _is_of_erased(letter: DeadLetter, value: bytes | None, erased: Erased) -> bool:
    at = letter.accepted_at or letter.at
    try:
        named = _named(value or b"")
    except UNDECODABLE:
        return False
    return any(at <= erased.get(user, -1) for user in _users_of(named))


def _users_of(named: _Named) -> Iterator[tuple[str, str]]:
    for user in (named.user, named.actor, named.follower, named.followee):
        yield named.tenant, user
    if named.event is not None:
        # Only its tenant: what others are told of the actor is theirs.
        yield named.event.tenant, named.user
