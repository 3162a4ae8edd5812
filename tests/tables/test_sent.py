"""The sent-ledger: on return of a mark, every replay will know."""

import asyncio
from dataclasses import replace

import pytest

from pipeline.errors import Unavailable
from tables.sent import KEPT_SECONDS, SENT, SentLedger, SentMark
from tests.tables.ground import Ground

MARK = SentMark(at=1_700_000_000_000, provider="fcm", reference="name/1", attempt=0)


@pytest.fixture
def ground(ground: Ground) -> Ground:
    return replace(ground, tables=(SENT,))


def delivery_id(number: int) -> str:
    return f"{number:032x}"


async def test_many_marks_at_once_share_writes_and_all_are_durable_on_return(
    ground: Ground,
) -> None:
    names = [delivery_id(number) for number in range(1500)]
    async with ground.open(keep_seconds=KEPT_SECONDS) as store:
        ledger = SentLedger(store)
        await asyncio.gather(*(ledger.mark(name, MARK) for name in names))
        assert ledger.find([*names, delivery_id(9999)]) == dict.fromkeys(names, MARK)
    assert ground.producer.batches <= 4
    async with ground.open("anew", keep_seconds=KEPT_SECONDS) as store:
        assert SentLedger(store).find(names) == dict.fromkeys(names, MARK)


async def test_a_mark_waits_for_others_only_for_a_moment(ground: Ground) -> None:
    async with ground.open() as store, asyncio.timeout(2):
        await SentLedger(store).mark(delivery_id(1), MARK)


async def test_a_mark_that_can_not_be_written_is_an_error_to_who_asked(ground: Ground) -> None:
    async with ground.open() as store:
        ledger = SentLedger(store)
        ground.producer.dies_after = 0
        results = await asyncio.gather(
            *(ledger.mark(delivery_id(n), MARK) for n in range(3)), return_exceptions=True
        )
        assert [type(result) for result in results] == [Unavailable] * 3
        assert ledger.find([delivery_id(0)]) == {}
