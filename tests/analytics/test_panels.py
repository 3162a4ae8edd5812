"""Each panel of the dashboards, on our page and in Grafana, with figures counted by hand."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from analytics.analyst import LIMITS
from analytics.clickhouse import ClickHouse
from analytics.grafana import TENANTS, TYPES, account, panels_of, text
from analytics.migration import migrate
from analytics.panels import PANELS as ALL
from analytics.panels import Span, figures
from embedded.clickhouse import ClickHouse as Server
from schemas.vocabulary import Channel, Priority
from tests.analytics.database import connected, created
from tests.analytics.interpolation import expanded, interpolated
from tests.analytics.story import NOON, STORY, TENANT, sent

MOMENT = datetime.fromtimestamp(NOON / 1000, UTC)
HOUR = Span(TENANT, MOMENT, MOMENT + timedelta(hours=1))
DAY = Span(TENANT, MOMENT - timedelta(hours=12), MOMENT + timedelta(hours=12))
PANELS = [panel for panel in ALL if not panel.on_request]
DASHBOARD = Path(__file__).parents[2] / "grafana" / "dashboards" / "tocsin.json"

FOUND: dict[str, list[list[Any]]] = {
    # Of j it is known that it was sent, so it was queued.
    "funnel": [["queued", 8], ["sent", 6], ["delivered", 1], ["opened", 1], ["clicked", 1]],
    "told": [["told", 6], ["decided against", 2], ["given up", 1], ["on its way", 1]],
    "volume": [[MOMENT, "push", 4], [MOMENT, "sms", 2]],
    "why_not": [["opted_out", "suppressed", 2], ["unregistered", "failed", 1]],
    # 100, 7,000, 400 and 500 ms; h was held, and of c the clocks disagree.
    "latency": [[MOMENT, "high", 500, 7000, 5000]],
    "providers": [
        ["push", "fcm", 4, 1, 1, 0, 0, 0.3333],
        ["sms", "twilio", 2, 0, 0, 1, 0, 0],
    ],
    # Of six, two are texts, which can't be opened.
    "types": [["order_shipped", 6, 2, 1, 1, 0, 4, 1, 0.25]],
    "texts": [["order_shipped", "twilio", 2, 3, 0.225]],
    "tenants": [["acme", 6, 2, 1, 0], ["globex", 1, 0, 0, 0]],
}


@asynccontextmanager
async def filled(server: Server) -> AsyncIterator[str]:
    """A database in which it all happened; its name."""
    async with created(server) as name:
        async with connected(server, name) as client:
            await migrate(client)
            await client.insert([*STORY, *STORY[:5], *sent("z", 100, tenant="globex")])
        yield name


@pytest.fixture(scope="module")
async def complete(clickhouse: Server) -> AsyncIterator[str]:
    """The name of a database that is only asked."""
    async with filled(clickhouse) as name:
        yield name


@pytest.fixture(scope="module")
async def without_minutes(clickhouse: Server) -> AsyncIterator[str]:
    """And of one whose minutes are gone."""
    async with filled(clickhouse) as name:
        async with connected(clickhouse, name) as client:
            await client.command("TRUNCATE TABLE by_minute")
        yield name


@pytest.fixture
async def told(clickhouse: Server, complete: str) -> AsyncIterator[ClickHouse]:
    async with connected(clickhouse, complete) as client:
        yield client


@pytest.fixture
async def told_long_ago(clickhouse: Server, without_minutes: str) -> AsyncIterator[ClickHouse]:
    async with connected(clickhouse, without_minutes) as client:
        yield client


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.name)
@pytest.mark.parametrize("span", [HOUR, DAY], ids=["by the minute", "by the hour"])
async def test_a_panel(told: ClickHouse, panel: Any, span: Span) -> None:
    assert (await figures(told, panel, span)).rows == FOUND[panel.name]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.name)
async def test_an_hour_of_which_minutes_are_kept_no_longer(
    told_long_ago: ClickHouse, panel: Any
) -> None:
    long_ago = replace(HOUR, minutes_from=HOUR.start + timedelta(seconds=1))
    assert (await figures(told_long_ago, panel, long_ago)).rows == FOUND[panel.name]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.name)
async def test_what_the_filters_leave(told: ClickHouse, panel: Any) -> None:
    for other in (
        replace(HOUR, type="other"),
        replace(HOUR, channel=Channel.CHAT),
        replace(HOUR, priority=Priority.LOW),
        replace(HOUR, start=HOUR.end, end=HOUR.end + timedelta(hours=1)),
    ):
        assert (await figures(told, panel, other)).rows == []
    both = replace(HOUR, type="order_shipped", channel=Channel.SMS, priority=Priority.HIGH)
    assert len((await figures(told, panel, both)).rows) == (
        2 if panel.name == "funnel" else 1 if panel.name != "why_not" else 0
    )


def test_a_line_has_some_hundred_points() -> None:
    for days in (0.01, 0.5, 1, 7, 90, 400):
        span = replace(DAY, start=DAY.end - timedelta(days=days))
        points = days * 86_400 / span.step
        assert points <= 1.5 * 120
        assert span.step % (60 if days <= 0.5 else 3600) == 0


def test_grafanas_file_is_made_from_the_same_panels() -> None:
    assert DASHBOARD.read_text() == text(), "python -m analytics.grafana > that file"


RECORDED = json.loads(Path(__file__).with_name("interpolated.json").read_text())


@pytest.mark.parametrize("case", RECORDED["cases"], ids=["all", "one", "two"])
def test_variables_are_put_in_as_grafana_does(case: dict[str, Any]) -> None:
    for text_, expected in case["interpolated"].items():
        found = interpolated(text_, RECORDED["variables"], case["values"], case["options"])
        assert found == expected


def test_all_of_a_variable_is_no_list_in_quotes_within_quotes() -> None:
    """As it was: a syntax error in each panel."""
    every = RECORDED["cases"][0]["interpolated"]
    assert every["a = '${listed}'"] == "a = ''type_0','type_1''"


@pytest.mark.parametrize(
    "chosen",
    [{}, {"type": ["order_shipped", "o'clock"], "channel": ["push", "sms"], "priority": ["high"]}],
    ids=["all", "some"],
)
@pytest.mark.parametrize("hours", [1, 24])
async def test_grafana_finds_the_same(told: ClickHouse, chosen: dict[str, Any], hours: int) -> None:
    """Every query of the file, as it is out of the box and narrowed, by the analyst's limits."""
    made = json.loads(DASHBOARD.read_text())
    variables = made["templating"]["list"]
    # Within the first and the last minute: Grafana's times are not those of whole minutes.
    start, end = NOON // 1000, NOON // 1000 + hours * 3600
    assert [drawn["title"] for drawn in panels_of(made)] == [panel.title for panel in ALL]
    for panel, drawn in zip(PANELS, panels_of(made), strict=False):
        sql = drawn["targets"][0]["rawSql"]
        sql = interpolated(sql, variables, {"tenant": TENANT, **chosen}, ["order_shipped"])
        sql = expanded(sql, start + 7, end - 53, 60)
        assert "$" not in sql
        rows = (await told.ask(sql, None, {"readonly": 2, **LIMITS}))[1]
        assert [list(row) for row in rows] == FOUND[panel.name], panel.name


async def test_grafanas_variables(told: ClickHouse) -> None:
    variables = json.loads(DASHBOARD.read_text())["templating"]["list"]
    assert await told.query(TENANTS) == [("acme",), ("globex",)]
    types = interpolated(TYPES, variables, {"tenant": TENANT})
    assert await told.query(types) == [("order_shipped",)]


def test_grafana_reads_with_an_account_that_changes_nothing() -> None:
    folder = DASHBOARD.parents[1]
    source = (folder / "provisioning" / "datasources" / "clickhouse.yaml").read_text()
    assert "username: grafana\n" in source
    assert "password: $TOCSIN_GRAFANA_PASSWORD" in source
    assert (folder / "clickhouse" / "grafana.xml").read_text() == account()
