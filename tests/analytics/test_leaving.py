"""Who leaves, where messages fail and who stays, with figures counted by hand."""

from datetime import date, timedelta
from typing import Any

from analytics.clickhouse import ClickHouse
from policy.user.opt_outs import OptOut, left
from schemas.delivery_event import DeliveryEvent
from schemas.vocabulary import Channel, Reason, Stage
from tests.analytics.story import DAY, NOON, TENANT, happened, sent

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
EMAIL, SMS = Channel.EMAIL, Channel.SMS


def gone(user: str, category: str, channel: Channel, by: str, after: int) -> DeliveryEvent:
    return left(TENANT, user, OptOut(category, channel), by, NOON + after)


async def test_who_leaves_by_a_reply_or_a_page_counts_with_what_they_were_sent_last(
    database: ClickHouse,
) -> None:
    email: dict[str, Any] = {"channel": EMAIL, "provider": "ses"}
    text: dict[str, Any] = {"channel": SMS, "provider": "twilio"}
    told = [
        # Ann is sent two mails of orders, and leaves them on the page after the second.
        *sent("a", 100, user="ann", **email),
        *sent("b", HOUR_MS, user="ann", **email),
        gone("ann", "orders", EMAIL, "page", 2 * HOUR_MS),
        # Bob answers STOP to a text, which is about all categories; his mail is none of it.
        *sent("c", 100, user="bob", **text),
        *sent("d", 100, user="bob", **email),
        gone("bob", "", SMS, "reply", HOUR_MS),
        # Cyd leaves another category, Dan before he was sent any, Eve eight days after.
        *sent("e", 100, user="cyd", **email),
        gone("cyd", "news", EMAIL, "api", HOUR_MS),
        gone("dan", "orders", EMAIL, "api", -HOUR_MS),
        *sent("f", 100, user="dan", **email),
        *sent("g", 100, user="eve", **email),
        gone("eve", "orders", EMAIL, "page", 8 * DAY_MS),
        # Fay clicks in her mail, which is counted once, also when she turns it off as well.
        *sent("h", 100, user="fay", **email),
        happened(Stage.UNSUBSCRIBED, "h", 9000, user="fay", channel=EMAIL, provider="links"),
        gone("fay", "orders", EMAIL, "page", HOUR_MS),
    ]
    await database.insert(told)
    await database.insert(told[:6])  # and again
    assert await database.query(
        "SELECT channel, sent, unsubscribed, unsubscribe_rate FROM opt_outs ORDER BY channel"
    ) == [("email", 7, 2, round(2 / 7, 6)), ("sms", 1, 1, 1)]
    day, later = date.fromisoformat(DAY), date.fromisoformat(DAY) + timedelta(days=8)
    assert await database.query(
        "SELECT day, category, channel, means, users FROM opt_outs_by_means "
        "ORDER BY day, category, channel, means"
    ) == [
        (day, "", "sms", "reply", 1),
        (day, "news", "email", "api", 1),
        (day, "orders", "email", "api", 1),
        (day, "orders", "email", "one click", 1),
        (day, "orders", "email", "page", 2),
        (later, "orders", "email", "page", 1),
    ]
    # What is of no notification is in no funnel and no outcome.
    assert await database.query("SELECT sum(decided) FROM outcomes") == [(8,)]


async def test_where_messages_arrive_by_class_of_destination(database: ClickHouse) -> None:
    gmail: dict[str, Any] = {"channel": EMAIL, "provider": "ses"}

    def mail(name: str, destination: str = "gmail") -> list[DeliveryEvent]:
        return [
            happened(Stage.QUEUED, name, 1, channel=EMAIL),
            happened(Stage.SENT, name, 9, destination=destination, **gmail),
        ]

    told = [
        *mail("a"), happened(Stage.DELIVERED, "a", 20, **gmail),
        happened(Stage.OPENED, "a", 30, **gmail),
        # Opened, so it arrived; and one by a machine alone, which did as well.
        *mail("b"), happened(Stage.CLICKED, "b", 30, **gmail),
        *mail("c"), happened(Stage.OPENED, "c", 30, detail="machine", **gmail),
        # Taken in at first, and sent back later.
        *mail("d"), happened(Stage.DELIVERED, "d", 20, **gmail),
        happened(Stage.BOUNCED, "d", 40, **gmail),
        *mail("e", "microsoft"), happened(Stage.COMPLAINED, "e", 50, **gmail),
        happened(
            Stage.FAILED, "f", 9, channel=SMS, destination="DE fixed", provider="twilio",
            reason=Reason.INVALID_ADDRESS,
        ),
        # Of a release before this, or handed to no provider: no class.
        *sent("g", 9),
    ]  # fmt: skip
    await database.insert(told)
    await database.insert(told)
    assert await database.query(
        "SELECT channel, destination, messages, sent, delivered, bounced, failed, complained, "
        "opened, delivery_rate, bounce_rate, complaint_rate FROM deliverability "
        "ORDER BY channel, destination"
    ) == [
        ("email", "gmail", 4, 4, 3, 1, 0, 0, 2, 0.75, 0.25, 0),
        ("email", "microsoft", 1, 1, 0, 0, 0, 1, 0, 0, 0, 1),
        ("sms", "DE fixed", 1, 0, 0, 0, 1, 0, 0, None, None, None),
    ]


async def test_who_is_still_there_of_the_told_and_of_the_held_out(database: ClickHouse) -> None:
    begun = NOON - 10 * DAY_MS

    def assigned(user: str, group: str, at: int = begun) -> DeliveryEvent:
        name = f"{user}-assigned"
        return happened(
            Stage.ASSIGNED, name, user=user, occurred_at=at, variant=f"2026/{group}", within=60
        )

    def goal(user: str, after: int) -> DeliveryEvent:
        # Of any type, whenever it was heard of.
        return happened(
            Stage.GOAL, f"{user}-{after}", 99 * DAY_MS, user=user, type="other",
            occurred_at=begun + after,
        )  # fmt: skip

    told = [
        assigned("ann", "told"), goal("ann", 8 * DAY_MS),
        assigned("bob", "told"), goal("bob", DAY_MS),
        assigned("cyd", "told"), goal("cyd", DAY_MS - 1),
        assigned("dan", "held_out"), goal("dan", 7 * DAY_MS),
        assigned("eve", "held_out"),
        # An open is nothing that one who was held out could do.
        happened(Stage.OPENED, "x", 0, user="cyd"),
        # Twelve hours ago: not there for a day yet.
        assigned("fay", "told", NOON + 5 * DAY_MS),
    ]  # fmt: skip
    await database.insert(told)
    assert await database.query(
        "SELECT after, told, told_back, held_out, held_out_back, told_retention, "
        "held_out_retention FROM retention WHERE type = 'order_shipped' ORDER BY after"
    ) == [(1, 3, 2, 2, 1, 0.6667, 0.5), (7, 3, 1, 2, 1, 0.3333, 0.5), (14, 3, 0, 2, 0, 0, 0)]


async def test_what_is_left_of_a_weeks_error_budget(database: ClickHouse) -> None:
    # 200 in a week, of which two may be later than five seconds: one is.
    told = [e for n in range(199) for e in sent(f"n{n}", 100)]
    await database.insert([*told, *sent("late", 5001)])
    monday = date.fromisoformat(DAY) - timedelta(days=date.fromisoformat(DAY).weekday())
    assert await database.query("SELECT * EXCEPT tenant FROM slo_budget") == [
        (monday, "high", 200, 1, 0.5)
    ]
