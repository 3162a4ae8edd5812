"""Topics of before, which this version doesn't read: which are there, and what was left in them.

Without a look at them, what nobody had read in time would be lost without a word.
"""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from msgspec import Struct

from pipeline.admin.end_offsets import learn
from pipeline.kafka.clients import administrator, reader
from pipeline.settings import Settings
from schemas.errors import Unavailable
from schemas.topics import FORMER, KEPT_MS, changelog, group_of
from tables.storage.frontiers import stored_frontiers

LAST = "0.5.0"
"""The last version that read them."""
FORGOTTEN_MS = KEPT_MS
"""After which Kafka forgets what was committed of what is read no more, unless told otherwise."""

log = logging.getLogger(__name__)


class FormerTopic(Struct, frozen=True, kw_only=True):
    """One that is still in Kafka.

    Its role has not read `unread` of its records. Of partitions where Kafka keeps no committed
    offset, and whose last record is so old that it may have forgotten one, nobody knows: these hold
    `unknown` records.
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
        there = set(await admin.list_topics())
        names = sorted(wanted & there)
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
            # One with neither was never read: a role commits nothing where there was nothing to do.
            new = await _new(consumer, [tp for tp in held if tp not in committed])
    done = committed | dict.fromkeys(new, 0)
    behind = [tp for tp in held if tp in done and done[tp] < ends[tp]]
    stored = await _stored(settings, behind, there)
    unread, unknown = Counter[str](), Counter[str]()
    for tp in held:
        counts = unread if tp in done else unknown
        read_to = max(starts[tp], done.get(tp, 0), stored.get(tp, 0))
        counts[tp.topic] += max(0, ends[tp] - read_to)
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


async def _new(consumer: AIOKafkaConsumer, tps: Sequence[TopicPartition]) -> list[TopicPartition]:
    """Those with a record so young that Kafka would still know if it was read."""
    since = round(time.time() * 1000) - FORGOTTEN_MS
    found = await consumer.offsets_for_times(dict.fromkeys(tps, since)) if tps else {}
    return [tp for tp, first in found.items() if first is not None]


async def _stored(
    settings: Settings, tps: Iterable[TopicPartition], there: set[str]
) -> Mapping[TopicPartition, int]:
    """How far the roles' own states say that they are, which a crash lets Kafka know too late."""
    by_role: defaultdict[str, list[TopicPartition]] = defaultdict(list)
    for tp in tps:
        by_role[FORMER[tp.topic]].append(tp)
    found: dict[TopicPartition, int] = {}
    for role, its in by_role.items():
        if changelog(role).name in there:
            found |= await stored_frontiers(settings, role, its)
    return found
