"""The analytics role: delivery events are in ClickHouse before the offset moves, once each."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiokafka import ConsumerRecord
from msgspec.structs import replace

from agents.analytics import AUDIT_COLUMNS, analytics, audit_row
from analytics.clickhouse import ClickHouse
from analytics.migration import migrate
from embedded.clickhouse import ClickHouse as Server
from embedded.process import free_port
from pipeline.processing.role import Role
from pipeline.records.made_record import make_record
from policy.delivery_events import reached
from schemas.audit import Audit
from schemas.delivery_event import DeliveryEvent
from schemas.encoding import encode
from schemas.errors import Abandoned, Misconfigured
from schemas.topics import AUDIT, DELIVERY_EVENTS
from schemas.vocabulary import Reason
from schemas.vocabulary import Stage as Step
from tests.agents.relay import relayed
from tests.agents.samples import delivery
from tests.agents.stage import Stage
from tests.patience import ended, until

DATABASE = "analytics_test"
DAY = 86_400_000


def at(stage: Stage, server: Server, **fields: Any) -> ClickHouse:
    """A client of ours; `fields` are settings that differ."""
    reach = {
        "clickhouse_host": server.host,
        "clickhouse_port": server.port,
        "clickhouse_database": DATABASE,
    }
    return ClickHouse(stage.settings.model_copy(update={**reach, **fields}))


@pytest.fixture
async def database(stage: Stage, clickhouse: Server) -> AsyncIterator[ClickHouse]:
    """Our tables in a database of these tests."""
    default = at(stage, clickhouse, clickhouse_database="default")
    await default.command(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
    await default.close()
    database = at(stage, clickhouse)
    await migrate(database)
    yield database
    await database.close()


async def work(stage: Stage, role: Role, *events: DeliveryEvent) -> None:
    """Put events into the topic and let the role work on what is there."""
    await stage.say(DELIVERY_EVENTS, *events, key=None, partition=0)
    await stage.work(role)


def journey(stage: Stage) -> list[DeliveryEvent]:
    """One delivery, queued and then sent after a retry."""
    said = delivery(stage.clock)
    now = stage.clock.now()
    return [
        reached(said, Step.QUEUED, now + 10),
        reached(said, Step.RETRYING, now + 20, reason=Reason.TIMEOUT, provider="fcm"),
        reached(said, Step.SENT, now + 30, provider="fcm", detail="name/1"),
    ]


async def rows_of(database: ClickHouse, event: DeliveryEvent) -> list[Any]:
    """The rows of an event's notification, as they read after all merges."""
    query = (
        "SELECT stage, reason, provider, detail, toUnixTimestamp64Milli(at)"
        " FROM delivery_events FINAL WHERE notification_id = {n:String} ORDER BY at"
    )
    return await database.query(query, {"n": event.notification_id})


async def state_of(database: ClickHouse, event: DeliveryEvent) -> list[Any]:
    """The notification's state by channel."""
    query = (
        "SELECT channel, min(user), toUnixTimestamp64Milli(min(queued)),"
        " toUnixTimestamp64Milli(min(sent)), min(failed)"
        " FROM notification_state WHERE notification_id = {n:String} GROUP BY channel"
    )
    return await database.query(query, {"n": event.notification_id})


async def test_events_read_twice_change_no_figure(stage: Stage, database: ClickHouse) -> None:
    role, events = analytics(database, stage.runtime), journey(stage)
    await work(stage, role, *events)
    rows, state = await rows_of(database, events[0]), await state_of(database, events[0])
    assert rows == [(e.stage, e.reason, e.provider, e.detail, e.at) for e in events]
    assert state == [("push", events[0].user, events[0].at, events[2].at, None)]
    stage.again(DELIVERY_EVENTS)
    await work(stage, role, *reversed(events))
    assert await rows_of(database, events[0]) == rows
    assert await state_of(database, events[0]) == state


async def test_a_bad_record_is_a_dead_letter_and_the_rest_is_inserted(
    stage: Stage, database: ClickHouse
) -> None:
    await stage.say(DELIVERY_EVENTS, b"{}", key=None, partition=0)
    events = journey(stage)
    await work(stage, analytics(database, stage.runtime), *events)
    (letter,) = await stage.letters()
    assert (letter.role, letter.reason) == ("analytics", Reason.INVALID)
    assert len(await rows_of(database, events[0])) == 3


async def test_what_an_sms_took_and_cost_can_be_asked(stage: Stage, database: ClickHouse) -> None:
    said = delivery(stage.clock)
    event = reached(said, Step.SENT, stage.clock.now(), provider="sns", segments=3, cost=0.225)
    await work(stage, analytics(database, stage.runtime), event)
    query = "SELECT segments, cost FROM delivery_events FINAL WHERE delivery_id = {d:String}"
    assert await database.query(query, {"d": said.delivery_id}) == [(3, 0.225)]


@pytest.mark.parametrize("bad", [b"{}", b"not json", b"\xff", b""])
async def test_a_bad_line_costs_no_other_line(
    stage: Stage, database: ClickHouse, bad: bytes
) -> None:
    events = journey(stage)
    lines = [encode(event) for event in events]
    record = b"\n".join([lines[0], bad, *lines[1:]])
    await stage.say(DELIVERY_EVENTS, record, key=None, partition=0)
    await work(stage, analytics(database, stage.runtime))
    letters = await stage.letters()
    # An empty line is no value at all.
    assert [letter.value for letter in letters] == ([record] if bad else [])
    assert len(await rows_of(database, events[0])) == 3


async def test_the_events_of_a_slice_share_a_record(stage: Stage, database: ClickHouse) -> None:
    outputs, events = stage.runtime.outputs(), journey(stage)
    for event in events * 400:
        outputs.add(DELIVERY_EVENTS, 1, None, encode(event))
    await outputs.flush()
    records = await stage.raw(DELIVERY_EVENTS)
    assert 1 < len(records) < 5
    assert len(await stage.told()) == 1200
    await work(stage, analytics(database, stage.runtime))
    assert len(await rows_of(database, events[0])) == 3


@pytest.mark.parametrize(
    "occurred_at",
    [-62_135_683_140_000, -62_135_596_800_000, 0, 253_402_300_799_000, 253_402_387_140_000],
    ids=["before the year 1", "year 1", "1970", "year 9999", "after the year 9999"],
)
async def test_a_producer_whose_clock_is_mad_stops_nobody(
    stage: Stage, database: ClickHouse, occurred_at: int
) -> None:
    mad = replace_time(journey(stage)[0], occurred_at)
    events = journey(stage)
    await work(stage, analytics(database, stage.runtime), mad, *events)
    assert len(await rows_of(database, events[0])) == 3


async def test_events_of_a_hundred_and_more_months_are_all_inserted(
    stage: Stage, database: ClickHouse
) -> None:
    """A partition is a month, and ClickHouse refuses an insert into more than 100 by default."""
    now = stage.clock.now()
    events = journey(stage)
    ahead = [replace_time(journey(stage)[0], now + months * 31 * DAY) for months in range(110)]
    await work(stage, analytics(database, stage.runtime), *events, *ahead)
    assert len(await rows_of(database, events[0])) == 3


def replace_time(event: DeliveryEvent, occurred_at: int) -> DeliveryEvent:
    """The event, of something that occurred at another time."""
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return DeliveryEvent(**{**fields, "occurred_at": occurred_at})


async def test_clickhouse_away_is_waited_for_and_a_close_leaves_the_slice(
    stage: Stage, clickhouse: Server, caplog: pytest.LogCaptureFixture
) -> None:
    away = at(stage, clickhouse, clickhouse_port=free_port())
    events = journey(stage)
    working = asyncio.create_task(work(stage, analytics(away, stage.runtime), *events))
    await until(lambda: "Trying again in 1 s" in caplog.text)
    assert not working.done()
    stage.closing.set()
    with pytest.raises(Abandoned):
        await ended(working)
    await away.close()
    assert not stage.done


async def test_it_goes_on_by_itself_when_clickhouse_is_back(
    stage: Stage, clickhouse: Server, database: ClickHouse, caplog: pytest.LogCaptureFixture
) -> None:
    """The port answers only later, as after a restart."""
    port = free_port()
    back_soon = at(stage, clickhouse, clickhouse_port=port)
    events = journey(stage)
    working = asyncio.create_task(work(stage, analytics(back_soon, stage.runtime), *events))
    await until(lambda: "Trying again" in caplog.text)
    async with relayed(port, clickhouse.port):
        await ended(working)
        await back_soon.close()
    assert len(await rows_of(database, events[0])) == 3


async def test_a_schema_that_is_too_old_is_refused_and_clickhouse_away_is_not(
    stage: Stage, clickhouse: Server, database: ClickHouse
) -> None:
    """Before anything is read: rows wait in Kafka until `tocsin setup` was run."""
    role = analytics(database, stage.runtime)
    assert role.check is not None
    await role.check()
    newest = "(SELECT max(number) FROM migrations)"
    await database.command(f"DELETE FROM migrations WHERE number = {newest}")
    with pytest.raises(Misconfigured, match="Run `tocsin setup`"):
        await role.check()
    await migrate(database)
    away = analytics(at(stage, clickhouse, clickhouse_port=free_port()), stage.runtime)
    assert away.check is not None
    await away.check()


async def test_a_full_disk_is_waited_for_and_no_row_is_lost(
    stage: Stage, clickhouse: Server, database: ClickHouse, caplog: pytest.LogCaptureFixture
) -> None:
    """ClickHouse answers, but refuses to write."""
    full = True
    behind = f"http://{clickhouse.host}:{clickhouse.port}"

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        if full and b"INSERT" in body + request.query_string.encode():
            said = "Code: 243. DB::Exception: Cannot reserve 1.00 MiB, not enough space."
            code = {"X-ClickHouse-Exception-Code": "243"}
            return web.Response(status=500, text=said, headers=code)
        sent = {k: v for k, v in request.headers.items() if k.startswith("Content-E")}
        async with aiohttp.request(
            request.method, f"{behind}{request.rel_url}", data=body, headers=sent
        ) as passed:
            kept = {k: v for k, v in passed.headers.items() if k.startswith("X-ClickHouse")}
            return web.Response(status=passed.status, body=await passed.read(), headers=kept)

    app = web.Application(client_max_size=1 << 26)
    app.router.add_route("*", "/", answer)
    runner = web.AppRunner(app, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    small = at(stage, clickhouse, clickhouse_port=runner.addresses[0][1])
    events = journey(stage)
    working = asyncio.create_task(work(stage, analytics(small, stage.runtime), *events))
    await until(lambda: "not enough space" in caplog.text)
    assert not working.done()
    full = False
    await ended(working)
    await small.close()
    await runner.cleanup()
    assert len(await rows_of(database, events[0])) == 3


async def test_what_is_on_record_is_in_the_trail_once(stage: Stage, database: ClickHouse) -> None:
    done = Audit(
        at=1_796_000_000_250,
        who="support",
        deed="erased",
        route="DELETE /v1/users/{user}",
        tenant="trail",
        user_hash="0" * 64,
    )
    await stage.say(AUDIT, done, replace(done, deed="exported"), key=None, partition=0)
    await stage.work(analytics(database, stage.runtime))
    ((source,),) = await database.query(
        "SELECT source FROM audit WHERE tenant = 'trail' AND deed = 'erased'"
    )
    offset = int(source.partition(":")[2])  # others have written there before
    record = make_record(ConsumerRecord, AUDIT.name, 0, offset, 1, None, encode(done))
    await database.insert_rows("audit", AUDIT_COLUMNS, [audit_row(record, done)] * 2)
    found = await database.query(
        "SELECT toUnixTimestamp64Milli(at), who, deed, route, user_hash FROM audit_trail"
        " WHERE tenant = 'trail' ORDER BY deed"
    )
    assert [(row[0], row[2]) for row in found] == [
        (1_796_000_000_250, "erased"),
        (1_796_000_000_250, "exported"),
    ]
    assert found[0][1::2] == ("support", "DELETE /v1/users/{user}")
