"""What becomes of notifications by class of users: bounded, and without who was erased."""

from typing import Any

from analytics.clickhouse import ClickHouse
from analytics.erasure import erase
from analytics.export import parquet
from analytics.panels import PANELS, figures
from schemas.vocabulary import Channel, Reason, Stage
from tests.analytics.story import NOON, TENANT, happened, sent
from tests.analytics.test_question_panels import HOUR

(PANEL,) = (panel for panel in PANELS if panel.name == "outcomes_by_attribute")
QUESTION = (
    "SELECT value, decided, told, under_way, held, failed, not_told, sent, delivered, opened, "
    "clicked, open_rate FROM outcomes_by_attribute "
    "WHERE tenant = 'acme' AND type = 'order_shipped' ORDER BY decided DESC, value"
)
PRO, FREE = {"attribute": "plan=pro"}, {"attribute": "plan=free"}
DIGEST = "9" * 32


async def in_panel(database: ClickHouse) -> list[list[Any]]:
    return (await figures(database, PANEL, HOUR)).rows


async def test_each_end_of_a_notification_counts_once(database: ClickHouse) -> None:
    """By hand: of pro two told, one under way; of free one of each other end, and a digest."""
    sms: dict[str, Any] = {"channel": Channel.SMS, "provider": "vonage"}
    told = [
        # On two channels, opened on one, delivered on both.
        *sent("a", 100, **PRO), *sent("a", 100, **sms, **PRO),
        happened(Stage.DELIVERED, "a", 300), happened(Stage.DELIVERED, "a", 300, **sms),
        happened(Stage.CLICKED, "a", 400), happened(Stage.OPENED, "a", 500),
        # Where an open can't be known, none is missing.
        *sent("b", 100, **sms, **PRO),
        happened(Stage.QUEUED, "c", 1, **PRO),
        happened(Stage.HELD, "d", 1, reason=Reason.QUIET_HOURS, **FREE),
        happened(Stage.QUEUED, "e", 1, **FREE),
        happened(Stage.FAILED, "e", 20, reason=Reason.UNREGISTERED, **FREE),
        happened(Stage.SUPPRESSED, "f", 1, reason=Reason.OPTED_OUT, **FREE),
        # Told in a digest, which is opened.
        happened(Stage.DIGESTED, "g", 50, reason=Reason.DIGEST, digest=DIGEST, **FREE),
        happened(Stage.QUEUED, DIGEST, 51, digest=DIGEST, user="user-g", **FREE),
        happened(Stage.SENT, DIGEST, 60, digest=DIGEST, user="user-g", **FREE),
        happened(Stage.OPENED, DIGEST, 90, user="user-g"),
        # Of a type that names none, and of a user without one.
        *sent("h", 100, type="other"), *sent("i", 100, attribute="plan="),
    ]  # fmt: skip
    await database.insert(told)
    await database.insert(told[::-1])
    assert await database.query(QUESTION) == [
        ("free", 4, 1, 0, 1, 1, 1, 1, 0, 1, 0, 1),
        ("pro", 3, 2, 1, 0, 0, 0, 2, 1, 1, 1, 1),
        ("(none)", 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0),
    ]
    assert await in_panel(database) == [
        ["order_shipped", "plan", "free", 4, 1, 1, 0, 1, 0, 1],
        ["order_shipped", "plan", "pro", 3, 0, 2, 1, 1, 1, 1],
        ["order_shipped", "plan", "(none)", 1, 0, 1, 0, 0, 0, 0],
    ]
    found = [piece async for piece in parquet(database, PANEL.name, "day > '2020-01-01'")]
    assert b"".join(found)[:4] == b"PAR1"


async def test_what_has_a_value_for_each_user_is_put_together(database: ClickHouse) -> None:
    """Nineteen of two users each, then of the others the first by its letters, and all the rest."""
    common = [(f"v{n:02}", user) for n in range(19) for user in (f"a{n}", f"b{n}")]
    seldom = [(f"w{n:02}", f"c{n}") for n in range(40)]
    told = [e for v, user in common + seldom for e in sent(user, 9, attribute=f"plan={v}")]
    await database.insert(told)
    await database.insert(told[:40])
    rows = await database.query(QUESTION)
    expected = {"(other)": 39, **{f"v{n:02}": 2 for n in range(19)}, "w00": 1}
    assert {row[0]: row[1] for row in rows} == expected
    assert {row[2]: row[3] for row in await in_panel(database)} == expected


async def test_who_is_erased_is_in_no_class(database: ClickHouse) -> None:
    await database.insert([*sent("a", 100, **PRO), *sent("b", 100, **FREE)])
    await erase(database, TENANT, "user-a", NOON + 60_000)
    assert [row[0] for row in await database.query(QUESTION)] == ["free"]
    for table in ("delivery_events", "notification_state"):
        question = f"SELECT count() FROM {table} WHERE attribute = 'plan=pro'"
        assert await database.query(question) == [(0,)]
