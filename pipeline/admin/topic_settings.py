"""What each topic must be set to in Kafka, and which other values an operator may choose."""

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from schemas.topics import DAY_MS, SEGMENT_MS, Topic

COMPACTION_LAG_MS = DAY_MS
"""After which Kafka compacts a topic, however little is written, so that what was deleted goes."""
DELETIONS_KEPT_MS = DAY_MS
"""How long a compacted topic still says what was deleted; a restore relies on it."""
SEGMENT_BYTES = 128 << 20
"""Of a compacted topic: the newest segment is never compacted, so a restore reads all of it."""
UNLIMITED = "-1"
SAFE_REPLICAS = 3
"""From so many replicas on, one may be away and every record is still on two disks."""


class Setting(Struct, frozen=True, kw_only=True):
    """One setting of a topic, as Kafka names it.

    `allows` says which other values are no worse: those an operator chose stay. `loses` is what
    any other value would cost, empty where it costs no data.
    """

    name: str
    value: str
    allows: Callable[[str], bool]
    loses: str = ""


class Difference(Struct, frozen=True, kw_only=True):
    """A setting of an existing topic that is not as declared; one that `stays` is no worse."""

    topic: str
    setting: str
    found: str
    wanted: str
    stays: bool
    loses: str = ""


def settings_of(topic: Topic, replicas: int) -> tuple[Setting, ...]:
    """The settings of a topic with so many replicas; of those left out, Kafka's default does."""
    return (*_of_all(topic, replicas), *_of_retention(topic), *_of_compaction(topic))


def config_of(topic: Topic, replicas: int) -> dict[str, str]:
    """The same by name, to create the topic with."""
    return {setting.name: setting.value for setting in settings_of(topic, replicas)}


def differences(topic: Topic, replicas: int, found: Mapping[str, str]) -> Iterator[Difference]:
    """What an existing topic has set otherwise; `found` has all settings, by name."""
    for setting in settings_of(topic, replicas):
        value = found[setting.name]
        if setting.name == "cleanup.policy":
            value = ",".join(sorted(value.replace(" ", "").split(",")))
        if value == setting.value:
            continue
        stays = setting.allows(value)
        yield Difference(
            topic=topic.name,
            setting=setting.name,
            found=value,
            wanted=setting.value,
            stays=stays,
            loses="" if stays else setting.loses,
        )


def _of_all(topic: Topic, replicas: int) -> Iterator[Setting]:
    policies = ["compact"] * topic.compacted + ["delete"] * (topic.retention_ms > 0)
    in_sync = 2 if replicas >= SAFE_REPLICAS else 1
    yield Setting(
        name="cleanup.policy",
        value=",".join(policies),
        allows=_nothing,
        loses="the state in it would expire" if topic.compacted else "records would be compacted",
    )
    yield Setting(
        # A producer whose clock is off must not decide what is old, or when we took it.
        name="message.timestamp.type",
        value="LogAppendTime",
        allows=_nothing,
        loses="a producer with a wrong clock would decide what is old",
    )
    yield Setting(
        name="unclean.leader.election.enable",
        value="false",
        allows=_nothing,
        loses="a replica that lacks acknowledged records could take over",
    )
    yield Setting(
        name="min.insync.replicas",
        value=str(in_sync),
        allows=lambda value: in_sync <= int(value) <= replicas,
        loses="a record could be acknowledged by one broker alone" if in_sync > 1 else "",
    )
    yield Setting(
        name="max.message.bytes",
        value=str(topic.largest_record),
        allows=_from(topic.largest_record),
    )


def _of_retention(topic: Topic) -> Iterator[Setting]:
    if not topic.retention_ms:
        return
    yield Setting(
        name="retention.ms",
        value=str(topic.retention_ms),
        allows=lambda value: value == UNLIMITED or int(value) > topic.retention_ms,
        loses="records would be deleted before they are done with",
    )
    yield Setting(
        name="retention.bytes",
        value=UNLIMITED,
        allows=_nothing,
        loses="records would be deleted before they are done with",
    )
    if not topic.compacted:
        most = min(SEGMENT_MS, topic.retention_ms)
        yield Setting(name="segment.ms", value=str(most), allows=_up_to(most))


def _of_compaction(topic: Topic) -> Iterator[Setting]:
    if not topic.compacted:
        return
    yield Setting(
        name="max.compaction.lag.ms",
        value=str(COMPACTION_LAG_MS),
        allows=_up_to(COMPACTION_LAG_MS),
    )
    yield Setting(
        name="delete.retention.ms",
        value=str(DELETIONS_KEPT_MS),
        allows=_from(DELETIONS_KEPT_MS),
        loses="a worker that comes back would restore what was deleted",
    )
    yield Setting(name="segment.ms", value=str(COMPACTION_LAG_MS), allows=_up_to(COMPACTION_LAG_MS))
    yield Setting(name="segment.bytes", value=str(SEGMENT_BYTES), allows=_up_to(SEGMENT_BYTES))


def _nothing(_: str) -> bool:
    return False


def _from(least: int) -> Callable[[str], bool]:
    return lambda value: int(value) >= least


def _up_to(most: int) -> Callable[[str], bool]:
    return lambda value: 0 < int(value) <= most
