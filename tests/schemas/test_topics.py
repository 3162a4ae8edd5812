"""Topics: where keys go, and that what exists is as declared."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from embedded.kafka import Kafka
from pipeline.admin.topic_creation import check_topics, create_topics
from pipeline.clock import SystemClock
from pipeline.kafka.clients import administrator
from pipeline.kafka.topic_reading import read_topic
from pipeline.producing.outputs import partition_of
from pipeline.producing.producer import start_producer
from pipeline.settings import Settings
from schemas.errors import Misconfigured, Unavailable
from schemas.topics import (
    FORMER,
    INPUTS,
    KEPT_MS,
    LARGEST_RECORD,
    LINES,
    OUTCOMES,
    ROLES,
    SENT_KEPT_MS,
    SINKS,
    TOPICS,
    Topic,
    changelog,
    is_ours,
    needed_topics,
)
from schemas.vocabulary import Channel, Priority
from tests.patience import until_told


@given(st.text(min_size=1), st.integers(1, 64))
def test_keys_go_where_every_kafka_client_puts_them(key: str, partitions: int) -> None:
    numbers = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key.encode(), numbers, numbers)


def test_what_nobody_asked_for_is_not_needed() -> None:
    assert needed_topics(outcomes=True) == TOPICS
    assert {*TOPICS} - {*needed_topics(outcomes=False)} == {OUTCOMES}


def test_the_name_of_a_topic_of_before_is_nobody_else_s() -> None:
    assert all(is_ours(f"shop.{name}", "shop.") for name in FORMER)
    assert not is_ours("shop.stops")


def test_names_are_unique() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(names) == len(set(names))


async def test_topics_are_created_once_with_their_configuration(kafka: Kafka) -> None:
    settings = Settings(kafka=kafka.address, partitions=3)
    topic = Topic(
        name="creation-test", key="k", written_by="", read_by="", compacted=True, retention_ms=1000
    )
    assert await create_topics(settings, [topic]) == ["creation-test"]
    assert await create_topics(settings, [topic]) == []


async def test_kafka_says_when_it_took_a_record_whatever_its_producer_says(kafka: Kafka) -> None:
    topic = Topic(name="clock-test", key="k", written_by="", read_by="")
    await create_topics(Settings(kafka=kafka.address, partitions=1), [topic])
    producer = await start_producer(kafka.address)
    before = SystemClock().now()
    await producer.send_and_wait("clock-test", b"from 1970", key=b"k", timestamp_ms=1)
    await producer.stop()
    (record,) = [record async for record in read_topic(kafka.address, "clock-test")]
    assert before - 1000 <= record.timestamp <= SystemClock().now() + 1000


async def test_another_partition_count_is_refused(kafka: Kafka) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.address)
    await admin.start()
    await admin.create_topics([NewTopic("count-test", 5, 1)])
    await admin.close()
    topic = Topic(name="count-test", key="k", written_by="", read_by="")
    with pytest.raises(Misconfigured, match="TOCSIN_PARTITIONS=5"):
        await create_topics(Settings(kafka=kafka.address, partitions=8), [topic])


async def test_who_reads_a_topic_that_is_not_there_is_told_which_and_what_creates_it(
    kafka: Kafka,
) -> None:
    settings = Settings(kafka=kafka.address, partitions=2)
    there, missing, last = (
        Topic(name=f"check-{name}", key="k", written_by="", read_by="")
        for name in ("there", "missing", "zeta")
    )
    await create_topics(settings, [there])
    async with administrator(settings.kafka) as admin:
        await until_told(admin.list_topics, lambda names: there.name in names)
    await check_topics(settings, [there])
    with pytest.raises(Misconfigured, match=r"has no topic check-missing\. .*`tocsin setup`"):
        await check_topics(settings, [last, there, missing])
    other = Settings(kafka=kafka.address, partitions=3)
    with pytest.raises(Misconfigured, match=r"check-there has 2 partitions.* says 3"):
        await check_topics(other, [there])


async def test_no_broker_is_one_sentence() -> None:
    with pytest.raises(Unavailable, match="TOCSIN_KAFKA"):
        await create_topics(Settings(kafka="127.0.0.1:1"), [])


BY_NAME = {topic.name: topic for topic in TOPICS}
DAY = 86_400_000
HOUR = 3_600_000
PRIORITIES = ("critical", "high", "normal", "low", "bulk")
CHANNELS = ("push", "email", "sms", "chat", "webhook", "inapp")
OF_PRODUCERS = {
    "events": "actor",
    "follows": "followee",
    "contacts": "user",
    "devices": "user",
    "preferences": "user",
    "profile-changes": "user",
    "blocks": "user",
    "presence": "user",
    "feedback": "user",
    "cancellations": "actor",
}
"""Topics that anybody may write to, each with the field of a value that is its key."""
OF_WEB = {
    "suppressions": "user",
    "inbox-changes": "user",
    "erasures": "user",
}
"""Those that the API writes to besides; what it writes is checked as what producers write."""
READ = {
    "intake": {"misplaced"},
    "router": {
        *("events", "follows", "cancellations", "withdrawals", "placed.router"),
    },
    "decider": {
        *("following", "preferences", "profile-changes", "blocks", "contacts", "devices"),
        *("presence", "feedback", "suppressions", "hints", "outbox", "withdrawals"),
        *("placed.decider", "erasures"),
        *(f"requests.{priority}" for priority in PRIORITIES),
    },
    **{
        channel: {*(f"deliver.{channel}.{priority}" for priority in PRIORITIES), "erasures"}
        for channel in CHANNELS
        if channel != "inapp"
    },
    "inapp": {
        *(f"deliver.inapp.{priority}" for priority in PRIORITIES),
        *("inbox-changes", "erasures"),
    },
    "retry": {"retry", "erasures"},
    "analytics": {"audit", "delivery-events", "erasures"},
}
"""Where what is written to a topic arrives. A role that misses one never learns of it."""


def test_what_is_written_reaches_every_role_that_works_on_it() -> None:
    assert {str(p) for p in Priority} == set(PRIORITIES)
    assert {str(c) for c in Channel} == set(CHANNELS)
    found = {role: {topic.name for topic in topics} for role, topics in INPUTS.items()}
    assert found == READ


def test_roles_come_in_the_order_in_which_an_event_meets_them() -> None:
    assert (
        *("intake", "router", "decider", "push", "email", "sms", "chat", "webhook"),
        *("inapp", "retry", "analytics"),
    ) == ROLES
    assert tuple(map(str, SINKS)) == ("push", "email", "sms", "chat", "webhook")


@pytest.mark.parametrize("name", OF_PRODUCERS | OF_WEB)
def test_what_anybody_may_write_is_keyed_by_what_its_value_says(name: str) -> None:
    topic = BY_NAME[name]
    assert topic.is_public
    assert topic.key == (OF_PRODUCERS | OF_WEB)[name]


def test_all_else_is_written_by_us_alone() -> None:
    assert {topic.name for topic in TOPICS if topic.is_public} == {*OF_PRODUCERS, *OF_WEB}


@pytest.mark.parametrize(
    ("prefix", "kinds"), [("requests.", PRIORITIES), ("deliver.push.", PRIORITIES)]
)
def test_what_is_for_one_user_is_keyed_by_the_user(prefix: str, kinds: tuple[str, ...]) -> None:
    assert {BY_NAME[f"{prefix}{kind}"].key for kind in kinds} == {"user"}
    assert BY_NAME["retry"].key == "user"


def test_where_only_the_newest_counts_a_topic_is_compacted_and_loses_nothing_to_age() -> None:
    compacted = {topic.name: topic.retention_ms for topic in TOPICS if topic.compacted}
    assert compacted == {
        **dict.fromkeys(("hints", "owners"), 0),
        **dict.fromkeys(
            (f"{role}-changelog" for role in ("router", "decider", "inapp", "retry")), 0
        ),
        # What a sink sent is known for longer than any topic holds the delivery.
        **{f"{channel}-changelog": 9 * DAY for channel in CHANNELS if channel != "inapp"},
    }


def test_all_else_is_kept_for_a_week_or_as_long_as_somebody_needs_it() -> None:
    kept = {topic.name: topic.retention_ms for topic in TOPICS if not topic.compacted}
    other = {name: for_ for name, for_ in kept.items() if for_ != 7 * DAY}
    assert other == {
        "live": HOUR,
        "dead-letters": 30 * DAY,
        # Longer than a dead letter, and the day that its segment may stay beyond that.
        "erasures": 32 * DAY,
    }
    assert kept["events"] == KEPT_MS == 7 * DAY
    assert SENT_KEPT_MS == 9 * DAY


def test_who_may_be_forgotten_is_known_for_longer_than_anything_of_them_is_kept() -> None:
    longest = max(topic.retention_ms for topic in TOPICS if topic.name != "erasures")
    assert BY_NAME["erasures"].retention_ms >= longest + DAY


def test_what_goes_by_the_line_shares_records() -> None:
    assert {"delivery-events", "live"} == LINES


def test_no_topic_takes_more_than_a_record_of_8_mib() -> None:
    assert LARGEST_RECORD == 8 * 1024 * 1024
    assert {topic.largest_record for topic in TOPICS} == {8_388_608}


def test_a_role_reads_its_changelog_to_restore_and_not_as_an_input() -> None:
    for role in ROLES:
        assert changelog(role) not in INPUTS[role]
    assert changelog("push").retention_ms == 9 * DAY
    assert changelog("decider").retention_ms == 0
