"""What one tenant's bad records can do to others: fill nothing, and stop nothing."""

import msgspec
import pytest
from aiokafka import ConsumerRecord, TopicPartition

from pipeline.processing.decoder import WINDOW, Intake
from pipeline.processing.slices import Slice
from pipeline.producing.memory_log import MemoryLog
from pipeline.producing.outputs import Outputs
from schemas.dead_letter import DeadLetter
from schemas.errors import BadRecord, TooManyBadRecords
from schemas.event import Event
from schemas.topics import DEAD_LETTERS, EVENTS
from schemas.vocabulary import Reason
from tests.sinks.set_clock import SetClock

NOW = 1_795_000_000_000
UNUSABLE = BadRecord(Reason.UNKNOWN_TYPE, "no notification type for it")


def record(offset: int, tenant: str | None, at: int = NOW, **more: object) -> ConsumerRecord:
    said = {
        "id": f"e{offset}",
        "type": "thing.happened",
        "actor": "eve",
        "occurred_at": "2026-01-01T00:00:00Z",
        **more,
    }
    value = msgspec.json.encode(said | ({"tenant": tenant} if tenant is not None else {}))
    return ConsumerRecord("events", 0, offset, at, 1, b"eve", value, None, 3, len(value), ())


class Reader:
    """A router's intake, and the dead letters that it makes."""

    def __init__(self) -> None:
        clock = SetClock()
        self.outputs = Outputs(MemoryLog(clock))
        self._intake = Intake("router", {EVENTS: Event}, clock, 0.5, partitions=1)

    def is_good(self, *records: ConsumerRecord) -> None:
        """These can be used."""
        slice_ = Slice(TopicPartition("events", 0), 0, 0, len(records), records, 0)
        assert len(list(self._intake.read(slice_, self.outputs))) == len(records)

    def is_bad(self, record: ConsumerRecord) -> None:
        """This was decoded, and can't be used."""
        self._intake.set_aside(record, UNUSABLE, self.outputs)

    def letters(self) -> list[DeadLetter]:
        """All that were made."""
        entries = self.outputs.entries[DEAD_LETTERS.name, 0]
        return [msgspec.json.decode(value or b"", type=DeadLetter) for _, value in entries]


def test_no_tenant_stops_a_worker() -> None:
    reader = Reader()
    for offset in range(10 * WINDOW):
        reader.is_bad(record(offset, "mallory"))
    assert len(reader.letters()) == 10 * WINDOW


@pytest.mark.parametrize("tenant", ["default", None])
def test_what_no_other_tenant_can_have_sent_stops_it(tenant: str | None) -> None:
    reader = Reader()
    for offset in range(WINDOW - 1):
        reader.is_bad(record(offset, tenant))
    with pytest.raises(TooManyBadRecords, match="200 of the last 200"):
        reader.is_bad(record(WINDOW, tenant))


def test_what_can_not_be_read_at_all_stops_it() -> None:
    reader = Reader()
    with pytest.raises(TooManyBadRecords):
        for at in range(WINDOW):
            reader.is_bad(ConsumerRecord("events", 0, at, NOW, 1, b"eve", b"{", None, 3, 1, ()))


def test_bad_records_of_most_tenants_stop_it() -> None:
    """Of five tenants 25 each count, which is more than half of 200."""
    reader = Reader()
    with pytest.raises(TooManyBadRecords, match="125 of the last 200"):
        for offset in range(WINDOW):
            reader.is_bad(record(offset, f"tenant-{offset % 5}"))
    reader = Reader()
    for offset in range(2 * WINDOW):
        reader.is_bad(record(offset, f"tenant-{offset % 4}"))


def test_a_tenants_bad_records_do_not_make_the_default_ones_count_more() -> None:
    """25 of mallory's and 75 of the default tenant's are not more than half, and 76 are."""
    for count, stops in ((75, False), (76, True)):
        reader = Reader()
        goods = WINDOW - 100 - count
        reader.is_good(*(record(offset, "acme") for offset in range(goods)))
        for offset in range(goods, goods + 100):
            reader.is_bad(record(offset, "mallory"))
        for offset in range(goods + 100, WINDOW - 1):
            reader.is_bad(record(offset, "default"))
        last = record(WINDOW - 1, "default")
        if stops:
            with pytest.raises(TooManyBadRecords):
                reader.is_bad(last)
        else:
            reader.is_bad(last)


def test_beyond_a_share_a_tenants_dead_letters_leave_their_values_in_the_source() -> None:
    reader = Reader()
    for offset in range(700):
        reader.is_bad(record(offset, "mallory"))
    reader.is_bad(record(700, "acme"))
    *mallorys, acmes = reader.letters()
    # A hundred in a second, and five seconds' worth at once.
    assert [bool(each.value) for each in mallorys] == [True] * 500 + [False] * 200
    assert {each.truncated for each in mallorys[:500]} == {False}
    assert {each.truncated for each in mallorys[500:]} == {True}
    assert (mallorys[600].topic, mallorys[600].offset, mallorys[600].key) == ("events", 600, b"eve")
    assert mallorys[600].detail == UNUSABLE.detail
    assert (bool(acmes.value), acmes.truncated) == (True, False)
    reader.is_bad(record(701, "mallory", at=NOW + 1000))
    assert reader.letters()[-1].value


def test_a_record_about_an_event_is_the_events_tenants() -> None:
    reader = Reader()
    event = {"tenant": "mallory", "id": "1"}
    for offset in range(2 * WINDOW):
        reader.is_bad(record(offset, None, event=event))
