"""A user is erased in the middle of everything, and then looked for everywhere."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.analytics import analytics
from agents.sink.agent import sink
from analytics.clickhouse import ClickHouse
from analytics.migration import migrate
from embedded.clickhouse import ClickHouse as Server
from embedded.simulators.accept_log import read_accept_log
from embedded.simulators.faults import Fault
from embedded.simulators.server import Serving, serving
from pipeline.admin.topic_settings import config_of
from pipeline.processing.role import Role
from pipeline.producing.outputs import partition_of
from policy.catalogue.catalogue import parse
from policy.time.timestamps import moment
from policy.user.suppression import unregistered
from schemas.delivery import Delivery
from schemas.erasure import Erasure
from schemas.event import Event
from schemas.feedback import Feedback, Receipt
from schemas.inbox import InboxChange
from schemas.profile import (
    Block,
    Device,
    DeviceChange,
    Hint,
    Preferences,
    Presence,
    ProfileChange,
    Subscription,
)
from schemas.topics import (
    BLOCKS,
    CONTACTS,
    DAY_MS,
    DELIVER,
    DEVICES,
    ERASURES,
    EVENTS,
    FEEDBACK,
    FOLLOWS,
    HINTS,
    INBOX_CHANGES,
    PREFERENCES,
    PRESENCE,
    PROFILE_CHANGES,
    RETRY,
    SUPPRESSIONS,
    TOPICS,
)
from schemas.vocabulary import Channel, Priority
from sinks.http.client import HttpClient
from sinks.push.fcm import Fcm
from sinks.registry import Weighted
from tables.users import user_key
from tests.agents.line import PARTITIONS, Line
from tests.agents.names import unique
from tests.agents.remains import in_compacted_topics, in_folder, in_tables
from tests.agents.samples import event, follow, reachable
from tests.agents.stage import Stage, staging
from tests.analytics.database import connected, created
from tests.patience import PATIENCE

PUSH = DELIVER[Channel.PUSH, Priority.NORMAL]
FILES = {
    "types.toml": """
event = "thing.happened"

[types.thing]
category = "things"
priority = "normal"
channels = ["push", "inapp"]
users = "who"
time_to_live = "2d"
rate_limit = { count = 1000, seconds = 1 }
templates.push = { title = "Hi", body = "{{ data.text }}" }
templates.inapp.body = "{{ data.text }}"

[types.gathered]
category = "things"
priority = "normal"
channels = ["push"]
users = "who"
time_to_live = "2d"
digests = [{ channels = ["push"], every = "1h" }]
[types.gathered.templates.push]
title = "Hi"
body = "{{ data.text }}"
digest = { title = "Hi", body = "{{ count }}" }
""",
    "posts.toml": """
event = "post.published"

[types.post]
category = "social"
priority = "normal"
channels = ["inapp"]
followers = true
fan_out_threshold = 2
time_to_live = "2d"
templates.inapp.body = "{{ data.text }}"
""",
}


@dataclass
class Place:
    """All the roles that meet a user, with the services beside them."""

    stage: Stage
    running: Serving
    accept_log: Path
    http: HttpClient
    database: ClickHouse
    shop: str = field(default_factory=lambda: unique("shop"))

    @property
    def push(self) -> Role:
        """The push sink, anew."""
        provider = Weighted(Fcm(self.stage.settings, self.http), 1)
        return sink(Channel.PUSH, [provider], self.stage.runtime)

    @property
    def analytics(self) -> Role:
        """Delivery events into the database, anew."""
        return analytics(self.database, self.stage.runtime)

    def accepted(self, user: str) -> int:
        """How many messages the provider took for a user."""
        return sum(user in str(line) for line in read_accept_log(self.accept_log))

    async def say_all_of(self, user: str, phone: str) -> None:
        """Write to every topic that can speak of a user."""
        stage, now = self.stage, datetime.now(UTC)
        soon = now + timedelta(days=1)
        device = Device(token=f"second-{user}")
        await stage.say(CONTACTS, reachable(user, phone=phone, attributes={"plan": user}))
        await stage.say(PREFERENCES, Preferences(user=user, mutes={f"things/{user}": None}))
        await stage.say(DEVICES, DeviceChange(user=user, device=device))
        await stage.say(PRESENCE, Presence(user=user, device=user, online=False, until=now))
        hint, home = Hint(user=user, best_hour=8), partition_of(user, PARTITIONS)
        await stage.say(HINTS, hint, key=user_key("default", user).decode(), partition=home)
        await stage.say(BLOCKS, Block(user=user, actor=f"blocked-by-{user}", at=now))
        changed = ProfileChange(user=user, categories={f"{user}": {Channel.SMS: True}})
        await stage.say(PROFILE_CHANGES, changed)
        clicked = Subscription(user=user, category="other", channel=Channel.EMAIL, at=now)
        await stage.say(SUPPRESSIONS, clicked)
        fans = [follow(unique("fan"), user) for _ in range(2)]
        await stage.say(FOLLOWS, follow(user, self.shop), *fans)
        await stage.say(EVENTS, *self.events_of(user, soon))
        await stage.say(INBOX_CHANGES, InboxChange(user=user, kind="read", at=now))

    def events_of(self, user: str, soon: datetime) -> list[Event]:
        """One that goes out at once and into a digest, one that waits, and a post."""
        data = {"who": user, "text": f"{user} has news"}
        return [
            event("thing.happened", data),
            event("thing.happened", data, deliver_at=soon, cancel_key=user, idempotency_key=user),
            event("post.published", data, actor=user),
        ]


@pytest.fixture
async def place(line: Line, tmp_path: Path, clickhouse: Server) -> AsyncIterator[Place]:
    """The roles in an empty database, on a clock that stands still between steps."""
    log = tmp_path / "provider" / "accepted.jsonl"
    http = HttpClient(PATIENCE, connections=8)
    async with (
        serving(0, log, log.parent) as running,
        created(clickhouse) as name,
        connected(clickhouse, name) as database,
        staging(
            line,
            tmp_path / "state",
            fcm_url=running.base_url,
            fcm_credentials=Path(running.environment["TOCSIN_FCM_CREDENTIALS"]),
        ) as stage,
    ):
        await migrate(database)
        stage.catalogue = parse(FILES)
        yield Place(stage, running, log, http, database)
    await http.close()


async def test_nothing_of_an_erased_user_is_left_in_what_is_kept(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    stage = place.stage
    user, other, back = unique("erased"), unique("other"), unique("back")
    phones = {who: f"+1{stage.clock.now() + n}" for n, who in enumerate((user, other, back))}
    everybody = (user, other, back)
    caplog.set_level("INFO")

    # All of it handled, and some of it kept.
    for who in everybody:
        await place.say_all_of(who, phones[who])
    await stage.work(
        stage.router, stage.decider, stage.inapp, place.push, stage.decider, place.analytics
    )
    accepted = {who: place.accepted(who) for who in everybody}
    assert all(accepted.values())
    # Waiting to be tried again.
    place.running.simulators.faults.set("fcm", Fault(error_rate=1.0))
    for who in everybody:
        await stage.say(EVENTS, *place.events_of(who, datetime.now(UTC)))
    await stage.work(stage.router, stage.decider, place.push, stage.retry)
    waiting = await stage.read(RETRY, Delivery)
    assert {each.user for each in waiting} == set(everybody)
    # Decided, and in no sink yet; then routed and not decided; then written and not routed.
    for roles in ((stage.router, stage.decider), (stage.router,), ()):
        for who in everybody:
            await place.say_all_of(who, phones[who])
        await stage.work(*roles)

    before = {each.user: each for each in await stage.read(PUSH, Delivery)}
    await stage.say(ERASURES, Erasure(user=user), Erasure(user=back))
    erased_at = max(record.timestamp for record in await stage.raw(ERASURES))
    while stage.clock.now() <= erased_at:
        stage.clock.ahead += 1

    # What follows from before comes late: reports of providers and people, and their sinks'.
    for who in everybody:
        sent = before[who]
        await stage.say(SUPPRESSIONS, unregistered(sent, stage.clock.now()))
        seen = Feedback(
            user=who,
            notification_id=sent.notification_id,
            stage="seen",
            at=moment(stage.clock.now()),
            accepted_at=sent.accepted_at,
        )
        await stage.say(FEEDBACK, seen)
        came = Receipt(
            user=who,
            notification_id=sent.notification_id,
            channel=sent.channel,
            at=moment(stage.clock.now()),
            accepted_at=sent.accepted_at,
        )
        await stage.say(SUPPRESSIONS, came)
    await stage.say(CONTACTS, reachable(back, phone=phones[back]))
    await stage.say(FOLLOWS, follow(back, place.shop))
    welcome = event("thing.happened", {"who": back, "text": "welcome"})
    await stage.say(EVENTS, welcome)

    # Whoever hears of it first. A day later all that waited is due.
    place.running.simulators.faults.clear_all()
    await stage.work(place.push, stage.inapp, place.analytics)
    stage.clock.ahead += 2 * 3_600_000
    for _ in range(2):
        await stage.work(stage.retry, stage.decider, stage.router, stage.decider)
        await stage.work(stage.inapp, place.push, place.analytics)

    assert place.accepted(user) == accepted[user]
    assert place.accepted(other) > accepted[other]
    welcomed = [each for each in await stage.deliveries(Channel.INAPP) if each.user == back]
    assert welcomed[-1].content.body == "welcome"
    # To the one device that they have now: the welcome, and the digest that it was in.
    assert place.accepted(back) == accepted[back] + 2
    await stage.restart()
    gone, there = ([who.encode(), phones[who].encode()] for who in (user, other))
    kafka = stage.settings.kafka
    assert await in_compacted_topics(kafka, gone) == {}
    kept = {"router-changelog", "decider-changelog", "inapp-changelog", "hints"}
    assert set(await in_compacted_topics(kafka, there)) == kept
    assert in_folder(stage.settings.data_dir, gone) == []
    folders = {path.partition("/")[0] for path in in_folder(stage.settings.data_dir, there)}
    assert folders == {"router", "decider", "inapp"}
    assert await in_tables(place.database, gone) == []
    assert await in_tables(place.database, there) == ["delivery_events", "notification_state"]
    assert user not in caplog.text
    assert phones[user] not in caplog.text


def test_what_is_not_compacted_is_kept_for_a_month_at_most() -> None:
    """As docs/inside.md says; what names an erased user there goes with the rest."""
    for topic in TOPICS:
        if topic.compacted:
            assert config_of(topic, 1)["max.compaction.lag.ms"] == str(DAY_MS)
        else:
            assert 0 < topic.retention_ms <= 32 * DAY_MS
