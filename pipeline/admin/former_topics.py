"""Topics of before, which this version doesn't read: which are there, and what was left in them.

Without a look at them, what nobody had read in time would be lost without a word.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from msgspec import Struct

from pipeline.admin.end_offsets import learn
from pipeline.kafka.clients import administrator, reader
from pipeline.settings import Settings
from schemas.errors import Unavailable
from schemas.topics import FORMER, group_of

LAST = "0.5.0"
"""The last version that read them."""

log = logging.getLogger(__name__)


class FormerTopic(Struct, frozen=True, kw_only=True):
    """One that is still in Kafka.

    Its role has not read `unread` of its records. Of partitions where Kafka keeps no committed
    offset, as after a week without a reader, nobody knows: these hold `unknown` records.
    """

    topic: str
    unread: int = 0
    unknown: int = 0


async def former_topics(settings: Settings, roles: Iterable[str] = ()) -> list[FormerTopic]:
    """Those that are there and that one of these roles read, or any role, by name.

    Raises Unavailable.
    """
    wanted = {name for name, role in FORMER.items() if role in roles or not roles}
    if not wanted:
        return []
    async with administrator(settings.brokers) as admin:
        names = sorted(wanted & set(await admin.list_topics()))
        if not names:
            return []
        tps = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in await admin.describe_topics(names)
            for partition in topic["partitions"]
        ]
        async with reader(settings.brokers) as consumer:
            await learn(consumer, names)
            starts, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        held = [tp for tp in tps if starts[tp] < ends[tp]]
        # Only then, as a new cluster has nobody who could say.
        committed = await _committed(admin) if held else {}
    unread, unknown = Counter[str](), Counter[str]()
    for tp in held:
        done = committed.get(tp)
        counts = unknown if done is None else unread
        counts[tp.topic] += max(0, ends[tp] - max(starts[tp], done or 0))
    return [FormerTopic(topic=name, unread=unread[name], unknown=unknown[name]) for name in names]


async def refuse_unread(settings: Settings, role: str) -> None:
    """Raise Unavailable where former topics of a role hold what it has not read; warn of what may
    not have been."""
    found = await former_topics(settings, [role])
    if any(each.unread for each in found):
        raise Unavailable(
            f"{unread_in(found)}. This version does not read them, so nothing was started; let "
            f"workers of {LAST} read them, or delete these topics to give them up."
        )
    if any(each.unknown for each in found):
        log.warning("%s", unknown_in(found))


def unread_in(topics: Sequence[FormerTopic]) -> str:
    """How many records were read by nobody, and where."""
    places = [f"{each.unread} in {each.topic}" for each in topics if each.unread]
    return f"Nobody has read some records: {', '.join(places)}"


def unknown_in(topics: Sequence[FormerTopic]) -> str:
    """Of how many records nobody knows whether they were read, and where."""
    places = [f"{each.unknown} in {each.topic}" for each in topics if each.unknown]
    return (
        f"Kafka no longer knows whether records were read: {', '.join(places)}. They were if "
        f"workers of {LAST} ran until they had no lag"
    )


def left(topics: Sequence[FormerTopic]) -> str:
    """That they may go, and when."""
    names = ", ".join(each.topic for each in topics)
    return f"once you will not go back to {LAST}, delete what nobody reads any more: {names}"


def said_of(topics: Sequence[FormerTopic]) -> str:
    """What is to be known of them, in a sentence or two."""
    if any(each.unread for each in topics):
        return f"{unread_in(topics)}. Let workers of {LAST} read them before you replace them."
    if any(each.unknown for each in topics):
        return f"{unknown_in(topics)}; {left(topics)}."
    return f"All is read that topics of before held; {left(topics)}."


async def _committed(admin: AIOKafkaAdminClient) -> dict[TopicPartition, int]:
    return {
        tp: place.offset
        for role in set(FORMER.values())
        for tp, place in (await admin.list_consumer_group_offsets(group_of(role))).items()
        if FORMER.get(tp.topic) == role and place.offset >= 0
    }
