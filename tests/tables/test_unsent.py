"""What the clock set off: stored with the state before it is sent, and sent until it is there."""

import pytest

from pipeline.errors import Unavailable
from pipeline.outputs import Outputs
from pipeline.topics import Topic
from tables.turn import Turn
from tables.unsent import ROW_BYTES, UNSENT, rows_of, send_unsent
from tests.tables.ground import COUNTS, TOPIC, Ground

OUT = Topic(name=TOPIC.name, key="", written_by="", read_by="")
ALSO = (COUNTS, UNSENT)


def turn_on(ground: Ground, store: object, outputs: dict[bytes, bytes]) -> Turn:
    turn = Turn(None, store, Outputs(ground.producer))  # type: ignore[arg-type]
    turn.view(COUNTS).put(b"x", 7)
    for key, value in outputs.items():
        turn.outputs.add(OUT, ground.partition, key, value)
    return turn


async def test_it_is_stored_then_sent_then_forgotten(ground: Ground) -> None:
    ground.tables = ALSO
    async with ground.open() as store:
        await turn_on(ground, store, {b"cy": COUNTS.encode(1)}).finish_by_clock()
        assert [key for key, _ in store.scan(b"")][-1] == b"cx"
    log = await ground.log()
    keys = [key for key, _ in log]
    row = UNSENT.prefix + bytes(4)
    assert set(keys[:2]) == {b"cx", row}
    assert keys[2:] == [b"cy", row]
    assert log[3][1] is None


@pytest.mark.parametrize("batches", [0, 1, 2])
async def test_wherever_it_is_killed_it_is_sent_once_it_was_stored(
    ground: Ground, batches: int
) -> None:
    ground.tables = ALSO
    async with ground.open() as store:
        ground.producer.dies_after = batches
        with pytest.raises(Unavailable):
            await turn_on(ground, store, {b"cy": COUNTS.encode(1)}).finish_by_clock()
    ground.producer.dies_after = None
    async with ground.open("anew") as store:
        await send_unsent(store, Outputs(ground.producer))
        assert list(store.scan(UNSENT.prefix)) == []
        assert bool(store.get_many([b"cx"])[0]) == (batches > 0)
    sent = [key for key, _ in await ground.log()].count(b"cy")
    assert sent == {0: 0, 1: 1, 2: 2}[batches]


async def test_nothing_left_is_nothing_written(ground: Ground) -> None:
    async with ground.open() as store:
        await send_unsent(store, Outputs(ground.producer))
    assert await ground.log() == []


def test_rows_hold_all_in_order_and_each_fits_into_a_record() -> None:
    outputs = Outputs(None)  # type: ignore[arg-type]
    for number in range(40):
        outputs.add(OUT, number % 2, b"%d" % number, b"x" * 100_000)
    values = [UNSENT.decode(row) for row in rows_of(outputs).values()]
    assert all(sum(len(v or b"") for _, v in row.entries) <= ROW_BYTES + 100_000 for row in values)
    for partition in (0, 1):
        keys = [key for row in values if row.partition == partition for key, _ in row.entries]
        assert keys == [b"%d" % number for number in range(partition, 40, 2)]
