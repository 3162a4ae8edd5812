"""What analysts ask, each with figures counted by hand."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from analytics.clickhouse import ClickHouse
from schemas.vocabulary import Channel, Priority, Reason, Stage
from tests.analytics.story import DAY, NOON, happened, sent
from tests.analytics.test_view_terms import DAY_MS, at

TODAY = date.fromisoformat(DAY)
DIGEST = "9" * 32
WEEK_MS = 7 * DAY_MS


async def test_each_question(database: ClickHouse) -> None:
    email: dict[str, Any] = {"channel": Channel.EMAIL, "provider": "ses"}
    told = [
        # Ann gets three, one of them on two channels, opens two, one of these by a click alone.
        *sent("a", 100, user="ann"),
        *sent("a", 100, user="ann", **email),
        happened(Stage.OPENED, "a", 60_100, user="ann"),
        *sent("b", 100, user="ann"),
        happened(Stage.CLICKED, "b", 120_100, user="ann"),
        *sent("c", 6000, user="ann", **email),
        happened(Stage.UNSUBSCRIBED, "c", 9000, user="ann", **email),
        # Bob was there a month and more before, and complains; that one is late as well.
        *sent("d", 100, user="bob", occurred_at=NOON - 5 * WEEK_MS),
        *sent("e", 6000, user="bob", **email),
        happened(Stage.COMPLAINED, "e", 9000, user="bob", **email),
        # Two events are told in one digest, which was due an hour after them and is on time.
        *[
            happened(
                Stage.DIGESTED, name, 3_600_000, user="cyd", reason=Reason.DIGEST,
                detail=f"in {DIGEST}", digest=DIGEST, delivery_id="", priority=Priority.LOW,
            )
            for name in ("m1", "m2")
        ],
        happened(
            Stage.QUEUED, DIGEST, 3_600_001, user="cyd", digest=DIGEST, priority=Priority.LOW,
            due_at=NOON + 3_600_000,
        ),
        happened(
            Stage.SENT, DIGEST, 3_600_300, user="cyd", provider="fcm", priority=Priority.LOW
        ),
        happened(Stage.OPENED, DIGEST, 3_700_000, user="cyd", priority=Priority.LOW),
        # A text with a price.
        happened(
            Stage.SENT, "t", 200, user="dan", channel=Channel.SMS, provider="twilio", segments=2,
            cost=0.15,
        ),
    ]  # fmt: skip
    await database.insert(told)

    async def ask(question: str) -> list[Any]:
        return await database.query(question)

    assert await ask(
        f"SELECT user, notifications, opened, unsubscribed, complained FROM sends_per_user "
        f"WHERE day = '{DAY}' ORDER BY user"
    ) == [("ann", 3, 2, 1, 0), ("bob", 1, 0, 0, 1), ("cyd", 1, 1, 0, 0), ("dan", 1, 0, 0, 0)]
    # 60 and 120 s, and 99.7 s of the digest.
    assert await ask("SELECT channel, opened, p50_p90_p99 FROM time_to_open") == [
        ("push", 3, [100, 120, 120])
    ]
    rates = "sent, unsubscribed, complained, unsubscribe_rate, complaint_rate"
    month = TODAY.replace(day=1)
    before = (TODAY - timedelta(weeks=5)).replace(day=1)
    assert await ask(
        f"SELECT cohort, {rates} FROM opt_outs WHERE channel = 'email' ORDER BY cohort"
    ) == [(before, 1, 0, 1, 0, 1), (month, 2, 1, 0, 0.5, 0)]
    monday, today = TODAY - timedelta(days=TODAY.weekday()), datetime.now(UTC).date()
    assert await ask(
        "SELECT week, sent, week_before, change FROM week_over_week "
        "WHERE channel = 'push' ORDER BY week"
    ) == [
        (monday - timedelta(weeks=5), 1, 0, None),
        (monday - timedelta(weeks=4), 0, 1, -1),
        (monday, 3, 0, None),
        # Of this week the change can't be said yet, of one that has not begun nothing.
        *(
            (week, 0, 3, None if week + timedelta(weeks=1) > today else -1)
            for week in (monday + timedelta(weeks=1),)
            if week <= today
        ),
    ]
    # Of six of high priority that day two took more than 5 s: a third, for one in a hundred.
    assert await ask(
        f"SELECT priority, messages, late, burn FROM slo_burn WHERE day = '{DAY}' ORDER BY 1"
    ) == [("high", 6, 2, 33.33), ("low", 1, 0, 0)]
    assert await ask("SELECT digest, user, event_id FROM digest_members ORDER BY event_id") == [
        (DIGEST, "cyd", "event-m1"),
        (DIGEST, "cyd", "event-m2"),
    ]
    assert await ask(
        f"SELECT event_id, sent, opened, digest FROM who_was_told WHERE user = 'cyd' "
        f"AND day = '{DAY}' ORDER BY event_id"
    ) == [(f"event-{name}", at(3_600_300), at(3_700_000), DIGEST) for name in ("m1", "m2")]
    assert await ask(
        f"SELECT channel, messages, segments, cost FROM costs WHERE day = '{DAY}' ORDER BY channel"
    ) == [("email", 3, 0, 0), ("push", 3, 0, 0), ("sms", 1, 2, 0.15)]
    # Members are decided, and the digest is not decided once more.
    assert await ask(
        "SELECT decided, digested, digests, sent FROM funnel WHERE priority = 'low'"
    ) == [(2, 2, 1, 1)]
    assert await ask("SELECT decided, told FROM outcomes WHERE priority = 'low'") == [(2, 2)]


async def test_what_telling_brings(database: ClickHouse) -> None:
    """Of four who were told three reach the goal, of two who were held out one."""

    def group(user: str, name: str) -> Any:
        return happened(
            Stage.ASSIGNED, user, user=user, variant=f"q1/{name}", within=60, channel=None
        )

    told = [group(user, "told") for user in ("a", "b", "c", "d")]
    told += [group(user, "held_out") for user in ("e", "f")]
    told += [
        happened(Stage.GOAL, f"goal {user}", 5, user=user, occurred_at=NOON + 5, channel=None)
        for user in ("a", "b", "c", "e")
    ]
    await database.insert(told)
    columns = "told, told_reached, held_out, held_out_reached, lift"
    assert await database.query(f"SELECT {columns} FROM holdout_lift") == [(4, 3, 2, 1, 0.25)]


async def test_a_notification_that_went_out_elsewhere_is_told(database: ClickHouse) -> None:
    """Three are decided: one online, so in the app alone; one opted out everywhere; one waits."""
    told = [
        happened(Stage.SUPPRESSED, "a", reason=Reason.ONLINE),
        *sent("a", 50, channel=Channel.INAPP, provider="inbox"),
        happened(Stage.SUPPRESSED, "b", reason=Reason.OPTED_OUT),
        happened(Stage.SUPPRESSED, "b", reason=Reason.NO_ADDRESS, channel=Channel.SMS),
        happened(Stage.HELD, "c", reason=Reason.QUIET_HOURS),
        happened(Stage.SUPPRESSED, "c", reason=Reason.NO_ADDRESS, channel=Channel.SMS),
        # Told in time, and its producer sends its event again.
        *sent("d", 50),
        happened(Stage.SUPPRESSED, "d", 90_000_000, reason=Reason.DUPLICATE, channel=None),
    ]
    await database.insert(told)
    question = "SELECT reasons, notifications FROM why_not_told"
    assert await database.query(question) == [(["no_address", "opted_out"], 1)]
    columns = "decided, told, under_way, held, failed, not_told"
    assert await database.query(f"SELECT {columns} FROM outcomes") == [(4, 2, 0, 1, 0, 1)]
    columns = "decided, suppressed + held + digested + queued, queued"
    columns += ", under_way + dropped + failed + sent"
    # Of a in two ways, of b on all channels and on one, of c in two ways, of d once.
    assert await database.query("SELECT sum(decided) FROM funnel") == [(7,)]
    for row in await database.query(f"SELECT {columns} FROM funnel"):
        assert row[0] == row[1]
        assert row[2] == row[3]


async def test_a_digest_is_among_what_is_queued_and_no_decision(database: ClickHouse) -> None:
    told = [
        *(happened(Stage.DIGESTED, name, digest="d") for name in ("a", "b")),
        *sent("d", 50, digest="d"),
    ]
    await database.insert(told)
    columns = "decided, digests, suppressed, held, digested, queued"
    assert await database.query(f"SELECT {columns} FROM funnel") == [(2, 1, 0, 0, 2, 1)]


async def test_why_not_told_adds_up_to_outcomes_whatever_is_repeated(
    database: ClickHouse,
) -> None:
    """Two are told nowhere for the same reason, and the producer repeats the event of one; of the
    third and of what was told it does so under another day, of the fourth with another body."""

    def again(name: str, reason: Reason, days: int = 0) -> Any:
        at = NOON - days * 86_400_000
        return happened(Stage.SUPPRESSED, name, 9_000, reason=reason, channel=None, occurred_at=at)

    told = [
        happened(Stage.SUPPRESSED, "a", reason=Reason.OPTED_OUT),
        happened(Stage.SUPPRESSED, "b", reason=Reason.OPTED_OUT),
        again("b", Reason.DUPLICATE),
        again("b", Reason.CONFLICT),
        again("c", Reason.DUPLICATE),
        *sent("d", 50),
        again("d", Reason.DUPLICATE, days=1),
        again("e", Reason.CONFLICT),
    ]
    await database.insert(told)
    question = "SELECT reasons, notifications FROM why_not_told ORDER BY reasons"
    assert await database.query(question) == [(["conflict"], 1), (["opted_out"], 2)]
    question = "SELECT sum(decided), sum(told), sum(not_told) FROM outcomes"
    assert await database.query(question) == [(4, 1, 3)]


async def test_where_only_clocks_disagree_nothing_is_said_of_speed(database: ClickHouse) -> None:
    await database.insert(sent("a", -5))
    question = "SELECT messages, clocks_disagree, p50_p90_p99 FROM how_fast"
    assert await database.query(question) == [(0, 1, [])]
    assert await database.query("SELECT burn FROM slo_burn") == [(None,)]
