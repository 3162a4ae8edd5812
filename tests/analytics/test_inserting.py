"""What an insert leaves behind in the process that made it."""

import gc
import tracemalloc

import msgspec

from analytics.clickhouse import ClickHouse
from analytics.timeline import timeline
from bench.analytics.synthetic_events import happenings
from schemas.delivery_event import DeliveryEvent

ROWS = 5000


async def test_rows_that_are_in_are_kept_by_nobody(database: ClickHouse) -> None:
    """Not even until the garbage collector comes, which it seldom does in a worker."""
    written = list(map(msgspec.json.encode, happenings(ROWS)))
    await database.insert(_read(written))
    tracemalloc.start()
    gc.disable()
    try:
        rows = _read(written)
        before, _ = tracemalloc.get_traced_memory()
        await database.insert(rows)
        del rows
        after, _ = tracemalloc.get_traced_memory()
    finally:
        gc.enable()
        tracemalloc.stop()
    assert after < before / 4, f"{after:,} bytes are left of {before:,}"


def _read(written: list[bytes]) -> list[DeliveryEvent]:
    return list(map(msgspec.json.Decoder(DeliveryEvent).decode, written))


async def test_the_trace_of_a_happening_is_found_by_its_notification(database: ClickHouse) -> None:
    rows = _read(list(map(msgspec.json.encode, happenings(2))))
    traced = msgspec.structs.replace(rows[0], trace="4bf92f3577b34da6a3ce929d0e0e4736")
    await database.insert([traced])
    (told,) = await timeline(database, traced.tenant, traced.notification_id)
    assert told.trace == traced.trace
