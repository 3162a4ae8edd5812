"""Whether ClickHouse is as we need it: reached, its schema, what we may do, and its clock."""

import time
from collections.abc import AsyncIterator

from agents.check.findings import Finding, State
from agents.check.kafka import clock_finding
from analytics.clickhouse import ClickHouse
from analytics.migration import NewerSchema, migrate
from pipeline.settings import Settings
from schemas.errors import Misconfigured, Unavailable

_ADD = "INSERT INTO delivery_events SELECT * FROM delivery_events LIMIT 0"


async def check_clickhouse(settings: Settings) -> AsyncIterator[Finding]:
    """Look at everything; changes nothing."""
    clickhouse = ClickHouse(settings)
    where = f"{settings.clickhouse_host}:{settings.clickhouse_port}"
    try:
        ((version,),) = await clickhouse.query("SELECT version()")
        yield Finding("ClickHouse", State.OK, f"{where} lets us in; version {version}")
        schema = await _schema(settings, clickhouse)
        yield schema
        if schema.state is not State.FAILED:
            yield await _insert(clickhouse)
        yield await _clock(clickhouse)
    except (Unavailable, Misconfigured) as error:
        todo = "set TOCSIN_CLICKHOUSE_… to how it is reached"
        yield Finding("ClickHouse", State.FAILED, str(error), todo)
    finally:
        await clickhouse.close()


async def _schema(settings: Settings, clickhouse: ClickHouse) -> Finding:
    name = "ClickHouse's tables"
    try:
        lacking = await migrate(clickhouse, settings.clickhouse_cluster, dry_run=True)
    except NewerSchema as error:
        # As in every upgrade, between its `tocsin setup` and its last worker.
        return Finding(name, State.WARNING, str(error), "nothing, while an upgrade is under way")
    except Misconfigured as error:
        return Finding(name, State.FAILED, str(error), "use the version that set it up")
    if lacking:
        said = f"of {len(lacking)} that are missing, the first is {lacking[0]}"
        return Finding(name, State.FAILED, said, "run `tocsin setup`")
    return Finding(name, State.OK, "all migrations are there")


async def _insert(clickhouse: ClickHouse) -> Finding:
    name = "ClickHouse's grants"
    try:
        await clickhouse.command(_ADD)
    except Unavailable as error:
        todo = "GRANT SELECT, INSERT, ALTER DELETE on the database to TOCSIN_CLICKHOUSE_USER"
        return Finding(name, State.FAILED, str(error), todo)
    return Finding(name, State.OK, "rows may be read and inserted")


async def _clock(clickhouse: ClickHouse) -> Finding:
    before = time.time()
    ((theirs,),) = await clickhouse.query("SELECT toUnixTimestamp64Milli(now64(3))")
    return clock_finding("ClickHouse's clock", int(theirs), before, time.time())
