"""The decider's clock: delays, digests, escalations, cancellations on real topics and state."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.decider.watermark import STALL_TIMEOUT_MS
from pipeline.processing.lanes import ALL_READ
from pipeline.producing.outputs import Outputs, partition_of
from policy.catalogue.catalogue import parse
from schemas.errors import Unavailable
from schemas.event import Cancellation, Event
from schemas.feedback import Feedback
from schemas.profile import Preferences, QuietHours
from schemas.topics import (
    CANCELLATIONS,
    CONTACTS,
    EVENTS,
    FEEDBACK,
    PREFERENCES,
    REQUESTS,
)
from schemas.vocabulary import Channel, Priority, Reason
from schemas.vocabulary import Stage as Step
from tables.storage.store import PartitionStore
from tests.agents.line import PARTITIONS
from tests.agents.names import unique
from tests.agents.samples import event, reachable
from tests.agents.stage import Stage

PUSH, EMAIL, INAPP = Channel.PUSH, Channel.EMAIL, Channel.INAPP
MINUTE = 60_000
TYPES = {
    "late": 'channels = ["push"]\ndelay = "10m"',
    "plain": 'channels = ["push"]',
    "gathered": """channels = ["push"]
digests = [{ channels = ["push"], key = "key", every = "5m" }]""",
    "session": """channels = ["push"]
digests = [{ channels = ["push"], pause = "3m", longest = "1h" }]""",
    "rising": """channels = ["inapp"]
escalation = [{ after = "5m", channels = ["push"] }, { after = "1h", channels = ["email"] }]""",
}
TEXTS = {
    "push": '{ title = "Hi", body = "{{ data.text }}" }',
    "email": '{ title = "Hi", body = "{{ data.text }}" }',
    "inapp": '{ body = "{{ data.text }}" }',
}


def file_of(name: str, special: str) -> str:
    texts = "\n".join(f"{c} = {text}" for c, text in TEXTS.items() if f'"{c}"' in special)
    return f"""
event = "{name}.happened"
[types.{name}]
category = "things"
priority = "normal"
users = "who"
time_to_live = "2d"
{special}
[types.{name}.templates]
{texts}
"""


@pytest.fixture
async def user(stage: Stage) -> str:
    """Somebody who can be reached, and a catalogue of types that wait."""
    stage.catalogue = parse({f"{n}.toml": file_of(n, special) for n, special in TYPES.items()})
    name = unique("user")
    await stage.say(CONTACTS, reachable(name))
    return name


def happened(kind: str, user: str, text: str = "hello", **fields: object) -> Event:
    data = {"who": user, "key": "k", "text": text}
    return event(f"{kind}.happened", data, **fields)


async def happens(stage: Stage, *events: Event) -> None:
    await stage.say(EVENTS, *events)
    await stage.work(stage.router, stage.decider)


async def passes(stage: Stage, minutes: float) -> None:
    """Let the time pass, and do what is due."""
    stage.clock.ahead += round(minutes * MINUTE)
    await stage.work(stage.decider)


async def told(stage: Stage) -> list[tuple[Channel | None, Step, Reason]]:
    return [(e.channel, e.stage, e.reason) for e in await stage.told()]


async def test_a_delay_is_kept_across_a_lost_disk_and_never_short(stage: Stage, user: str) -> None:
    await happens(stage, happened("late", user))
    await stage.restart(keep_disk=False)
    await passes(stage, 5)
    assert await stage.deliveries(PUSH) == []
    await passes(stage, 5.1)
    assert len(await stage.deliveries(PUSH)) == 1
    await stage.restart(keep_disk=False)
    await passes(stage, 60)
    assert len(await stage.deliveries(PUSH)) == 1


async def test_a_digest_is_one_whatever_was_closed_and_opened_meanwhile(
    stage: Stage, user: str
) -> None:
    await happens(stage, happened("gathered", user, "one"), happened("gathered", user, "two"))
    await stage.restart()
    await happens(stage, happened("gathered", user, "three"))
    assert {step for _, step, _ in await told(stage)} == {Step.HELD}
    await passes(stage, 5.2)
    (digest,) = await stage.deliveries(PUSH)
    assert [word in digest.content.body for word in ("one", "two", "three")] == [True] * 3
    digested = [e for e in await stage.told() if e.stage is Step.DIGESTED]
    assert {e.detail for e in digested} == {f"in {digest.notification_id}"}
    assert len({e.event_id for e in digested}) == 3


async def test_a_digest_waits_for_what_kafka_took_before_it_was_due(
    stage: Stage, user: str
) -> None:
    """As after an outage: the window is over, and an event of it is still unread."""
    await happens(stage, happened("gathered", user, "one"))
    await stage.say(EVENTS, happened("gathered", user, "two"))
    await stage.work(stage.router)
    stage.clock.ahead += 6 * MINUTE
    handler = await stage.handler(stage.decider, partition_of(user, PARTITIONS))
    normal, before = REQUESTS[Priority.NORMAL].name, stage.clock.now() - 2 * MINUTE

    def behind(topic: str) -> int:
        return before if topic == normal else ALL_READ

    wait = await handler.on_timer(behind)
    assert wait is not None and 0 < wait < 1
    assert await stage.deliveries(PUSH) == []
    await stage.work(stage.decider)
    (digest,) = await stage.deliveries(PUSH)
    assert "one" in digest.content.body and "two" in digest.content.body


async def test_a_session_is_not_over_while_what_may_make_it_longer_is_unread(
    stage: Stage, user: str
) -> None:
    """After an outage: each event came two minutes after the one before, and half are read."""
    start = datetime.now(UTC) - timedelta(minutes=15)
    moments = [start + timedelta(minutes=2 * number) for number in range(4)]
    events = [happened("session", user, f"{n}", occurred_at=at) for n, at in enumerate(moments)]
    until = round(start.timestamp() * 1000) + 4 * MINUTE
    await stage.say(EVENTS, *events[:2])
    await stage.work(stage.router, stage.decider, read_to=lambda _: until)
    assert await stage.deliveries(PUSH) == []
    await happens(stage, *events[2:])
    (digest,) = await stage.deliveries(PUSH)
    assert all(f"{number}" in digest.content.body for number in range(4))


async def test_what_is_due_as_late_as_the_message_before_it_comes_after_it(
    stage: Stage, user: str
) -> None:
    """A session is put off for its last event; then what joined it to the first is cancelled, and
    both windows are over before the process goes on."""
    key, start = unique("key"), datetime.now(UTC) - timedelta(minutes=15)
    events = [
        happened("session", user, text, occurred_at=start + timedelta(minutes=at), cancel_key=of)
        for at, text, of in ((0, "one", None), (2, "two", key), (4, "three", None))
    ]
    until = round(start.timestamp() * 1000) + 6 * MINUTE
    await stage.say(EVENTS, *events)
    await stage.work(stage.router, stage.decider, read_to=lambda _: until)
    assert await stage.deliveries(PUSH) == []
    cancelled = Cancellation(cancel_key=key, actor="shop", at=start + timedelta(minutes=3))
    await stage.say(CANCELLATIONS, cancelled)
    await stage.work(stage.router, stage.decider)
    assert [each.content.body for each in await stage.deliveries(PUSH)] == ["one", "three"]
    await happens(stage, happened("session", user, "four"))
    await passes(stage, 4)
    assert [each.content.body for each in await stage.deliveries(PUSH)] == ["one", "three", "four"]


async def test_nothing_waits_for_ever_for_what_is_unread(stage: Stage, user: str) -> None:
    await happens(stage, happened("gathered", user), happened("late", user))
    stage.clock.ahead += 60 * MINUTE
    handler = await stage.handler(stage.decider, partition_of(user, PARTITIONS))
    await handler.on_timer(lambda _: 0)
    assert await stage.deliveries(PUSH) == []
    stage.clock.ahead += STALL_TIMEOUT_MS + 1000
    while await handler.on_timer(lambda _: 0) == 0:
        pass
    assert len(await stage.deliveries(PUSH)) == 2


async def test_each_step_comes_unless_the_user_has_seen_it(stage: Stage, user: str) -> None:
    await happens(stage, happened("rising", user))
    (shown,) = await stage.deliveries(INAPP)
    await passes(stage, 5.1)
    assert [d.notification_id for d in await stage.deliveries(PUSH)] == [shown.notification_id]
    seen = Feedback(
        user=user, notification_id=shown.notification_id, stage="seen", at=datetime.now(UTC)
    )
    await stage.say(FEEDBACK, seen)
    await stage.work(stage.decider)
    await passes(stage, 90)
    assert await stage.deliveries(EMAIL) == []
    assert (EMAIL, Step.SUPPRESSED, Reason.ENGAGED) in await told(stage)


async def test_a_cancelled_key_stops_what_waits_and_what_comes_late(
    stage: Stage, user: str
) -> None:
    key = unique("key")
    early, late = (happened("late", user, cancel_key=key) for _ in range(2))
    await happens(stage, early)
    cancelled = Cancellation(cancel_key=key, actor="shop", at=datetime.now(UTC))
    await stage.say(CANCELLATIONS, cancelled)
    await stage.work(stage.router, stage.decider)
    await happens(stage, late)
    await passes(stage, 11)
    assert await stage.deliveries(PUSH) == []
    assert [r for _, s, r in await told(stage) if s is Step.SUPPRESSED] == [Reason.CANCELLED] * 2


async def test_quiet_hours_put_off_and_an_opt_out_meanwhile_holds(stage: Stage, user: str) -> None:
    now = datetime.now(UTC)
    span = QuietHours(start=f"{now:%H:%M}", end=f"{now + timedelta(hours=2):%H:%M}")
    await stage.say(PREFERENCES, Preferences(user=user, quiet_hours=(span,)))
    await stage.work(stage.decider)
    await happens(stage, happened("plain", user))
    assert await told(stage) == [(PUSH, Step.HELD, Reason.QUIET_HOURS)]
    off = Preferences(user=user, quiet_hours=(span,), channels={PUSH: False})
    await stage.say(PREFERENCES, off)
    await passes(stage, 121)
    assert await stage.deliveries(PUSH) == []
    assert (PUSH, Step.SUPPRESSED, Reason.OPTED_OUT) in await told(stage)


@pytest.mark.parametrize(
    ("place", "step", "before"), [(Outputs, "send", 0), (PartitionStore, "sent", 1)]
)
async def test_what_a_timer_decided_stands_though_a_crash_and_a_change_of_mind_come_between(
    stage: Stage,
    user: str,
    monkeypatch: pytest.MonkeyPatch,
    place: type[Outputs] | type[PartitionStore],
    step: str,
    before: int,
) -> None:
    """Killed once it was stored and nothing sent, or once all was sent and that not noted."""
    await happens(stage, happened("late", user))
    stage.clock.ahead += 11 * MINUTE

    async def killed(*_: object) -> None:
        raise Unavailable("killed between state and outputs, or after them")

    handler = await stage.handler(stage.decider, partition_of(user, PARTITIONS))
    with monkeypatch.context() as planted:
        planted.setattr(place, step, killed)
        with pytest.raises(Unavailable, match="killed"):
            await handler.on_timer(lambda _: ALL_READ)
    assert len(await stage.deliveries(PUSH)) == before
    await stage.restart(keep_disk=False, in_order=False)
    await stage.say(PREFERENCES, Preferences(user=user, channels={PUSH: False}))
    await stage.work(stage.decider)
    deliveries = await stage.deliveries(PUSH)
    assert len(deliveries) == before + 1
    assert len({delivery.delivery_id for delivery in deliveries}) == 1
    assert {s for _, s, _ in await told(stage)} == {Step.HELD, Step.QUEUED, Step.UNSUBSCRIBED}
