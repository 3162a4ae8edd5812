"""What becomes of a slice that can't be handled as a whole."""

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from pipeline.processing.parts import EndedProcesses, Trust, handle_in_parts, handle_with_care
from pipeline.processing.slices import Slice, cut
from pipeline.processing.turns import TURNS
from schemas.errors import Abandoned, Misconfigured, Unavailable

HERE = TopicPartition("events", 0)


def slice_of(count: int) -> Slice:
    """Records 0 to `count`, each with its offset for a value."""
    records = [
        ConsumerRecord(HERE.topic, HERE.partition, at, 0, 0, None, b"%d" % at, 0, 0, 0, ())
        for at in range(count)
    ]
    (slice_,) = cut(HERE, 0, 0, records)
    return slice_


class Desk:
    """A handler that raises at some offsets, each time or so many times."""

    waits = False

    def __init__(self, faults: dict[int, Exception], times: int = 1 << 30) -> None:
        self.handled: list[int] = []
        self.aside: list[tuple[int, str]] = []
        self.frontier = 0
        self.tries = 0
        self._faults = faults
        self._left = dict.fromkeys(faults, times)

    async def handle(self, slice_: Slice) -> None:
        """Handle all of a slice, or nothing of it."""
        self.tries += 1
        offsets = [record.offset for record in slice_.records]
        for offset in offsets:
            if self._left.get(offset, 0):
                self._left[offset] -= 1
                raise self._faults[offset]
        self.handled += offsets

    async def trust(self, slice_: Slice) -> Trust:
        """All of it."""
        return Trust.WHOLE

    async def note_alone(self, slice_: Slice) -> None:
        """Nothing is noted."""

    async def acquit(self, slice_: Slice) -> None:
        """Nothing was noted."""

    async def set_aside(self, slice_: Slice, error: Exception) -> None:
        """Note the one record."""
        (record,) = slice_.records
        self.aside.append((record.offset, str(error)))

    def finished(self, part: Slice) -> None:
        """Parts finish in order and without a hole."""
        assert part.start == self.frontier
        self.frontier = part.next


BAD = {3: OverflowError("int too big to convert"), 7: RecursionError("too deep")}


async def test_who_is_to_blame_is_set_aside_and_all_others_are_handled_once() -> None:
    desk = Desk(BAD)
    await handle_in_parts(desk, slice_of(10), desk.finished)
    assert desk.handled == [0, 1, 2, 4, 5, 6, 8, 9]
    assert desk.aside == [(3, "int too big to convert"), (7, "too deep")]
    assert desk.frontier == 10


async def test_what_fails_but_once_is_handled() -> None:
    desk = Desk({0: RuntimeError("by chance")}, times=1)
    await handle_in_parts(desk, slice_of(1), desk.finished)
    assert (desk.handled, desk.aside, desk.frontier) == ([0], [], 1)


async def test_one_bad_record_among_a_thousand_costs_a_walk_down_the_halves() -> None:
    desk = Desk({617: KeyError("x")})
    await handle_in_parts(desk, slice_of(1000), desk.finished)
    assert len(desk.handled) == 999
    assert desk.tries <= 1 + 2 * 10 + 1


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("Kafka does not answer"),
        Misconfigured("no key"),
        Abandoned(),
        OSError("the disk is full"),
        MemoryError(),
        KafkaTimeoutError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_is_broken_around_a_record_is_raised_and_nothing_set_aside(
    error: Exception,
) -> None:
    desk = Desk({1: error})
    with pytest.raises(type(error)):
        await handle_in_parts(desk, slice_of(2), desk.finished)
    assert (desk.aside, desk.frontier, desk.tries) == ([], 0, 1)


async def test_what_is_broken_when_a_record_is_alone_is_raised_too() -> None:
    class Worse(Desk):
        async def handle(self, slice_: Slice) -> None:
            await super().handle(slice_) if self.tries < 2 else self._break()

        def _break(self) -> None:
            raise Unavailable("Kafka does not answer")

    desk = Worse({0: ValueError("x"), 1: ValueError("y")})
    with pytest.raises(Unavailable):
        await handle_in_parts(desk, slice_of(2), desk.finished)
    assert (desk.aside, desk.frontier) == ([], 0)


class Suspicious(Desk):
    """A handler that trusts some records less, and says what it is asked in which order."""

    def __init__(self, trusts: dict[int, Trust], faults: dict[int, Exception]) -> None:
        super().__init__(faults)
        self.said: list[str] = []
        self.alone: list[int] = []
        self._trusts = trusts

    async def trust(self, slice_: Slice) -> Trust:
        """The least that one of the slice's records has; of several, no one is known yet."""
        found = [self._trusts.get(record.offset, Trust.WHOLE) for record in slice_.records]
        if set(found) == {Trust.WHOLE}:
            return Trust.WHOLE
        return Trust.ALONE if len(found) > 1 else found[0]

    async def note_alone(self, slice_: Slice) -> None:
        """Note it, and that nobody else has a turn."""
        (record,) = slice_.records
        self.said.append(f"alone with {record.offset}")
        assert TURNS._beside == 0

    async def handle(self, slice_: Slice) -> None:
        """Note what."""
        self.said.append("handles " + ",".join(str(record.offset) for record in slice_.records))
        await super().handle(slice_)

    async def acquit(self, slice_: Slice) -> None:
        """Note whom."""
        self.said.append("acquits " + ",".join(str(record.offset) for record in slice_.records))

    async def set_aside(self, slice_: Slice, error: Exception) -> None:
        """Note that it is what ended processes."""
        await super().set_aside(slice_, error)
        self.said.append(f"sets aside {slice_.records[0].offset}")
        assert isinstance(error, EndedProcesses)


async def test_what_is_not_trusted_goes_in_halves_down_to_a_record_alone() -> None:
    desk = Suspicious({2: Trust.ALONE}, {})
    await handle_with_care(desk, slice_of(4), desk.finished)
    assert desk.said == ["handles 0,1", "alone with 2", "handles 2", "handles 3"]
    assert (desk.handled, desk.frontier) == ([0, 1, 2, 3], 4)


async def test_a_record_that_ended_processes_is_set_aside_untouched_and_the_others_handled() -> (
    None
):
    desk = Suspicious({1: Trust.NONE}, {})
    await handle_with_care(desk, slice_of(3), desk.finished)
    assert desk.said == ["handles 0", "sets aside 1", "handles 2"]
    assert desk.aside == [
        (1, "several processes ended without a word while they worked on this record")
    ]
    assert desk.frontier == 3


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("trust", [Trust.WHOLE, Trust.ALONE])
async def test_a_slice_is_acquitted_of_what_is_broken_around_it(
    trust: Trust, *, waits: bool
) -> None:
    desk = Suspicious({0: trust}, {0: OSError("the disk is full")})
    desk.__dict__["waits"] = waits
    with pytest.raises(OSError, match="the disk is full"):
        await handle_with_care(desk, slice_of(1), desk.finished)
    assert desk.said[-2:] == ["handles 0", "acquits 0"]
    assert desk.frontier == 0


async def test_who_waits_for_others_holds_up_none_that_is_to_be_alone() -> None:
    """Its records may take minutes, for which nobody can wait."""

    class Waiting(Desk):
        waits = True

        async def handle(self, slice_: Slice) -> None:
            assert TURNS._beside == 0
            await super().handle(slice_)

    desk = Waiting({})
    await handle_with_care(desk, slice_of(2), desk.finished)
    assert (desk.handled, desk.frontier) == ([0, 1], 2)
