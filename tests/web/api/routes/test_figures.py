"""What figures and results are of, as ClickHouse is asked; without a house."""

from typing import Any

import pytest

from analytics.panels import PANELS
from tests.web.api.client import Client

NONE = {"type": "", "channel": "", "priority": "", "tenant": "acme"}
DAY = {"from": "2025-07-19 08:27:00.000", "to": "2025-07-20 08:27:00.000", "step": 3600}
"""The last day, to the end of this minute."""


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", {**NONE, **DAY}),
        (
            "?from=2025-07-20T07:26:40Z",
            {**NONE, "from": "2025-07-20 07:26:40.000", "to": DAY["to"], "step": 60},
        ),
        (
            "?to=2025-07-10T02:00:00%2B02:00",
            {
                **NONE, "step": 3600,
                "from": "2025-07-09 00:00:00.000", "to": "2025-07-10 00:00:00.000",
            },
        ),
        # Minutes are kept for two weeks.
        (
            "?from=2025-07-06T08:26:40Z&to=2025-07-06T09:26:40Z",
            {
                **NONE, "step": 60,
                "from": "2025-07-06 08:26:40.000", "to": "2025-07-06 09:26:40.000",
            },
        ),
        (
            "?from=2025-07-06T08:26:39Z&to=2025-07-06T09:26:40Z",
            {
                **NONE, "step": 3600,
                "from": "2025-07-06 08:26:39.000", "to": "2025-07-06 09:26:40.000",
            },
        ),
        (
            "?type=comment_added&channel=push&priority=bulk",
            {
                **NONE, **DAY,
                "type": "comment_added", "channel": "push", "priority": "bulk",
            },
        ),
        # 400 days: 120 points of 80 hours.
        (
            "?from=2024-06-15T08:26:40Z",
            {**NONE, "from": "2024-06-15 08:26:40.000", "to": DAY["to"], "step": 288_000},
        ),
    ],
)  # fmt: skip
async def test_what_figures_are_of(client: Client, query: str, asked: dict[str, Any]) -> None:
    client.clickhouse.rows = [(1, "x"), (2, None)]
    found = await client.get(f"/figures/funnel{query}")
    assert found == {"columns": ["a", "b"], "rows": [[1, "x"], [2, None]], "step": asked["step"]}
    kept = {"kept": "2025-07-06 08:26:40.000"}
    assert client.clickhouse.asked == [{**asked, **kept}]
    (panel,) = (each for each in PANELS if each.name == "funnel")
    assert client.clickhouse.sql == panel.sql


@pytest.mark.parametrize("name", [each.name for each in PANELS])
async def test_each_panel_has_its_question(client: Client, name: str) -> None:
    await client.get(f"/figures/{name}")
    (panel,) = (each for each in PANELS if each.name == name)
    assert client.clickhouse.sql == panel.sql


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=2025-07-20T08:26:40Z", "to must be after from"),
        ("from=2025-07-20T08:26:41Z", "to must be after from"),
        ("from=2024-06-15T08:26:39Z", "by 400 days at most"),
        ("from=1970-12-31T00:00:00Z&to=1971-01-02T00:00:00Z", "to must be after from"),
        ("from=2100-01-01T00:00:00Z&to=2100-01-02T00:00:00Z", "to must be after from"),
        ("to=0001-01-01T12:00:00Z", "In the query"),
        ("from=0001-01-01T00:00:00%2B12:00", "In the query"),
        ("from=2025-07-20", "In the query"),
        ("from=2025-07-20T07:26:40", "In the query"),
        ("channel=pigeon", "In the query, channel: Invalid enum value 'pigeon': it is one of p"),
        ("channel=pusch", "(did you mean push?)"),
    ],
)
async def test_spans_that_can_not_be(client: Client, query: str, said: str) -> None:
    status, body = await client.call("GET", f"/figures/volume?{query}")
    assert status == 400
    assert said in body["detail"]
    assert client.clickhouse.asked == []


@pytest.mark.parametrize(
    "query",
    [
        "from=1971-01-01T00:00:00Z&to=1971-01-02T00:00:00Z",
        "from=2099-12-31T00:00:00Z&to=2100-01-01T00:00:00Z",
    ],
)
async def test_spans_at_the_ends_of_what_can_be(client: Client, query: str) -> None:
    await client.get(f"/figures/volume?{query}")


@pytest.mark.parametrize(
    ("query", "days", "metric"),
    [
        ("", ("1970-01-01", "2149-06-06"), "opened"),
        ("?metric=clicked&from=2025-01-01", ("2025-01-01", "2149-06-06"), "clicked"),
        ("?from=2025-01-02&to=2025-01-02", ("2025-01-02", "2025-01-02"), "opened"),
    ],
)
async def test_results_of_experiments(
    client: Client, query: str, days: tuple[str, str], metric: str
) -> None:
    client.clickhouse.rows = [("titles", "short", 40, 50, 20, 18.0, 17.0)]
    found = await client.get(f"/experiments/order_shipped{query}")
    asked = {"tenant": "acme", "type": "order_shipped", "from": days[0], "to": days[1]}
    assert client.clickhouse.asked == [asked]
    assert f"sum({metric}) AS successes" in client.clickhouse.sql
    (titles,) = [each for each in found if each["experiment"] == "titles"]
    (variant,) = titles["variants"]
    assert titles["metric"] == metric
    assert [variant[name] for name in ("variant", "users", "sent", "successes", "rate")] == [
        "short", 40, 50, 20, 0.45,
    ]  # fmt: skip


async def test_what_telling_brings(client: Client) -> None:
    client.clickhouse.rows = [("holdout.q1", "told", 40, 20), ("holdout.q1", "held_out", 10, 1)]
    (found,) = await client.get("/experiments/order_shipped?metric=goal&to=2025-01-02")
    days = {"from": "1970-01-01", "to": "2025-01-02"}
    assert client.clickhouse.asked == [{"tenant": "acme", "type": "order_shipped", **days}]
    assert "goal_results" in client.clickhouse.sql
    shown = [(each["variant"], each["users"], each["rate"]) for each in found["variants"]]
    assert shown == [("held_out", 10, 0.1), ("told", 40, 0.5)]
    assert [each["against"] for each in found["compared"]] == ["held_out"]


async def test_results_of_no_days(client: Client) -> None:
    status, body = await client.call("GET", "/experiments/x?from=2025-01-02&to=2025-01-01")
    assert (status, body["detail"]) == (400, "to must not be before from.")
    assert client.clickhouse.asked == []
