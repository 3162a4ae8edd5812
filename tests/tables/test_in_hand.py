"""What is in hand: noted before it is told, found after a crash, gone with what came of it."""

import pytest

from pipeline.errors import Unavailable
from pipeline.outputs import Outputs
from pipeline.topics import Topic
from tables.in_hand import IN_HAND, NOTE, InHand, find_in_hand
from tables.timers import Horizon
from tables.turn import Turn
from tests.tables.ground import COUNTS, TOPIC, Ground

OUT = Topic(name=TOPIC.name, key="", written_by="", read_by="")
WORK = InHand(7, timers=Horizon(5, 3))


def turn_on(ground: Ground, store: object, outputs: dict[bytes, bytes]) -> Turn:
    turn = Turn(None, store, Outputs(ground.producer), WORK)  # type: ignore[arg-type]
    turn.view(COUNTS).put(b"x", 7)
    for key, value in outputs.items():
        turn.outputs.add(OUT, ground.partition, key, value)
    return turn


async def test_it_is_noted_then_told_then_stored(ground: Ground) -> None:
    ground.tables = (COUNTS, IN_HAND)
    async with ground.open() as store:
        await turn_on(ground, store, {b"cy": COUNTS.encode(1)}).finish()
        assert find_in_hand(store) is None
    log = await ground.log()
    assert [key for key, _ in log[:2]] == [NOTE, b"cy"]
    assert sorted(key or b"" for key, _ in log[2:]) == [b"cx", NOTE]
    assert [value for key, value in log if key == NOTE] == [IN_HAND.encode(WORK), None]


@pytest.mark.parametrize("batches", [0, 1, 2, 3])
async def test_wherever_it_is_killed_the_next_finds_it_until_all_is_stored(
    ground: Ground, batches: int
) -> None:
    ground.tables = (COUNTS, IN_HAND)
    async with ground.open() as store:
        ground.producer.dies_after = batches
        turn = turn_on(ground, store, {b"cy": COUNTS.encode(1)})
        if batches < 3:
            with pytest.raises(Unavailable):
                await turn.finish()
        else:
            await turn.finish()
    ground.producer.dies_after = None
    async with ground.open("anew") as store:
        assert find_in_hand(store) == (WORK if batches in (1, 2) else None)
        assert bool(store.get_many([b"cx"])[0]) == (batches == 3)
    assert [key for key, _ in await ground.log()].count(b"cy") == (batches >= 2)


async def test_what_tells_nothing_need_not_be_noted_but_takes_a_note_away(ground: Ground) -> None:
    ground.tables = (COUNTS, IN_HAND)
    async with ground.open() as store:
        await turn_on(ground, store, {}).finish()
        assert [key for key, _ in await ground.log()] == [b"cx"]
        await store.write({NOTE: IN_HAND.encode(WORK)})
        await turn_on(ground, store, {}).finish()
        assert find_in_hand(store) is None
