"""Comparing the settings of existing topics with the declared ones, and altering them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code
from msgspec import Struct

from pipeline.admin.topic_creation import check_topics
from pipeline.admin.topic_settings import Difference, differences
from pipeline.kafka.clients import administrator
from pipeline.settings import Settings
from schemas.errors import Misconfigured
from schemas.topics import TOPICS, WRITTEN_IF_SET, Topic, changelog

SET_ON_TOPIC = 1
"""What Kafka says of a setting that was given to the topic itself, and is no default."""


class TopicState(Struct, frozen=True):
    """How an existing topic is set: all `values`, and those `own` ones that are no defaults."""

    replicas: int
    values: Mapping[str, str]
    own: Mapping[str, str]


async def mend_topics(
    settings: Settings, topics: Iterable[Topic], *, dry_run: bool = False
) -> list[Difference]:
    """Set existing topics as declared; returns what differed, also where it stays as it is.

    Everything else that an operator has set stays. With `dry_run` nothing is changed. Raises
    Unavailable without a broker.
    """
    async with administrator(settings.brokers) as admin:
        states = await _states(admin, topics)
        found = list(_compared(topics, states))
        changes: dict[str, dict[str, str]] = defaultdict(dict)
        for difference in found:
            if not difference.stays:
                changes[difference.topic][difference.setting] = difference.wanted
        if changes and not dry_run:
            await _alter(admin, {name: {**states[name].own, **changes[name]} for name in changes})
    return found


async def check_topics_of(settings: Settings, role: str, reads: Iterable[str]) -> None:
    """See that what a role reads, its changelog, and what its settings have it write, is there and
    set so that nothing is lost.

    Raises Misconfigured where that is not so, and Unavailable without a broker.
    """
    names = {*reads, changelog(role).name}
    if settings.outcomes:
        names.update(topic.name for topic in WRITTEN_IF_SET.get(role, ()))
    topics = [topic for topic in TOPICS if topic.name in names]
    await check_topics(settings, topics)
    await check_topic_settings(settings, topics)


async def check_topic_settings(settings: Settings, topics: Iterable[Topic]) -> None:
    """Raise Misconfigured where a topic's settings would lose data; raises Unavailable.

    Topics that do not exist are passed over.
    """
    async with administrator(settings.brokers) as admin:
        found = _compared(topics, await _states(admin, topics))
    for each in found:
        if each.loses:
            raise Misconfigured(
                f"Topic {each.topic} has {each.setting}={each.found} instead of {each.wanted}: "
                f"{each.loses}. Nothing was started; `tocsin setup` sets it right, and `tocsin "
                "setup --dry-run` shows what it would change."
            )


def _compared(topics: Iterable[Topic], states: Mapping[str, TopicState]) -> Iterable[Difference]:
    for topic in topics:
        if (state := states.get(topic.name)) is not None:
            for each in differences(topic, state.replicas, state.values):
                # A broker's default that is no worse is nobody's choice.
                if not each.stays or each.setting in state.own:
                    yield each


async def _states(admin: AIOKafkaAdminClient, topics: Iterable[Topic]) -> dict[str, TopicState]:
    names = sorted({topic.name for topic in topics} & set(await admin.list_topics()))
    if not names:
        return {}
    replicas = {
        topic["topic"]: min(len(partition["replicas"]) for partition in topic["partitions"])
        for topic in await admin.describe_topics(names)
    }
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    states = {}
    for response in await admin.describe_configs(resources):
        for code, message, _, name, entries in response.resources:
            if code:
                raise for_code(code)(f"{name}: {message}")
            values = {entry[0]: entry[1] for entry in entries}
            own = {entry[0]: entry[1] for entry in entries if entry[3] == SET_ON_TOPIC}
            states[name] = TopicState(replicas[name], values, own)
    return states


async def _alter(admin: AIOKafkaAdminClient, configs: Mapping[str, Mapping[str, str]]) -> None:
    # Each request says all that is set on the topic: what it leaves out would become a default.
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, name, dict(config))
        for name, config in configs.items()
    ]
    for response in await admin.alter_configs(resources):
        for code, message, _, name in response.resources:
            if code:
                raise for_code(code)(f"{name}: {message}")
