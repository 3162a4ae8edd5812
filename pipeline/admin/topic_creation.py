"""Creating topics, before any worker subscribes: one that comes later is not seen for a while."""

from collections.abc import Iterable

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from pipeline.admin.topic_settings import config_of
from pipeline.kafka.brokers import Kafka
from pipeline.kafka.clients import administrator
from pipeline.settings import Settings
from schemas.errors import Misconfigured, Unavailable
from schemas.topics import Topic


async def create_topics(
    settings: Settings, topics: Iterable[Topic], *, dry_run: bool = False
) -> list[str]:
    """Create what is missing and return its names; with `dry_run` create nothing.

    Raises Unavailable without a broker, and Misconfigured where a topic exists with another
    partition count: the same key would then be in two places.
    """
    wanted = {topic.name: topic for topic in topics}
    async with administrator(settings.brokers, _not_created) as admin:
        existing = await admin.describe_topics(
            sorted(wanted.keys() & set(await admin.list_topics()))
        )
        _check(existing, settings.partitions)
        missing = wanted.keys() - {topic["topic"] for topic in existing}
        if not dry_run:
            await _create(admin, [wanted[name] for name in sorted(missing)], settings)
    return sorted(missing)


async def check_topics(settings: Settings, topics: Iterable[Topic]) -> None:
    """See that these are there, with as many partitions as the settings say.

    Raises Misconfigured where that is not so, and Unavailable without a broker.
    """
    names = {topic.name for topic in topics}
    async with administrator(settings.brokers) as admin:
        missing = names - set(await admin.list_topics())
        existing = await admin.describe_topics(sorted(names - missing))
    _check(existing, settings.partitions)
    if missing:
        raise Misconfigured(
            f"Kafka at {settings.brokers} has no topic {min(missing)}. Nothing was read; `tocsin "
            "setup`, with the same settings, creates it, or set TOCSIN_KAFKA to another."
        )


def _check(existing: list[dict[str, object]], partitions: int) -> None:
    for topic in existing:
        found = len(topic["partitions"])  # type: ignore[arg-type]
        if found != partitions:
            raise Misconfigured(
                f"Topic {topic['topic']} has {found} partitions, TOCSIN_PARTITIONS says "
                f"{partitions}. A key would be looked for in the wrong place, so nothing was "
                f"started; set TOCSIN_PARTITIONS={found}."
            )


async def _create(admin: AIOKafkaAdminClient, topics: list[Topic], settings: Settings) -> None:
    if not topics:
        return
    response = await admin.create_topics(
        [
            NewTopic(
                topic.name,
                settings.partitions,
                settings.replication,
                topic_configs=config_of(topic, settings.replication),
            )
            for topic in topics
        ]
    )
    for name, code, *message in response.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(f"{name}: {message}")


def _not_created(kafka: Kafka, error: KafkaError) -> Unavailable:
    return Unavailable(
        f"Kafka at {kafka} could not create the topics ({error!r}). Nothing was "
        "started; start Kafka, or set TOCSIN_KAFKA to where it listens."
    )
