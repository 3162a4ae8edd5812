"""Each view answers its question, with figures counted by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from analytics.clickhouse import ClickHouse
from schemas.vocabulary import Channel, Stage
from tests.analytics.story import DAY, NOON, STORY, TENANT, happened, sent

TODAY = date.fromisoformat(DAY)


@pytest.fixture
async def told(database: ClickHouse) -> ClickHouse:
    await database.insert(STORY)
    return database


def at(after: int) -> datetime:
    return datetime.fromtimestamp((NOON + after) / 1000, UTC)


async def ask(database: ClickHouse, question: str) -> list[Any]:
    return await database.query(question, {"tenant": TENANT})


async def test_funnel(told: ClickHouse) -> None:
    stages = "suppressed, queued, sent, delivered, seen, opened, clicked, bounced, failed"
    assert await ask(told, f"SELECT channel, decided, {stages} FROM funnel ORDER BY channel") == [
        ("push", 8, 2, 6, 4, 1, 0, 1, 1, 0, 1),
        ("sms", 2, 0, 2, 2, 0, 0, 0, 0, 1, 0),
    ]


async def test_who_was_told(told: ClickHouse) -> None:
    question = "SELECT user, channel, sent, opened FROM who_was_told ORDER BY user"
    assert await ask(told, question) == [
        ("user-a", "push", at(100), at(5000)),
        ("user-b", "push", at(7000), None),
        ("user-c", "push", at(-2000), None),
        ("user-h", "push", at(28_800_000), None),
        ("user-i", "sms", at(400), None),
        ("user-j", "sms", at(500), None),
    ]


async def test_why_not_told(told: ClickHouse) -> None:
    question = "SELECT reasons, notifications, day FROM why_not_told ORDER BY reasons"
    assert await ask(told, question) == [
        (["opted_out"], 2, TODAY),
        (["unregistered"], 1, TODAY),
    ]


async def test_why_not_on_channel(told: ClickHouse) -> None:
    columns = "stage, reason, messages, day"
    assert await ask(told, f"SELECT {columns} FROM why_not_on_channel ORDER BY stage") == [
        ("failed", "unregistered", 1, TODAY),
        ("suppressed", "opted_out", 2, TODAY),
    ]


async def test_outcomes(told: ClickHouse) -> None:
    columns = "decided, told, under_way, held, failed, not_told"
    assert await ask(told, f"SELECT {columns} FROM outcomes") == [(10, 6, 1, 0, 1, 2)]


async def test_hourly(told: ClickHouse) -> None:
    question = "SELECT channel, stage, sum(messages) FROM hourly GROUP BY ALL ORDER BY ALL"
    assert await ask(told, question) == [
        ("push", "clicked", 1),
        ("push", "delivered", 1),
        ("push", "failed", 1),
        ("push", "held", 1),
        ("push", "opened", 1),
        ("push", "queued", 6),
        ("push", "retrying", 1),
        ("push", "sent", 4),
        ("push", "suppressed", 2),
        ("sms", "bounced", 1),
        ("sms", "queued", 1),
        ("sms", "sent", 2),
    ]


async def test_how_fast_leaves_out_what_waited_on_purpose_and_clocks_that_disagree(
    told: ClickHouse,
) -> None:
    columns = "channel, target_ms, messages, clocks_disagree, late, p50_p90_p99"
    assert await ask(told, f"SELECT {columns} FROM how_fast ORDER BY channel") == [
        ("push", 5000, 2, 1, 1, [7000, 7000, 7000]),
        ("sms", 5000, 2, 0, 0, [500, 500, 500]),
    ]


async def test_provider_health(told: ClickHouse) -> None:
    columns = "hour, channel, provider, taken, put_off, given_up, bounced, arraySort(reasons)"
    assert await ask(told, f"SELECT {columns} FROM provider_health ORDER BY provider") == [
        (at(0), "push", "fcm", 4, 1, 1, 0, ["timeout", "unregistered"]),
        (at(0), "sms", "twilio", 2, 0, 0, 1, []),
    ]


async def test_notification_timeline(told: ClickHouse) -> None:
    question = (
        "SELECT stage, reason, at FROM notification_timeline "
        "WHERE tenant = {tenant:String} AND notification_id = 'd'"
    )
    assert await ask(told, question) == [
        ("queued", "", at(1)),
        ("retrying", "timeout", at(10)),
        ("failed", "unregistered", at(20)),
    ]


async def test_user_day(told: ClickHouse) -> None:
    question = f"SELECT stage, reason, detail FROM user_day WHERE user = 'user-f' AND day = '{DAY}'"
    assert await ask(told, question) == [("suppressed", "opted_out", "category orders")]


async def test_sms_cost(told: ClickHouse) -> None:
    question = "SELECT day, type, provider, messages, segments, cost FROM sms_cost"
    assert await ask(told, question) == [(TODAY, "order_shipped", "twilio", 2, 3, 0.225)]


async def test_suppression_history(told: ClickHouse) -> None:
    question = "SELECT user, channel, stage, detail FROM suppression_history ORDER BY user"
    assert await ask(told, question) == [
        ("user-d", "push", "failed", ""),
        ("user-j", "sms", "bounced", "hard: gone"),
    ]


async def test_unfinished(told: ClickHouse) -> None:
    question = "SELECT user, day, queued, last_stage FROM unfinished"
    assert await ask(told, question) == [("user-e", TODAY, at(1), "queued")]


async def test_experiment_results(database: ClickHouse) -> None:
    """Two variants; a notification on two channels; a click without an open; and what is not."""
    short, long = {"variant": "title/short"}, {"variant": "title/long"}
    sms = {"channel": Channel.SMS, "provider": "twilio"}
    told = [
        # One notification on two channels, and opened on both, counts once.
        *sent("a", 100, user="ann", **short),
        *sent("a", 100, user="ann", **short, **sms),
        happened(Stage.OPENED, "a", 500, user="ann"),
        happened(Stage.OPENED, "a", 500, user="ann", channel=Channel.SMS),
        # Another of hers, clicked with images blocked.
        *sent("b", 100, user="ann", **short),
        happened(Stage.CLICKED, "b", 900, user="ann"),
        *sent("c", 100, user="bob", **short),
        # A machine opened it.
        *sent("d", 100, user="cyd", **long),
        happened(Stage.OPENED, "d", 500, ".machine", user="cyd", detail="machine"),
        # Not sent, of another experiment, and of none.
        happened(Stage.QUEUED, "e", 1, **short),
        *sent("f", 100, user="cyd", variant="tone/warm"),
        *sent("g", 100),
        happened(Stage.OPENED, "g", 500),
    ]
    await database.insert(told)
    question = "SELECT experiment, variant, user, sent, opened, clicked FROM experiment_results "
    found = [
        ("title", "long", "cyd", 1, 0, 0),
        ("title", "short", "ann", 2, 2, 1),
        ("title", "short", "bob", 1, 0, 0),
        ("tone", "warm", "cyd", 1, 0, 0),
    ]
    assert await ask(database, f"{question} ORDER BY ALL") == found
    # A day later, told twice, and last of all that it was sent: the day of the event counts.
    late = happened(Stage.OPENED, "c", 86_400_000, user="bob")
    early = happened(Stage.CLICKED, "h", 900, user="dan")
    await database.insert([late, early, late, *reversed(told)])
    found[2] = ("title", "short", "bob", 1, 1, 0)
    assert await ask(database, f"{question} ORDER BY ALL") == found
    await database.insert(sent("h", 100, user="dan", **long))
    found.insert(1, ("title", "long", "dan", 1, 1, 1))
    assert await ask(database, f"{question} WHERE day = '{DAY}' ORDER BY ALL") == found


async def test_best_hours(database: ClickHouse) -> None:
    """Mails of eight in the morning are opened at eight in the evening; of the last 90 days."""
    day = datetime.now(UTC).replace(hour=8, minute=30, second=0, microsecond=0) - timedelta(days=3)
    morning = int(day.timestamp() * 1000)
    told = []
    for number in range(3):
        moments: dict[str, Any] = {"user": "ada", "occurred_at": morning, "channel": Channel.EMAIL}
        told += [
            happened(Stage.SENT, f"n{number}", at=morning, **moments),
            happened(Stage.OPENED, f"n{number}", at=morning + 12 * 3_600_000, **moments),
            # Before all of them, and of a machine.
            happened(Stage.OPENED, f"n{number}", 0, ".m", at=morning, detail="machine", **moments),
        ]
    await database.insert(told)
    question = "SELECT user, best_hour, opens FROM best_hours"
    assert await ask(database, question) == [("ada", 20, 3)]


async def test_another_tenants_figures_stay_apart(told: ClickHouse) -> None:
    await told.insert(sent("a", 100, tenant="globex"))
    question = "SELECT tenant, sum(queued) FROM funnel GROUP BY tenant ORDER BY tenant"
    assert await ask(told, question) == [("acme", 8), ("globex", 1)]
