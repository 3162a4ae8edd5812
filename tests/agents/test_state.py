"""What a handler notes beside its state: whose fault it is when a process ends."""

import pytest
from aiokafka import TopicPartition

from agents.router.agent import Router
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.process.runtime import Runtime
from pipeline.processing.parts import Trust
from pipeline.processing.slices import Slice, cut
from pipeline.producing.memory_log import MemoryLog
from pipeline.settings import Settings
from policy.catalogue.catalogue import parse
from schemas.topics import EVENTS
from tables.storage.memory_store import MemoryStore
from tests.agents.lane import record
from tests.agents.shifted_clock import ShiftedClock


def slice_of(records: int) -> Slice:
    (found,) = cut(
        TopicPartition(EVENTS.name, 0), 0, 0, [record(EVENTS, at) for at in range(records)]
    )
    return found


def process(store: MemoryStore) -> Router:
    """A router over the same state as those before it."""
    clock = ShiftedClock()
    return Router(FixedCatalogue(parse({})), Runtime(Settings(), MemoryLog(clock), clock), store)


@pytest.mark.parametrize("is_acquitted", [False, True])
async def test_a_slice_at_which_two_processes_ended_is_taken_record_by_record(
    is_acquitted: bool,
) -> None:
    """Unless the last of them said that it was not the slice's fault."""
    store = MemoryStore()
    for _ in range(2):
        last = process(store)
        assert await last.trust(slice_of(3)) is Trust.WHOLE
    if is_acquitted:
        await last.acquit(slice_of(3))
    expected = Trust.WHOLE if is_acquitted else Trust.ALONE
    assert await process(store).trust(slice_of(3)) is expected


@pytest.mark.parametrize("is_acquitted", [False, True])
async def test_a_record_with_which_two_ended_alone_is_not_taken(is_acquitted: bool) -> None:
    store = MemoryStore()
    for _ in range(2):
        await process(store).note_alone(slice_of(1))
    if is_acquitted:
        await process(store).acquit(slice_of(1))
    expected = Trust.WHOLE if is_acquitted else Trust.NONE
    assert await process(store).trust(slice_of(1)) is expected
