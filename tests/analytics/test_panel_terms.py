"""What each panel counts, at its edges and through its filters, with figures counted by hand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from analytics.clickhouse import ClickHouse
from analytics.panels import PANELS, Span, figures
from schemas.delivery_event import DeliveryEvent
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tests.analytics.story import NOON, TENANT, happened, sent

MOMENT = datetime.fromtimestamp(NOON / 1000, UTC)
HOUR_MS = 3_600_000
HOUR = Span(TENANT, MOMENT, MOMENT + timedelta(hours=1))
"""By the minute."""
DAY = Span(TENANT, MOMENT - timedelta(hours=12), MOMENT + timedelta(hours=12))
"""By the hour."""
BY_NAME = {panel.name: panel for panel in PANELS if not panel.on_request}


async def asked(database: ClickHouse, name: str, span: Span) -> list[list[Any]]:
    return (await figures(database, BY_NAME[name], span)).rows


def text_sent(name: str, occurred_at: int, **fields: Any) -> DeliveryEvent:
    """A text that every panel counts: sent, and within its target."""
    fields = {"channel": Channel.SMS, "provider": "twilio", "segments": 1, "cost": 0.5, **fields}
    moments: dict[str, Any] = {
        "occurred_at": occurred_at,
        "accepted_at": occurred_at,
        "at": occurred_at + 700,
    }
    return happened(Stage.SENT, name, **moments, **fields)


# By panel, what is left of two texts, of which each is counted once.
OF_TWO: dict[str, list[list[Any]]] = {
    "funnel": [["queued", 2], ["sent", 2]],
    "told": [["told", 2]],
    "why_not": [],
    "providers": [["sms", "twilio", 2, 0, 0, 0, 0, 0]],
    "types": [["order_shipped", 2, 0, 0, 0, 0, 0, 0, None]],
    "texts": [["order_shipped", "twilio", 2, 2, 1.0]],
    "tenants": [["acme", 2, 0, 0, 0]],
}


@pytest.mark.parametrize("span", [HOUR, DAY], ids=["by the minute", "by the hour"])
async def test_a_span_begins_with_its_start_and_ends_before_its_end(
    database: ClickHouse, span: Span
) -> None:
    start, end = (int(moment.timestamp() * 1000) for moment in (span.start, span.end))
    unit = 60_000 if span is HOUR else HOUR_MS
    moments: dict[str, Any] = {"first": start, "last": end - 1, "before": start - 1, "after": end}
    await database.insert([text_sent(name, moment) for name, moment in moments.items()])
    for name, rows in OF_TWO.items():
        assert await asked(database, name, span) == rows, name
    lines = await asked(database, "volume", span)
    assert [(row[0], row[2]) for row in lines] == [
        (span.start, 1),
        (span.end - timedelta(milliseconds=unit), 1),
    ]
    lines = await asked(database, "latency", span)
    assert [row[1:] for row in lines] == [["high", 700, 700, 5000]] * 2


OTHERS: dict[str, Any] = {
    "type": "alarm",
    "channel": Channel.EMAIL,
    "priority": Priority.LOW,
}


@pytest.mark.parametrize("name", sorted(BY_NAME))
@pytest.mark.parametrize("by", [*OTHERS, "tenant"])
async def test_each_filter_leaves_what_it_names_and_nothing_else(
    database: ClickHouse, name: str, by: str
) -> None:
    """What another type, channel or priority did changes no figure that is asked without it."""
    if by == "tenant" and name == "tenants":
        return  # it is of all of them
    stages = (Stage.QUEUED, Stage.SENT, Stage.OPENED, Stage.FAILED)
    known: dict[str, Any] = {
        "channel": Channel.SMS,
        "provider": "twilio",
        "segments": 2,
        "cost": 0.25,
    }
    mine = [happened(stage, "a", 700, **known) for stage in stages]
    other = "globex" if by == "tenant" else OTHERS[by]
    theirs = [
        replace(each, id=f"{each.id}.", notification_id="b", at=each.at + 200, **{by: other})
        for each in mine
    ]
    await database.insert(mine)
    alone = await asked(database, name, HOUR)
    assert alone
    await database.insert(theirs)
    own: dict[str, Any] = {
        "type": "order_shipped",
        "channel": Channel.SMS,
        "priority": Priority.HIGH,
    }
    narrowed = HOUR if by == "tenant" else replace(HOUR, **{by: own[by]})
    assert await asked(database, name, narrowed) == alone
    if name != "texts" or by != "channel":  # which are of one channel
        span = replace(HOUR, **{by: other})
        assert await asked(database, name, span) != []
        assert await asked(database, name, HOUR) != alone or by == "tenant"


async def test_the_funnel_has_its_stages_in_order_and_no_others(database: ClickHouse) -> None:
    await database.insert([happened(stage, str(stage)) for stage in Stage])
    await database.insert([happened(Stage.SEEN, "again"), happened(Stage.SEEN, "again")])
    # Nine stages are of what was queued, one of them twice, and a click is an open as well.
    assert await asked(database, "funnel", HOUR) == [
        ["queued", 9],
        ["sent", 1],
        ["delivered", 1],
        ["seen", 2],
        ["opened", 2],
        ["clicked", 1],
    ]


async def test_volume_is_what_was_sent_by_point_and_channel(database: ClickHouse) -> None:
    minute = 60_000
    told = [
        *sent("a", 10),
        *sent("b", 10, occurred_at=NOON + minute - 1),
        *sent("c", 10, occurred_at=NOON + minute),
        *sent("d", 10, channel=Channel.SMS),
        happened(Stage.FAILED, "e"),
    ]
    await database.insert(told)
    later = MOMENT + timedelta(minutes=1)
    assert await asked(database, "volume", HOUR) == [
        [MOMENT, "push", 2],
        [MOMENT, "sms", 1],
        [later, "push", 1],
    ]
    # Over a week, points are further apart: 86,400 * 7 / 120 s, to the hour.
    week = replace(DAY, start=DAY.end - timedelta(days=7))
    assert week.step == 3600
    assert await asked(database, "volume", week) == [[MOMENT, "push", 3], [MOMENT, "sms", 1]]


async def test_why_not_has_the_most_frequent_reason_first(database: ClickHouse) -> None:
    told = [
        happened(stage, f"{stage} {reason} {number}", reason=reason)
        for stage, reason, count in (
            (Stage.SUPPRESSED, Reason.MUTED, 1),
            (Stage.SUPPRESSED, Reason.OPTED_OUT, 3),
            (Stage.FAILED, Reason.EXPIRED, 1),
            (Stage.SUPPRESSED, Reason.EXPIRED, 2),
            (Stage.RETRYING, Reason.TIMEOUT, 9),
            (Stage.HELD, Reason.QUIET_HOURS, 9),
        )
        for number in range(count)
    ]
    await database.insert(told)
    assert await asked(database, "why_not", HOUR) == [
        ["opted_out", "suppressed", 3],
        ["expired", "suppressed", 2],
        ["expired", "failed", 1],
        ["muted", "suppressed", 1],
    ]


async def test_latency_is_of_what_was_sent_by_priority(database: ClickHouse) -> None:
    told = [happened(Stage.SENT, f"n{took}", took) for took in range(101)]
    told += [
        # None of these says how fast we are: held on purpose, clocks apart, and not sent.
        *[happened(Stage.SENT, "held", 9_000), happened(Stage.HELD, "held")],
        happened(Stage.SENT, "ahead", -1),
        happened(Stage.QUEUED, "waits", 8_000),
    ]
    targets = {"critical": 1000, "normal": 30_000, "low": 300_000, "bulk": 3_600_000}
    told += [happened(Stage.SENT, p, 40, priority=Priority(p)) for p in targets]
    await database.command("SYSTEM STOP MERGES notification_state")
    await database.insert(told)
    # Again, later and in a block of its own: the first time counts.
    await database.insert([happened(Stage.SENT, "n1", 9_000, ".again")])
    assert await asked(database, "latency", HOUR) == [
        [MOMENT, "bulk", 40, 40, targets["bulk"]],
        [MOMENT, "critical", 40, 40, targets["critical"]],
        # Of 0 to 100 ms, half took less than 50, and one in a hundred more than 99.
        [MOMENT, "high", 50, 99, 5000],
        [MOMENT, "low", 40, 40, targets["low"]],
        [MOMENT, "normal", 40, 40, targets["normal"]],
    ]


async def test_latency_is_placed_by_when_events_occurred(database: ClickHouse) -> None:
    """Taken an hour later than it happened, it still is one of the hour in which it happened."""
    told = []
    for name, at in (("in", NOON + HOUR_MS - 1), ("out", NOON - 1)):
        taken = at + HOUR_MS
        moments: dict[str, Any] = {"occurred_at": at, "accepted_at": taken, "at": taken + 5}
        told.append(happened(Stage.SENT, name, **moments))
    await database.insert(told)
    rows = await asked(database, "latency", HOUR)
    assert [row[1:] for row in rows] == [["high", 5, 5, 5000]]


async def test_providers_in_trouble_come_first(database: ClickHouse) -> None:
    def did(provider: str, stage: Stage, count: int) -> list[DeliveryEvent]:
        return [
            happened(stage, f"{provider} {stage} {n}", provider=provider, reason=Reason.TIMEOUT)
            for n in range(count)
        ]

    told = [
        *did("calm", Stage.SENT, 3),
        *did("large", Stage.SENT, 4),
        *did("broken", Stage.FAILED, 2),
        *did("shaky", Stage.SENT, 2),
        *did("shaky", Stage.RETRYING, 3),
        *did("shaky", Stage.FAILED, 4),
        *did("shaky", Stage.BOUNCED, 5),
        # It had taken them, and says later that nobody got them: no call failed.
        *[happened(Stage.FAILED, f"late {n}", provider="shaky") for n in range(6)],
        # Only reports of it, and no call.
        *did("link", Stage.OPENED, 3),
        *did("silent", Stage.BOUNCED, 1),
        *did("", Stage.FAILED, 1),
    ]
    await database.insert(told)
    assert await asked(database, "providers", HOUR) == [
        ["push", "broken", 0, 0, 2, 0, 0, 1],
        ["push", "shaky", 2, 3, 4, 5, 6, 0.7778],
        ["push", "large", 4, 0, 0, 0, 0, 0],
        ["push", "calm", 3, 0, 0, 0, 0, 0],
    ]


async def test_types_are_those_that_say_most(database: ClickHouse) -> None:
    def did(kind: str, stage: Stage, count: int) -> list[DeliveryEvent]:
        return [happened(stage, f"{kind} {n}", type=kind) for n in range(count)]

    told = [
        *did("quiet", Stage.SUPPRESSED, 2),
        *did("quiet", Stage.OPENED, 1),
        *did("alarm", Stage.SENT, 3),
        *did("alarm", Stage.OPENED, 2),
        *did("alarm", Stage.CLICKED, 2),
        *did("alarm", Stage.UNSUBSCRIBED, 2),
        *did("alarm", Stage.COMPLAINED, 2),
        *[
            happened(
                Stage.SUPPRESSED, f"{kind} 0", type=kind, reason=Reason.DUPLICATE, channel=None
            )
            for kind in ("alarm", "quiet")
        ],
        *did("beat", Stage.SENT, 3),
        *did("beat", Stage.FAILED, 4),
        *did("chat", Stage.SENT, 5),
    ]
    await database.insert(told)
    assert await asked(database, "types", HOUR) == [
        ["chat", 5, 0, 0, 0, 0, 5, 0, 0],
        ["alarm", 3, 0, 0, 2, 2, 3, 2, 0.6667],
        # To one of four devices it did not get.
        ["beat", 3, 0, 1, 0, 0, 3, 0, 0],
        ["quiet", 0, 2, 0, 1, 0, 0, 0, None],
    ]


async def test_texts_are_what_was_sent_of_them_the_dearest_first(database: ClickHouse) -> None:
    dear: dict[str, Any] = {"type": "alarm", "segments": 3, "cost": 2.00006}
    told = [
        text_sent("a", NOON),
        text_sent("b", NOON, type="beat", provider="sns"),
        text_sent("b2", NOON, type="beat", provider="sns", segments=4, cost=0.7),
        text_sent("c", NOON, **dear),
        text_sent("d", NOON, channel=Channel.CHAT),
        happened(Stage.FAILED, "e", channel=Channel.SMS, provider="twilio", cost=0.5),
    ]
    await database.command("SYSTEM STOP MERGES delivery_events")
    await database.insert(told)
    await database.insert(told)
    assert await asked(database, "texts", HOUR) == [
        ["alarm", "twilio", 1, 3, 2.0001],
        ["beat", "sns", 2, 5, 1.2],
        ["order_shipped", "twilio", 1, 1, 0.5],
    ]


async def test_tenants_are_over_their_share_by_what_was_queued_in_bulk(
    database: ClickHouse,
) -> None:
    bulk: dict[str, Any] = {"priority": Priority.BULK}
    other: dict[str, Any] = {"tenant": "globex"}
    told = [
        *sent("a", 10),
        *sent("b", 10, **bulk),
        *[happened(Stage.QUEUED, f"c{n}", **bulk) for n in range(3)],
        happened(Stage.SUPPRESSED, "d"),
        *[
            happened(Stage.SUPPRESSED, each, reason=Reason.DUPLICATE, channel=None)
            for each in ("a", "d")
        ],
        happened(Stage.FAILED, "e"),
        happened(Stage.FAILED, "f"),
        *[each for n in range(3) for each in sent(f"g{n}", 10, **other)],
        *[each for n in range(2) for each in sent(f"h{n}", 10, tenant="aaa")],
        happened(Stage.SENT, "i", occurred_at=NOON - HOUR_MS, tenant="past"),
    ]
    await database.insert(told)
    assert await asked(database, "tenants", HOUR) == [
        ["globex", 3, 0, 0, 0],
        ["aaa", 2, 0, 0, 0],
        ["acme", 2, 1, 2, 4],
    ]


@pytest.mark.parametrize(
    ("name", "most"),
    [("providers", 50), ("types", 20), ("texts", 20), ("tenants", 50), ("why_not", 20)],
)
async def test_of_very_many_the_first_are_shown(database: ClickHouse, name: str, most: int) -> None:
    reasons = [reason for reason in Reason if reason]
    kinds: dict[str, Any] = {
        "providers": [{"provider": f"provider {n}"} for n in range(60)],
        "types": [{"type": f"type {n}"} for n in range(60)],
        "texts": [{"type": f"type {n}"} for n in range(60)],
        "tenants": [{"tenant": f"tenant {n}"} for n in range(60)],
        "why_not": [{"stage": Stage.FAILED, "reason": reason} for reason in reasons],
    }
    assert len(reasons) > 20
    await database.insert(
        [replace(text_sent(f"n{n}", NOON), **kind) for n, kind in enumerate(kinds[name])]
    )
    assert len(await asked(database, name, HOUR)) == most


@pytest.mark.parametrize("days", [0, 1])
async def test_texts_are_found_on_any_day_of_the_week(database: ClickHouse, days: int) -> None:
    """At most one of two days is a Monday."""
    shift = timedelta(days=days)
    await database.insert([text_sent("a", NOON + days * 24 * HOUR_MS)])
    span = replace(HOUR, start=HOUR.start + shift, end=HOUR.end + shift)
    assert await asked(database, "texts", span) == [["order_shipped", "twilio", 1, 1, 0.5]]
