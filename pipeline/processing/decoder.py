"""Decoding a slice; what can't be used becomes a dead letter, and its neighbours go on."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
from aiokafka import ConsumerRecord

from pipeline.clock import Clock
from pipeline.expiring import Expiring
from pipeline.kafka import decompression
from pipeline.kafka.decompression import Unread
from pipeline.processing.misplaced import SourcedRecord, as_it_stood, handed_over, is_on_its_way
from pipeline.processing.slices import Slice
from pipeline.producing.outputs import Outputs, partition_of
from pipeline.records.dead_letters import dead_letter
from pipeline.records.made_record import make_record
from policy.limits.fair_share import BURST_SECONDS, Bucket, spend
from schemas.bounds import OutOfBounds, bound_of
from schemas.encoding import UNDECODABLE, encode
from schemas.errors import BadRecord, TooManyBadRecords
from schemas.kinds import PLAIN, kind_of, structs_of
from schemas.topics import DEAD_LETTERS, MISPLACED, PLACED, TOPICS, Topic
from schemas.vocabulary import Reason

LARGEST_VALUE = 1 << 20
"""Bytes of a record that an agent takes; larger ones are dead letters."""
WINDOW = 200
"""Records over which the share of bad ones is taken."""
MOST_OF_A_TENANT = WINDOW // 8
"""Bad records of one tenant, other than the default one, that count among these."""
WHOLE_A_SECOND = 100
"""Dead letters of one tenant that keep the record's value, in each partition of a role."""
FULL_AFTER_MS = (1 + BURST_SECONDS) * 1000
"""After which a tenant has all of that again: its bucket need not be kept."""
PUBLIC = frozenset(topic.name for topic in TOPICS if topic.is_public)
"""Of which records may be moved."""
NOBODY = ""
DEFAULT_TENANT = "default"
"""Of a deployment without tenants, whose bad records nobody else could have sent."""


class _Owned(msgspec.Struct):
    """What says whose a record is: itself, or the event that it is about."""

    tenant: str = DEFAULT_TENANT
    event: "_Owned | None" = None


_owned = msgspec.json.Decoder(_Owned).decode


class _Form(NamedTuple):
    """How records of one kind are read: the field with their key, if any, and their bounds."""

    decoder: msgspec.json.Decoder[Any]
    key: str | None
    bound: Callable[[Any], Any] | None


class Intake:
    """Reads the records of one role's partition into values.

    The bad ones are added to the slice's outputs as dead letters, so that they are acknowledged
    before the frontier passes them. When more than `bad_share` of the last 200 were bad, a
    producer is broken and TooManyBadRecords ends the worker: its records stay where they are.

    A record of a public topic counts under the key that its value says, whatever key it has. Where
    that key's partition is another one, the record is no value: it is added to the outputs for
    `misplaced` and comes back in the role's placed topic, as it stood
    (pipeline.processing.misplaced). What comes that way is never moved again. Only roles with a
    placed topic take part in this; others read what we write ourselves, and a wrong key there is a
    bad record.

    Of one tenant only a few of the last 200 count for that, so that no tenant can stop what works
    for others; those of the default tenant, and those that say no tenant, all do. Beyond a share
    a tenant's dead letters leave their values where they are, in the source topic.
    """

    def __init__(
        self,
        role: str,
        kinds: Mapping[Topic, type[msgspec.Struct]],
        clock: Clock,
        bad_share: float,
        partitions: int,
    ) -> None:
        self._role = role
        self._partitions = partitions
        self._forms = {
            topic.name: {
                name: _form(topic, struct) for name, struct in structs_of(topic, kind).items()
            }
            for topic, kind in kinds.items()
        }
        self._placed = PLACED[role].name if role in PLACED else None
        self._movable = {
            topic.name
            for topic in kinds
            if self._placed
            and topic.is_public
            and topic.read_by == role
            and self._forms[topic.name][PLAIN].key
        }
        self._compacted = {topic.name for topic in kinds if topic.compacted}
        self._clock = clock
        self._bad_share = bad_share
        self._recent: dict[tuple[str, int, int], str | None] = {}
        """By place whose bad record it is, or None for one that can be used."""
        self._usable: list[ConsumerRecord] = []
        """Those that can be used, and are not noted there yet."""
        self._shares = Expiring[Bucket]()

    def read(self, slice_: Slice, outputs: Outputs) -> Iterator[tuple[ConsumerRecord, Any]]:
        """Each usable record with its value, in order.

        That a compacted topic is to forget a key has no value, and is passed over.
        """
        topic, records = slice_.partition.topic, slice_.records
        if topic == self._placed:
            yield from self._read_placed(records, outputs)
            return
        forms = self._forms[topic]
        (decoder, field, bound), is_mixed = forms[PLAIN], len(forms) > 1
        note, partitions = self._usable.append, self._partitions
        is_public, is_movable = topic in PUBLIC, topic in self._movable
        if topic in self._compacted:
            records = [record for record in records if record.value is not None]
        for record in records:
            try:
                if is_mixed:
                    decoder, field, bound = _form_of(record, forms)
                value = _decoded(decoder.decode, record)
                if field is not None:
                    key = getattr(value, field)
                    if is_public and partition_of(key, partitions) != record.partition:
                        if not is_movable:
                            raise _wrong_place(record, key, partitions)
                        note(record)
                        outputs.add(MISPLACED, record.partition, None, handed_over(record))
                        continue
                    if not is_movable and record.key != key.encode():
                        raise _wrong_key(record.key, key)
                if bound is not None:
                    value = bound(value)
            except BadRecord as error:
                self.set_aside(record, error, outputs)
            else:
                note(record)
                yield record, value
        self._note_usable()

    def _read_placed(
        self, records: Iterable[ConsumerRecord], outputs: Outputs
    ) -> Iterator[tuple[ConsumerRecord, Any]]:
        for moved in records:
            record = moved
            try:
                record = as_it_stood(moved, self._movable, self._partitions)
                topic = record.origin.into if isinstance(record, SourcedRecord) else record.topic
                form = _form_of(record, self._forms[topic])
                value = _decoded(form.decoder.decode, record)
                if form.key is None:
                    raise BadRecord(Reason.INVALID, "a record about nobody is moved nowhere")
                key = getattr(value, form.key)
                if partition_of(key, self._partitions) != moved.partition:
                    # Never moved twice, so that nothing can go round.
                    raise _wrong_place(moved, key, self._partitions)
                if form.bound is not None:
                    value = form.bound(value)
            except BadRecord as error:
                self.set_aside(record, error, outputs)
            else:
                self._note(record, None)
                yield record, value

    def read_lines(self, slice_: Slice, outputs: Outputs) -> Iterator[Any]:
        """Each usable value of records that hold one a line, in order.

        A record with a line that can't be used is set aside, and its other lines are read.
        """
        decoder = self._forms[slice_.partition.topic][PLAIN].decoder
        for record in slice_.records:
            try:
                values = _decoded(decoder.decode_lines, record)
            except BadRecord as error:
                self.set_aside(record, error, outputs)
                yield from _usable(decoder.decode, record)
            else:
                self._note(record, None)
                yield from values

    def set_aside(
        self, record: ConsumerRecord, error: BadRecord, outputs: Outputs, *, is_used: bool = False
    ) -> None:
        """Make a record a dead letter, also after it was decoded; of a moved one, its source.

        One that `is_used`, but for what is wrong in it, speaks for no broken producer.
        """
        if is_on_its_way(record):
            with contextlib.suppress(BadRecord):
                record = as_it_stood(record, PUBLIC, self._partitions)
        tenant = _tenant_of(record)
        self._note_usable()
        self._note(record, None if is_used else tenant)
        bad = _bad_among(self._recent.values())
        if len(self._recent) == WINDOW and bad > self._bad_share * WINDOW:
            raise TooManyBadRecords(
                f"{bad} of the last {WINDOW} records of {record.topic}-{record.partition} can't be "
                f"used, the latest for: {error}. They were left in the topic, not made dead "
                "letters: mend the producer, or raise TOCSIN_BAD_SHARE to let them pass."
            )
        fits, source, partition = (
            self._is_within_share(tenant, record.timestamp),
            "",
            record.partition,
        )
        if isinstance(record, SourcedRecord):
            # Mended, the record is mapped anew: what it said, and not what was made of it, counts.
            fits, source, record = False, record.origin.source, _in_its_topic(record)
        now = self._clock.now()
        letter = dead_letter(self._role, record, error, now, keeps_value=fits, source=source)
        outputs.add(DEAD_LETTERS, partition, letter.key, encode(letter))

    def _note(self, record: ConsumerRecord, whose: str | None) -> None:
        # By place: a record that is read again, as its slice is taken in parts, counts once.
        recent = self._recent
        recent[record.topic, record.partition, record.offset] = whose
        if len(recent) > WINDOW:
            del recent[next(iter(recent))]

    def _note_usable(self) -> None:
        # Only now, as those of a slice that has no other are mostly pushed out by its last ones.
        for record in self._usable[-WINDOW:]:
            self._note(record, None)
        self._usable.clear()

    def _is_within_share(self, tenant: str, at: int) -> bool:
        bucket, is_over = spend(self._shares.get(tenant, at), WHOLE_A_SECOND, 1, at)
        self._shares.put(tenant, bucket, ends=at + FULL_AFTER_MS, now=at)
        return not is_over


def _in_its_topic(record: SourcedRecord) -> ConsumerRecord:
    """The company's record, as far as it is known here."""
    origin = record.origin
    place = origin.topic, origin.partition, origin.offset
    content = origin.key, record.value, origin.headers
    return make_record(ConsumerRecord, *place, origin.accepted_at, *content)


def _bad_among(recent: Iterable[str | None]) -> int:
    """How many of these speak for stopping the worker."""
    counts = Counter(tenant for tenant in recent if tenant is not None)
    nobodys = counts.pop(NOBODY, 0) + counts.pop(DEFAULT_TENANT, 0)
    return nobodys + sum(min(count, MOST_OF_A_TENANT) for count in counts.values())


def _tenant_of(record: ConsumerRecord) -> str:
    """Whose record it is, as far as it can be read."""
    try:
        found = _owned(record.value or b"")
    except UNDECODABLE:
        return NOBODY
    return found.event.tenant if found.event is not None else found.tenant


def _decoded(decode: Any, record: ConsumerRecord) -> Any:
    value = b"" if record.value is None else record.value
    if isinstance(value, Unread):
        raise BadRecord(
            Reason.TOO_LARGE,
            f"{value.which} are one batch of over {decompression.MOST_BYTES} bytes when it is "
            "unpacked; none of them was read",
        )
    if len(value) > LARGEST_VALUE:
        raise BadRecord(Reason.TOO_LARGE, f"{len(value)} bytes, {LARGEST_VALUE} are allowed")
    try:
        return decode(value)
    except msgspec.ValidationError as error:
        raise BadRecord(Reason.INVALID, str(error)) from None
    except UNDECODABLE as error:
        raise BadRecord(Reason.UNDECODABLE, str(error)) from None


def _form(topic: Topic, kind: type[msgspec.Struct]) -> _Form:
    key = topic.key if topic.key in kind.__struct_fields__ else None
    return _Form(msgspec.json.Decoder(kind), key, _bounded(kind) if topic.is_public else None)


def _form_of(record: ConsumerRecord, forms: Mapping[str, _Form]) -> _Form:
    if len(forms) == 1:
        return forms[PLAIN]
    name = kind_of(record.value or b"")
    form = forms.get(name)
    if form is None:
        raise BadRecord(Reason.INVALID, f"{name[:100]!r} is no kind of record of this topic")
    return form


def _bounded(kind: type[msgspec.Struct]) -> Callable[[Any], Any] | None:
    """What holds a value of this kind to its bounds, and raises BadRecord; None if it has none."""
    bound = bound_of(kind)
    if bound is None:
        return None

    def checked(value: Any) -> Any:
        try:
            return bound(value)
        except OutOfBounds as error:
            raise BadRecord(Reason.INVALID, str(error)) from None

    return checked


def _usable(decode: Any, record: ConsumerRecord) -> Iterator[Any]:
    if len(record.value or b"") > LARGEST_VALUE:
        return
    for line in (record.value or b"").split(b"\n"):
        with contextlib.suppress(*UNDECODABLE):
            yield decode(line)


def _wrong_place(record: ConsumerRecord, key: str, partitions: int) -> BadRecord:
    return BadRecord(
        Reason.KEY_MISMATCH,
        f"{key!r} belongs in partition {partition_of(key, partitions)}, the record is in "
        f"{record.partition}; only Tocsin itself may write to {record.topic}",
    )


def _wrong_key(key: bytes | None, expected: str) -> BadRecord:
    if not key:
        return BadRecord(Reason.MISSING_KEY, f"the record has no key; it should be {expected!r}")
    return BadRecord(
        Reason.KEY_MISMATCH, f"the record's key is {key[:100]!r}, its value says {expected!r}"
    )
