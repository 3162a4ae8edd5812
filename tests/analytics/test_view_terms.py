"""What each view counts and what it leaves out, term by term, with figures counted by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from analytics.clickhouse import ClickHouse
from schemas.delivery_event import DeliveryEvent
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tests.analytics.story import DAY, NOON, happened, sent

TODAY = date.fromisoformat(DAY)
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
REACHED = (
    Stage.SUPPRESSED, Stage.HELD, Stage.DIGESTED, Stage.QUEUED, Stage.SENT, Stage.DELIVERED,
    Stage.SEEN, Stage.OPENED, Stage.CLICKED, Stage.BOUNCED, Stage.FAILED,
)  # fmt: skip
"""Stages that `notification_state` has a column for, each named like its stage."""


def at(after: int) -> datetime:
    return datetime.fromtimestamp((NOON + after) / 1000, UTC)


async def tell(database: ClickHouse, *blocks: list[DeliveryEvent]) -> None:
    """Insert each block by itself; what was told twice stays two rows, as merges are stopped."""
    for table in ("delivery_events", "notification_state"):
        await database.command(f"SYSTEM STOP MERGES {table}")
    for block in blocks:
        await database.insert(block)


async def test_each_stage_is_known_by_its_own_column(database: ClickHouse) -> None:
    told = [happened(stage, str(stage), 7) for stage in Stage]
    machine = [
        happened(stage, f"machine {stage}", 7, detail="machine")
        for stage in (Stage.OPENED, Stage.CLICKED, Stage.DELIVERED)
    ]
    await tell(database, told, machine)
    columns = ", ".join(f"{stage} AS {stage}" for stage in REACHED)
    rows = await database.query(f"SELECT notification_id, {columns} FROM notification_state FINAL")
    found = {
        name: [stage for stage, moment in zip(REACHED, moments, strict=True) if moment == at(7)]
        for name, *moments in rows
    }
    # What is told of people is no stage of a message.
    others = set(Stage) - set(REACHED) - {Stage.ASSIGNED, Stage.GOAL}
    assert found == {
        **{str(stage): [stage] for stage in REACHED},
        **{str(stage): [] for stage in others},
        "machine opened": [],
        "machine clicked": [],
        "machine delivered": [Stage.DELIVERED],
    }


async def test_the_first_time_counts_however_often_a_stage_is_told(database: ClickHouse) -> None:
    stages = ("sent", "delivered", "seen", "opened", "clicked", "bounced")
    blocks = [
        [
            happened(Stage(stage), "a", order + 10 * place, f".{order}")
            for place, stage in enumerate(stages)
        ]
        for order in (500, 200, 900)
    ]
    await tell(database, *blocks)
    question = f"SELECT user, event_id, {', '.join(stages)} FROM who_was_told"
    first = tuple(at(200 + 10 * place) for place in range(len(stages)))
    assert await database.query(question) == [("user-a", "event-a", *first)]
    await database.command("SYSTEM START MERGES notification_state")
    await database.command("OPTIMIZE TABLE notification_state FINAL")
    assert await database.query(question) == [("user-a", "event-a", *first)]


async def test_only_who_was_sent_it_was_told(database: ClickHouse) -> None:
    await tell(database, [happened(stage, str(stage)) for stage in Stage])
    question = "SELECT notification_id FROM who_was_told"
    assert await database.query(question) == [("sent",)]


async def test_the_funnel_counts_what_failed_only_where_nothing_was_sent(
    database: ClickHouse,
) -> None:
    news: dict[str, Any] = {"category": "news", "priority": Priority.LOW}
    told = [
        # To a device that is gone and to one that is not: it was sent.
        *sent("a", 100),
        happened(Stage.FAILED, "a", 50),
        happened(Stage.FAILED, "b", 50),
        # Queued, and too old when its turn came: it was queued, and decided.
        happened(Stage.QUEUED, "c"),
        happened(Stage.SUPPRESSED, "c", 60, reason=Reason.EXPIRED),
        happened(Stage.SUPPRESSED, "d"),
        *sent("e", 100),
        happened(Stage.SEEN, "e", 200),
        happened(Stage.HELD, "f"),
        *sent("g", 100, **news),
        happened(Stage.BOUNCED, "g", 900, **news),
        # Of the same notification, on another channel and on another day.
        happened(Stage.FAILED, "a", 50, channel=Channel.SMS),
        happened(Stage.FAILED, "a", 50, ".", occurred_at=NOON + DAY_MS),
    ]
    await tell(database, told)
    columns = "decided, suppressed, queued, sent, delivered, seen, opened, clicked, bounced, failed"
    question = f"SELECT category, channel, day, {columns} FROM funnel ORDER BY ALL"
    assert await database.query(question) == [
        ("news", "push", TODAY, 1, 0, 1, 1, 0, 0, 0, 0, 1, 0),
        ("orders", "push", TODAY, 6, 1, 4, 2, 0, 1, 0, 0, 0, 1),
        ("orders", "push", TODAY + timedelta(1), 1, 0, 1, 0, 0, 0, 0, 0, 0, 1),
        ("orders", "sms", TODAY, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1),
    ]


async def test_why_not_on_channel_counts_each_happening_once_by_hour_and_kind(
    database: ClickHouse,
) -> None:
    opted_out: dict[str, Any] = {"reason": Reason.OPTED_OUT}
    told = [
        happened(Stage.SUPPRESSED, "a", **opted_out),
        happened(Stage.SUPPRESSED, "b", **opted_out),
        happened(Stage.SUPPRESSED, "c", occurred_at=NOON + HOUR_MS, **opted_out),
        happened(Stage.SUPPRESSED, "d", channel=Channel.SMS, **opted_out),
        happened(Stage.FAILED, "e", reason=Reason.REJECTED),
        *[
            happened(stage, str(stage), reason=Reason.TIMEOUT)
            for stage in set(Stage) - {Stage.SUPPRESSED, Stage.FAILED}
        ],
    ]
    await tell(database, told, told[:2])
    columns = "hour, channel, stage, reason, messages"
    question = f"SELECT {columns} FROM why_not_on_channel ORDER BY ALL"
    assert await database.query(question) == [
        (at(0), "push", "failed", "rejected", 1),
        (at(0), "push", "suppressed", "opted_out", 2),
        (at(0), "sms", "suppressed", "opted_out", 1),
        (at(HOUR_MS), "push", "suppressed", "opted_out", 1),
    ]


TARGETS = {"critical": 1000, "high": 5000, "normal": 30_000, "low": 300_000, "bulk": 3_600_000}


async def test_on_time_is_up_to_the_target_of_each_priority(database: ClickHouse) -> None:
    told = [
        happened(Stage.SENT, f"{priority} {took}", took, priority=Priority(priority))
        for priority, target in TARGETS.items()
        for took in (target, target + 1, 0, -1)
    ]
    await tell(database, told)
    question = "SELECT priority, target_ms, messages, late, clocks_disagree FROM how_fast"
    found = {priority: figures for priority, *figures in await database.query(question)}
    assert found == {priority: [target, 3, 1, 1] for priority, target in TARGETS.items()}


async def test_quantiles_are_of_what_was_sent_and_not_held(database: ClickHouse) -> None:
    told = [happened(Stage.SENT, f"n{took}", took) for took in range(1, 101)]
    told += [happened(Stage.SENT, "held", 7_000_000), happened(Stage.HELD, "held", 1)]
    told += [happened(Stage.SENT, "ahead", -5), happened(Stage.QUEUED, "waits", 1)]
    # Again, later and in a block of its own: the first time counts.
    await tell(database, told, [happened(Stage.SENT, "n1", 9_000_000, ".again")])
    question = "SELECT messages, clocks_disagree, late, p50_p90_p99 FROM how_fast"
    assert await database.query(question) == [(100, 1, 0, [51, 91, 100])]


async def test_what_took_no_time_is_in_the_quantiles(database: ClickHouse) -> None:
    await tell(database, [happened(Stage.SENT, f"n{took}", took) for took in (0, 10, 20)])
    # Half took less than 10 ms; without the first it would be 20.
    assert await database.query("SELECT p50_p90_p99 FROM how_fast") == [([10, 20, 20],)]


async def test_how_fast_is_counted_from_when_kafka_took_the_event(database: ClickHouse) -> None:
    """Not from when it happened, and not from when it was queued."""
    said: dict[str, Any] = {"accepted_at": NOON + 1000}
    told = [happened(Stage.QUEUED, "a", 1500, **said), happened(Stage.SENT, "a", 1700, **said)]
    await tell(database, told)
    assert await database.query("SELECT p50_p90_p99 FROM how_fast") == [([700, 700, 700],)]


async def test_a_provider_is_asked_about_by_hour_and_what_nobody_was_asked_is_left_out(
    database: ClickHouse,
) -> None:
    fcm: dict[str, Any] = {"provider": "fcm"}
    counted = {Stage.SENT: 5, Stage.RETRYING: 4, Stage.FAILED: 3, Stage.BOUNCED: 3}
    told = [
        happened(stage, f"{stage}{number}", reason=Reason.TIMEOUT if number else reason, **fcm)
        for stage, count in counted.items()
        for number in range(count)
        for reason in [Reason.REJECTED if stage is Stage.FAILED else Reason.THROTTLED]
    ]
    told += [happened(Stage.DELIVERED, "z", **fcm), happened(Stage.SENT, "z")]
    told += [happened(Stage.SENT, "later", occurred_at=NOON + HOUR_MS, **fcm)]
    told += [happened(Stage.BOUNCED, "gone", reason=Reason.UNREGISTERED, **fcm)]
    await tell(database, told, told[:5])
    columns = "hour, provider, taken, put_off, given_up, bounced, arraySort(reasons)"
    question = f"SELECT {columns} FROM provider_health ORDER BY hour"
    assert await database.query(question) == [
        (at(0), "fcm", 5, 4, 3, 4, ["rejected", "throttled", "timeout"]),
        (at(HOUR_MS), "fcm", 1, 0, 0, 0, []),
    ]


@pytest.mark.parametrize("whose", ["notification_timeline", "user_day"])
async def test_what_happened_is_told_once_and_in_order(database: ClickHouse, whose: str) -> None:
    told = [
        happened(Stage.FAILED, "a", 30, attempt=1),
        happened(Stage.QUEUED, "a", 10),
        happened(Stage.RETRYING, "a", 20, ".2"),
        happened(Stage.RETRYING, "a", 20, ".1", reason=Reason.TIMEOUT),
        happened(Stage.QUEUED, "b", 15),
    ]
    await tell(database, told, told[::-1])
    found = await database.query(
        f"SELECT stage, reason, at FROM {whose} WHERE user = 'user-a' AND tenant = 'acme'"
    )
    assert found == [
        ("queued", "", at(10)),
        ("retrying", "timeout", at(20)),
        ("retrying", "", at(20)),
        ("failed", "", at(30)),
    ]


async def test_a_users_day_is_that_of_the_event(database: ClickHouse) -> None:
    # On two days, of which at most one is a Monday.
    told = [
        happened(Stage.OPENED, "a", 3 * DAY_MS, accepted_at=NOON + DAY_MS),
        happened(Stage.OPENED, "b", 4 * DAY_MS, occurred_at=NOON + DAY_MS),
    ]
    await tell(database, told)
    assert await database.query("SELECT day, at FROM user_day ORDER BY at") == [
        (TODAY, at(3 * DAY_MS)),
        (TODAY + timedelta(1), at(4 * DAY_MS)),
    ]


async def test_the_day_of_each_view_is_that_of_the_event(database: ClickHouse) -> None:
    sms: dict[str, Any] = {"channel": Channel.SMS, "provider": "sns", "delivery_id": "d"}
    views = {
        "suppression_history": Stage.BOUNCED,
        "sms_cost": Stage.SENT,
        "unfinished": Stage.QUEUED,
        "provider_health": Stage.SENT,
        "why_not_told": Stage.SUPPRESSED,
        "why_not_on_channel": Stage.SUPPRESSED,
        "outcomes": Stage.SENT,
        "hourly": Stage.SENT,
        "funnel": Stage.QUEUED,
        "who_was_told": Stage.SENT,
        "how_fast": Stage.SENT,
    }
    for view, stage in views.items():
        for table in ("delivery_events", "hour_sets", "notification_state"):
            await database.command(f"TRUNCATE TABLE {table}")
        told = [
            happened(stage, name, 3 * DAY_MS, **{**sms, "delivery_id": name, "occurred_at": day})
            for name, day in (("a", NOON), ("b", NOON + DAY_MS))
        ]
        await tell(database, told)
        rows = await database.query(f"SELECT day FROM {view} ORDER BY day")
        assert rows == [(TODAY,), (TODAY + timedelta(1),)], view


async def test_texts_cost_what_was_sent_of_them_each_once(database: ClickHouse) -> None:
    sms: dict[str, Any] = {"channel": Channel.SMS, "provider": "twilio", "segments": 2, "cost": 0.5}
    told = [
        happened(Stage.SENT, "a", **sms),
        happened(Stage.SENT, "b", **sms),
        happened(Stage.SENT, "c", **{**sms, "provider": "sns", "segments": 1, "cost": 0.25}),
        happened(Stage.SENT, "d", **sms, type="alarm"),
        happened(Stage.SENT, "e", **sms, occurred_at=NOON + DAY_MS),
        happened(Stage.FAILED, "f", **sms),
        happened(Stage.DELIVERED, "a", **sms),
        happened(Stage.SENT, "g", **{**sms, "channel": Channel.CHAT}),
    ]
    await tell(database, told, told)
    columns = "day, type, provider, messages, segments, cost"
    assert await database.query(f"SELECT {columns} FROM sms_cost ORDER BY ALL") == [
        (TODAY, "alarm", "twilio", 1, 2, 0.5),
        (TODAY, "order_shipped", "sns", 1, 1, 0.25),
        (TODAY, "order_shipped", "twilio", 2, 4, 1.0),
        (TODAY + timedelta(1), "order_shipped", "twilio", 1, 2, 0.5),
    ]


async def test_suppression_history_is_of_what_keeps_an_address_from_being_used(
    database: ClickHouse,
) -> None:
    told = [happened(stage, str(stage)) for stage in Stage]
    told += [happened(Stage.FAILED, f"failed {why}", reason=why) for why in Reason]
    told += [happened(Stage.RETRYING, "put off", reason=Reason.UNREGISTERED)]
    await tell(database, told, told)
    question = "SELECT notification_id, day FROM suppression_history ORDER BY 1"
    assert await database.query(question) == [
        (name, TODAY)
        for name in (
            "bounced",
            "complained",
            "failed invalid_address",
            "failed unregistered",
            "unsubscribed",
        )
    ]


@pytest.mark.parametrize("stage", Stage)
async def test_unfinished_is_what_was_neither_sent_nor_failed_nor_expired(
    database: ClickHouse, stage: Stage
) -> None:
    """Expired is `suppressed` with the delivery's id: an end as any other."""
    ends = stage in {Stage.SENT, Stage.FAILED, Stage.SUPPRESSED}
    said: dict[str, Any] = {
        "delivery_id": "d",
        "reason": Reason.EXPIRED if stage is Stage.SUPPRESSED else "",
    }
    await tell(
        database,
        [happened(Stage.QUEUED, "a", 10, delivery_id="d"), happened(stage, "a", 20, ".2", **said)],
        # The same id with another tenant is another delivery.
        [happened(Stage.QUEUED, "b", 5, delivery_id="d", tenant="globex")],
        # Whatever was decided not to be sent at all is none.
        [happened(stage, "c", 5, delivery_id="")],
    )
    columns = "tenant, notification_id, day, queued, last_heard, last_stage"
    rows = await database.query(f"SELECT {columns} FROM unfinished ORDER BY tenant")
    expected: list[Any] = [("globex", "b", TODAY, at(5), at(5), "queued")]
    if not ends:
        expected.insert(0, ("acme", "a", TODAY, at(10), at(20), str(stage)))
    assert rows == expected


async def test_unfinished_says_what_was_heard_last_and_why(database: ClickHouse) -> None:
    timeout: dict[str, Any] = {"reason": Reason.TIMEOUT}
    await tell(
        database,
        [happened(Stage.RETRYING, "a", 40, attempt=2, **timeout)],
        [happened(Stage.RETRYING, "a", 30, attempt=1, reason=Reason.THROTTLED)],
        [happened(Stage.QUEUED, "a", 10)],
    )
    question = "SELECT queued, last_heard, last_stage, last_reason FROM unfinished"
    assert await database.query(question) == [(at(10), at(40), "retrying", "timeout")]


async def test_of_hours_in_which_a_user_opens_as_much_the_earliest_is_the_best(
    database: ClickHouse,
) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=30, second=0, microsecond=0)
    start = int((midnight - timedelta(3)).timestamp() * 1000)
    now = int(datetime.now(UTC).timestamp() * 1000)

    def did(
        stage: Stage, name: str, hour: int, user: str, occurred_at: int = start, **fields: Any
    ) -> list[DeliveryEvent]:
        """Sent on the hour and opened within it."""
        known: dict[str, Any] = {"user": user, "occurred_at": occurred_at, **fields}
        moment = start + hour * HOUR_MS
        return [
            happened(Stage.SENT, name, at=moment, **known),
            happened(stage, name, at=moment + 60_000, **known),
        ]

    told = [
        *did(Stage.OPENED, "a", 9, "ada"),
        *did(Stage.OPENED, "b", 21, "ada"),
        # Clicks count as opens do; all else does not.
        *did(Stage.OPENED, "c", 7, "bob"),
        *did(Stage.CLICKED, "d", 8, "bob", now - 88 * DAY_MS),
        *did(Stage.OPENED, "e", 8, "bob"),
        *[row for number in range(5) for row in did(Stage.SEEN, f"f{number}", 2, "bob")],
        *[
            row
            for number in range(5)
            for row in did(Stage.OPENED, f"g{number}", 7, "bob", now - 91 * DAY_MS)
        ],
        *did(Stage.OPENED, "h", 3, "ada", tenant="globex"),
    ]
    # The same told three times is one.
    again = did(Stage.OPENED, "b", 21, "ada")
    await tell(database, told, again, again)
    question = "SELECT tenant, user, best_hour, opens FROM best_hours ORDER BY tenant, user"
    assert await database.query(question) == [
        ("acme", "ada", 9, 2),
        ("acme", "bob", 8, 3),
        ("globex", "ada", 3, 1),
    ]


async def test_the_same_happening_is_one_row_on_whatever_day_it_is_told_again(
    database: ClickHouse,
) -> None:
    """Its place is the day of the domain event, not that on which it was taken or reached; the
    first telling counts."""
    again = happened(Stage.SENT, "a", 2 * DAY_MS, accepted_at=NOON + DAY_MS, provider="ses")
    await tell(database, [happened(Stage.SENT, "a", 5, provider="fcm")], [again])
    assert await database.query("SELECT count() FROM delivery_events") == [(2,)]
    question = "SELECT provider, at FROM delivery_events FINAL"
    assert await database.query(question) == [("fcm", at(5))]
    await database.command("SYSTEM START MERGES delivery_events")
    await database.command("OPTIMIZE TABLE delivery_events FINAL")
    assert await database.query("SELECT provider, at FROM delivery_events") == [("fcm", at(5))]
