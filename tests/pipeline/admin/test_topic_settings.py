"""What topics must be set to, and which other values an operator's choice may be."""

import pytest

from pipeline.admin.topic_settings import DELETIONS_KEPT_MS, config_of, differences
from schemas.topics import (
    DAY_MS,
    DEAD_LETTERS,
    DELIVER,
    ERASURES,
    EVENTS,
    LIVE,
    RETRY,
    SENT_KEPT_MS,
    TOPICS,
    changelog,
)
from tables.storage.store import DELETIONS_KEPT

DECIDER = changelog("decider")
SINK = changelog("push")


@pytest.mark.parametrize(("replicas", "in_sync"), [(1, "1"), (2, "1"), (3, "2"), (5, "2")])
def test_two_replicas_acknowledge_where_there_are_three(replicas: int, in_sync: str) -> None:
    for topic in TOPICS:
        assert config_of(topic, replicas)["min.insync.replicas"] == in_sync


def test_each_kind_of_topic_is_created_with_all_that_it_relies_on() -> None:
    all_have = {
        "message.timestamp.type": "LogAppendTime",
        "unclean.leader.election.enable": "false",
        "min.insync.replicas": "2",
        "max.message.bytes": "8388608",
    }
    compacted = {
        "max.compaction.lag.ms": "86400000",
        "delete.retention.ms": "86400000",
        "segment.ms": "86400000",
        "segment.bytes": "134217728",
    }
    assert config_of(EVENTS, 3) == all_have | {
        "cleanup.policy": "delete",
        "retention.ms": "604800000",
        "retention.bytes": "-1",
        "segment.ms": "86400000",
    }
    assert config_of(LIVE, 3)["segment.ms"] == "3600000"
    assert config_of(DECIDER, 3) == all_have | compacted | {"cleanup.policy": "compact"}
    assert config_of(SINK, 3) == all_have | compacted | {
        "cleanup.policy": "compact,delete",
        "retention.ms": "777600000",
        "retention.bytes": "-1",
    }


def test_what_must_outlast_other_records_outlasts_the_last_one_of_a_segment() -> None:
    """A segment of a day goes when its newest record is too old, so its oldest is a day older."""
    deliveries = [*DELIVER.values(), RETRY]
    assert max(topic.retention_ms for topic in deliveries) + DAY_MS < SENT_KEPT_MS
    others = [topic for topic in TOPICS if topic is not ERASURES]
    assert max(topic.retention_ms for topic in others) + DAY_MS < ERASURES.retention_ms
    assert max(others, key=lambda topic: topic.retention_ms) is DEAD_LETTERS


def test_a_restore_trusts_tombstones_for_less_time_than_kafka_keeps_them() -> None:
    assert DELETIONS_KEPT * 1000 < DELETIONS_KEPT_MS


@pytest.mark.parametrize(
    ("topic", "setting", "value", "stays", "would_lose"),
    [
        (EVENTS, "retention.ms", "604800001", True, False),
        (EVENTS, "retention.ms", "-1", True, False),
        (EVENTS, "retention.ms", "604799999", False, True),
        (EVENTS, "retention.bytes", "1000000000", False, True),
        (EVENTS, "cleanup.policy", "compact", False, True),
        (EVENTS, "message.timestamp.type", "CreateTime", False, True),
        (EVENTS, "unclean.leader.election.enable", "true", False, True),
        (EVENTS, "min.insync.replicas", "1", False, True),
        (EVENTS, "min.insync.replicas", "3", True, False),
        (EVENTS, "min.insync.replicas", "4", False, True),
        (EVENTS, "max.message.bytes", "1048588", False, False),
        (EVENTS, "max.message.bytes", "16777216", True, False),
        (EVENTS, "segment.ms", "604800000", False, False),
        (EVENTS, "segment.ms", "3600000", True, False),
        (DECIDER, "cleanup.policy", "delete", False, True),
        (DECIDER, "cleanup.policy", "compact,delete", False, True),
        (DECIDER, "delete.retention.ms", "86399999", False, True),
        (DECIDER, "delete.retention.ms", "172800000", True, False),
        (DECIDER, "max.compaction.lag.ms", "9223372036854775807", False, False),
        (DECIDER, "max.compaction.lag.ms", "3600000", True, False),
        (DECIDER, "segment.bytes", "1073741824", False, False),
        (SINK, "cleanup.policy", "compact", False, True),
        (SINK, "retention.ms", "604800000", False, True),
    ],
)
def test_another_value_stays_only_where_it_is_no_worse(
    topic: object, setting: str, value: str, stays: bool, would_lose: bool
) -> None:
    declared = config_of(topic, 3)  # type: ignore[arg-type]
    (found,) = differences(topic, 3, {**declared, setting: value})  # type: ignore[arg-type]
    assert (found.setting, found.found, found.wanted) == (setting, value, declared[setting])
    assert (found.stays, bool(found.loses)) == (stays, would_lose)


def test_the_order_of_clean_up_policies_is_no_difference() -> None:
    declared = config_of(SINK, 1)
    assert not list(differences(SINK, 1, {**declared, "cleanup.policy": "delete, compact"}))
