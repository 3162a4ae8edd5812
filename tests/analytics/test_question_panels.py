"""The panels that are asked on request, here and in Grafana, with figures counted by hand."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from analytics.analyst import LIMITS
from analytics.clickhouse import ClickHouse
from analytics.grafana import panels_of
from analytics.migration import migrate
from analytics.panels import PANELS, Panel, Span, figures
from embedded.clickhouse import ClickHouse as Server
from policy.user.opt_outs import OptOut, left
from schemas.delivery_event import DeliveryEvent
from schemas.vocabulary import Channel, Priority, Stage
from tests.analytics.database import connected, created
from tests.analytics.interpolation import expanded, interpolated
from tests.analytics.story import NOON, TENANT, happened, sent
from tests.analytics.test_panels import DASHBOARD

MOMENT = datetime.fromtimestamp(NOON / 1000, UTC)
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
HOUR = Span(TENANT, MOMENT, MOMENT + timedelta(hours=1))
DAY = Span(TENANT, MOMENT - timedelta(hours=12), MOMENT + timedelta(hours=12))
ASKED = [panel for panel in PANELS if panel.on_request]
BY_NAME = {panel.name: panel for panel in ASKED}
MAIL: dict[str, Any] = {"channel": Channel.EMAIL, "provider": "ses", "destination": "gmail"}
TEXT: dict[str, Any] = {
    "channel": Channel.SMS, "provider": "twilio", "segments": 2, "cost": 0.15,
    "destination": "DE mobile",
}  # fmt: skip


PRO: dict[str, Any] = {"attribute": "plan=pro"}


def messages(name: str, user: str, after: int = 100, **known: Any) -> list[DeliveryEvent]:
    return sent(name, after, user=user, **known)


def assigned(user: str, group: str) -> DeliveryEvent:
    """The first of a holdout that lasts a minute, at noon."""
    return happened(
        Stage.ASSIGNED, f"{user}-assigned", user=user, variant=f"2026/{group}", within=60
    )


def goal(user: str, after: int) -> DeliveryEvent:
    moment: dict[str, Any] = {
        "occurred_at": NOON + after,
        "accepted_at": NOON + after,
        "at": NOON + after,
    }
    return happened(Stage.GOAL, f"{user}-goal-{after}", user=user, **moment)


STORY = [
    # Ann is sent three mails: the first is opened after 40 s, the second clicked after 20.
    *messages("a1", "ann", **MAIL), happened(Stage.OPENED, "a1", 40_100, user="ann", **MAIL),
    *messages("a2", "ann", **MAIL), happened(Stage.DELIVERED, "a2", 200, user="ann", **MAIL),
    happened(Stage.CLICKED, "a2", 20_100, user="ann", **MAIL),
    # Twenty minutes after it was to go: of a target of five seconds.
    *messages("a3", "ann", 1_200_000, **MAIL),
    happened(Stage.BOUNCED, "a3", 1_200_500, user="ann", **MAIL),
    # She leaves the category within the hour, by the page.
    left(TENANT, "ann", OptOut("orders", Channel.EMAIL), "page", NOON + 1_800_000),
    # Bob is sent a text, and leaves all texts by STOP; Cyd a mail, and clicks it away.
    *messages("b", "bob", **TEXT, **PRO),
    happened(Stage.DELIVERED, "b", 800, user="bob", **{**TEXT, "carrier": "262-01"}),
    left(TENANT, "bob", OptOut("", Channel.SMS), "reply", NOON + 900),
    *messages("c", "cyd", **MAIL, attribute="plan="),
    happened(Stage.UNSUBSCRIBED, "c", 900, user="cyd", **{**MAIL, "provider": "links"}),
    # Dan's complaint; Eve's was of last week, beside another that both had then.
    *messages("d", "dan", **MAIL, **PRO), happened(Stage.COMPLAINED, "d", 900, user="dan", **MAIL),
    *(each for name in ("e", "f") for each in messages(
        name, "eve", 100 - 7 * DAY_MS, occurred_at=NOON - 7 * DAY_MS,
        accepted_at=NOON - 7 * DAY_MS, **MAIL)),
    # Three events in two digests, which are no messages by themselves here.
    *(happened(Stage.DIGESTED, name, 5, user="fay", digest=digest, **MAIL)
      for name, digest in (("g", "d1"), ("h", "d1"), ("i", "d2"))),
    # Two are told and one is held out; one of each comes back, the one told within its minute.
    assigned("ann", "told"), goal("ann", 30_000),
    assigned("bob", "told"),
    assigned("cyd", "held_out"), goal("cyd", DAY_MS),
    # Of another tenant, all the same.
    *messages("z", "zoe", tenant="globex", **{**TEXT, "segments": 1, "cost": 0.2}),
]  # fmt: skip

FOUND: dict[str, list[list[Any]]] = {
    "deliverability": [
        ["email", "gmail", 5, 5, 2, 1, 0, 1, 2, 0.4, 0.2, 0.2],
        ["sms", "DE mobile", 1, 1, 1, 0, 0, 0, 0, 1.0, 0.0, 0.0],
    ],
    "deliverability_by_carrier": [["DE", "262-01", "twilio", 1, 1, 1, 0, 0, 1, 0]],
    "outcomes_by_attribute": [
        ["order_shipped", "plan", "pro", 2, 0, 2, 1, 0, 0, 0],
        ["order_shipped", "plan", "(none)", 1, 0, 1, 0, 0, 0, 0],
    ],
    # Ann's page counts with the last mail that she had, twenty minutes after noon.
    "opt_outs": [
        ["order_shipped", "email", 5, 2, 1, 0.4, 0.2],
        ["order_shipped", "sms", 1, 1, 0, 1, 0],
    ],
    "opt_outs_by_means": [
        ["", "sms", "reply", 1],
        ["orders", "email", "one click", 1],
        ["orders", "email", "page", 1],
    ],
    "sends_per_user": [["1", 3, 0, 1, 1], ["3 to 5", 1, 0.6667, 0, 0]],
    "time_to_open": [["order_shipped", "email", 2, 40, 40, 40]],
    "week_over_week": [
        ["order_shipped", "email", 5, 2, 1.5],
        ["order_shipped", "sms", 1, 0, None],
    ],
    "slo_budget": [["high", 5000, 6, 1, 16.67, -15.67]],
    "digests": [["order_shipped", "email", 2, 3, 1.5]],
    "costs": [
        ["order_shipped", "sms", "twilio", 1, 2, 0.15],
        ["order_shipped", "email", "ses", 5, 0, 0],
    ],
    "tenant_costs": [["globex", "sms", 1, 1, 0.2], ["acme", "sms", 1, 2, 0.15],
                     ["acme", "email", 5, 0, 0]],
    "holdout_lift": [["order_shipped", "2026", 2, 1, 1, 0, 0.5]],
    "retention": [["order_shipped", "2026", 1, 2, 0, 1, 1, 0, 1]],
}  # fmt: skip
WITHOUT_CHANNEL = {"holdout_lift", "retention"}
OF_MAIL = {"time_to_open", "digests", "costs", "tenant_costs"}


@pytest.fixture(scope="module")
async def complete(clickhouse: Server) -> AsyncIterator[str]:
    """The name of a database in which it all happened, each told twice."""
    async with created(clickhouse) as name:
        async with connected(clickhouse, name) as client:
            await migrate(client)
            await client.insert(STORY)
            await client.insert(STORY)
        yield name


@pytest.fixture
async def told(clickhouse: Server, complete: str) -> AsyncIterator[ClickHouse]:
    async with connected(clickhouse, complete) as client:
        yield client


@pytest.mark.parametrize("panel", ASKED, ids=lambda panel: panel.name)
@pytest.mark.parametrize("span", [HOUR, DAY], ids=["an hour", "a day"])
async def test_a_question(told: ClickHouse, panel: Panel, span: Span) -> None:
    assert (await figures(told, panel, span)).rows == FOUND[panel.name]


@pytest.mark.parametrize("panel", ASKED, ids=lambda panel: panel.name)
async def test_what_the_filters_leave(told: ClickHouse, panel: Panel) -> None:
    others = [
        replace(HOUR, type="other"),
        replace(HOUR, channel=Channel.CHAT),
        replace(HOUR, priority=Priority.LOW),
        replace(HOUR, start=HOUR.end, end=HOUR.end + timedelta(hours=1)),
        replace(HOUR, start=HOUR.start - timedelta(hours=1), end=HOUR.start),
    ]
    if panel.name in WITHOUT_CHANNEL:
        del others[1:3]
    for other in others:
        assert (await figures(told, panel, other)).rows == [], other
    channel = Channel.SMS if panel.name == "deliverability_by_carrier" else Channel.EMAIL
    every = replace(HOUR, type="order_shipped", channel=channel, priority=Priority.HIGH)
    assert (await figures(told, panel, every)).rows != []
    if panel.name == "tenant_costs":
        return
    theirs = (await figures(told, panel, replace(HOUR, tenant="globex"))).rows
    assert all(row != FOUND[panel.name][0] for row in theirs)


async def test_a_time_begins_with_its_start_and_ends_before_its_end(told: ClickHouse) -> None:
    """All of it happened at noon but what was left, and what was of last week."""
    for name in FOUND.keys() - {"opt_outs_by_means"}:
        before = replace(HOUR, end=HOUR.start, start=HOUR.start - timedelta(milliseconds=1))
        first = replace(HOUR, end=HOUR.start + timedelta(milliseconds=1))
        assert (await figures(told, BY_NAME[name], before)).rows == [], name
        assert (await figures(told, BY_NAME[name], first)).rows == FOUND[name], name


async def test_who_leaves_is_counted_when_they_leave(told: ClickHouse) -> None:
    moment = MOMENT + timedelta(minutes=30)
    for start, end, count in ((0, 1, 1), (-1, 0, 0), (1, 60_000, 0)):
        span = replace(
            HOUR,
            start=moment + timedelta(milliseconds=start),
            end=moment + timedelta(milliseconds=end),
        )
        assert len((await figures(told, BY_NAME["opt_outs_by_means"], span)).rows) == count


async def test_what_is_left_by_no_message_has_no_type_and_no_priority(told: ClickHouse) -> None:
    panel = BY_NAME["opt_outs_by_means"]
    for span in (replace(HOUR, type="order_shipped"), replace(HOUR, priority=Priority.HIGH)):
        assert (await figures(told, panel, span)).rows == [["orders", "email", "one click", 1]]
    assert (await figures(told, panel, replace(HOUR, priority=Priority.NORMAL))).rows == []


async def test_a_long_time_is_compared_with_one_that_ends_before_it(told: ClickHouse) -> None:
    """Ten days that have both in them are compared with ten that end four days earlier."""
    ten = replace(HOUR, start=HOUR.end - timedelta(days=10))
    rows = (await figures(told, BY_NAME["week_over_week"], ten)).rows
    assert rows[0] == ["order_shipped", "email", 7, 0, None]


async def test_users_are_put_together_by_how_much_they_were_sent(database: ClickHouse) -> None:
    counts = (1, 1, 2, 3, 5, 6, 10, 11, 20, 21, 40)
    told = [
        happened(Stage.SENT, f"{user}-{n}", user=f"user-{user}", provider="fcm")
        for user, count in enumerate(counts)
        for n in range(count)
    ]
    await database.insert(told)
    rows = (await figures(database, BY_NAME["sends_per_user"], HOUR)).rows
    assert [row[:2] for row in rows] == [
        ["1", 2], ["2", 1], ["3 to 5", 2], ["6 to 10", 2], ["11 to 20", 2], ["over 20", 2],
    ]  # fmt: skip


@pytest.mark.parametrize("hours", [1, 24])
async def test_grafana_finds_the_same(told: ClickHouse, hours: int) -> None:
    made = json.loads(DASHBOARD.read_text())
    (row,) = (each for each in made["panels"] if each["type"] == "row")
    assert row["collapsed"]
    drawn = {each["title"]: each for each in panels_of(made)}
    assert len({each["id"] for each in [*drawn.values(), row]}) == len(drawn) + 1
    start, end = NOON // 1000, NOON // 1000 + hours * 3600
    for panel in ASKED:
        sql = drawn[panel.title]["targets"][0]["rawSql"]
        sql = interpolated(sql, made["templating"]["list"], {"tenant": TENANT}, ["order_shipped"])
        sql = expanded(sql, start + 7, end - 53, 60)
        assert "$" not in sql
        rows = (await told.ask(sql, None, {"readonly": 2, **LIMITS}))[1]
        assert [list(each) for each in rows] == FOUND[panel.name], panel.name
