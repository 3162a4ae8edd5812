"""Whether Kafka is as we need it: reached, topics and their settings, rights, and its clock."""

import time
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import ClusterAuthorizationFailedError, KafkaError

from agents.check.findings import Finding, State
from pipeline.admin.foreign_writers import foreign_writers, rules_of
from pipeline.admin.grants import to_run
from pipeline.admin.rights import missing
from pipeline.admin.topic_alteration import mend_topics
from pipeline.admin.topic_creation import check_topics, create_topics
from pipeline.kafka.clients import administrator, new_client
from pipeline.settings import Settings
from schemas.errors import Misconfigured, Unavailable
from schemas.topics import OWNERS, TOPICS, needed_topics
from tables.former_topics import (
    LAST,
    FormerTopic,
    former_topics,
    left,
    unknown_in,
    unread_in,
)

MOST_CLOCK_MS = 1000
"""By which our clock and another may differ: beyond it, quiet hours and times to live are off."""
CLOCK_KEY = b"clock"
"""Of a record without a value, which readers of `owners` pass over and compaction removes."""
SHOWN = 3
"""How many of several faults are named in one line."""


async def check_kafka(settings: Settings) -> AsyncIterator[Finding]:
    """Look at everything, in the order in which a worker needs it; changes nothing."""
    where = str(settings.brokers)
    try:
        async with administrator(settings.brokers) as admin:
            await admin.list_topics()
            yield Finding("Kafka", State.OK, f"{where} lets us in")
            found = [await _rights(settings, admin)]
            if (others := await _others(settings, admin)) is not None:
                found.append(others)
            found += [each async for each in _topics(settings)]
            for each in found:
                yield each
        if all(each.state is not State.FAILED for each in found):
            yield await _clock(settings)
        else:
            yield Finding(
                "Kafka's clock", State.SKIPPED, "topics or grants are not as they must be"
            )
    except (Unavailable, Misconfigured) as error:
        yield Finding("Kafka", State.FAILED, str(error), "set TOCSIN_KAFKA… to how it is reached")


async def _topics(settings: Settings) -> AsyncIterator[Finding]:
    try:
        topics = needed_topics(outcomes=settings.outcomes)
        lacking = await create_topics(settings, topics, dry_run=True)
        await check_topics(settings, [each for each in topics if each.name not in lacking])
    except Misconfigured as error:
        yield Finding("Topics", State.FAILED, str(error), "set TOCSIN_PARTITIONS")
        return
    if lacking:
        said = f"{len(lacking)} of {len(topics)} are missing: {_some(lacking)}"
        yield Finding("Topics", State.FAILED, said, "run `tocsin setup`")
    else:
        yield Finding("Topics", State.OK, f"all {len(topics)}, {settings.partitions} partitions")
    different = await mend_topics(settings, TOPICS, dry_run=True)
    wrong = [each for each in different if not each.stays]
    losing = [each for each in wrong if each.loses]
    shown = _some([f"{each.topic} has {each.setting}={each.found}" for each in losing or wrong])
    if wrong:
        state = State.FAILED if losing else State.WARNING
        told = f"{len(wrong)} are not as declared: {shown}"
        yield Finding("Settings of topics", state, told, "run `tocsin setup`")
    else:
        yield Finding("Settings of topics", State.OK, "as declared, or no worse")
    if former := await former_topics(settings):
        yield former_finding(former)


def former_finding(topics: list[FormerTopic]) -> Finding:
    """Whether topics of before hold what nobody has read."""
    name = "Topics of before"
    if any(each.unread for each in topics):
        todo = f"let workers of {LAST} read them, or delete these topics to give them up"
        return Finding(name, State.FAILED, unread_in(topics), todo)
    if any(each.unknown for each in topics):
        return Finding(name, State.WARNING, unknown_in(topics), left(topics))
    return Finding(name, State.OK, "all that was in them is read", left(topics))


async def _rights(settings: Settings, admin: AIOKafkaAdminClient) -> Finding:
    name = "Kafka's grants"
    try:
        lacking = [
            each
            for grant in to_run()
            for each in await missing(admin._client, grant)  # noqa: SLF001 - it has no such method
        ]
    except KafkaError as error:
        return Finding(name, State.WARNING, f"it does not say what we may do ({error!r})")
    if not lacking:
        return Finding(name, State.OK, "all that workers, web and commands need")
    todo = "allow what `tocsin setup --acls User:NAME` prints"
    return Finding(name, State.FAILED, f"{len(lacking)} are missing: {_some(lacking)}", todo)


async def _others(settings: Settings, admin: AIOKafkaAdminClient) -> Finding | None:
    """Whether others may write where Tocsin alone does; None where Kafka has no access rules."""
    name = "Writers of topics"
    try:
        rules = await rules_of(admin._client)  # noqa: SLF001 - it takes no filter for all of them
    except ClusterAuthorizationFailedError:
        todo = "to have it looked at, allow Describe on the cluster"
        return Finding(name, State.SKIPPED, "we must not see Kafka's access rules", todo)
    except KafkaError as error:
        return Finding(name, State.WARNING, f"Kafka does not say who may write ({error!r})")
    if rules is None:
        return None
    others = foreign_writers(rules, settings.prefix, settings.kafka_user)
    if not others:
        return Finding(name, State.OK, "nobody else may write to internal topics")
    said = _some([f"{who} {_some(topics)}" for who, topics in others.items()])
    todo = "take Write on them from everybody but Tocsin: what stands there is believed"
    return Finding(name, State.WARNING, f"others may write to internal topics: {said}", todo)


async def _clock(settings: Settings) -> Finding:
    producer = new_client(AIOKafkaProducer, settings.brokers, acks="all")
    try:
        await producer.start()
        await producer.send_and_wait(OWNERS.name, None, CLOCK_KEY, 0)  # what a connection takes
        before = time.time()
        written = await producer.send_and_wait(OWNERS.name, None, CLOCK_KEY, 0)
        after = time.time()
    except KafkaError as error:
        return Finding("Kafka's clock", State.WARNING, f"it was not told ({error!r})")
    finally:
        await producer.stop()
    return clock_finding("Kafka's clock", written.timestamp, before, after)


def clock_finding(subject: str, theirs: int, before: float, after: float) -> Finding:
    """How far theirs (epoch ms), read at some time between ours (epoch s), is from ours."""
    low, high = theirs - after * 1000, theirs - before * 1000
    off = 0.0 if low <= 0 <= high else min(low, high, key=abs)
    if abs(off) <= MOST_CLOCK_MS:
        return Finding(subject, State.OK, f"within {max(1, round(abs(off)))} ms of ours")
    side = "ahead of" if off > 0 else "behind"
    return Finding(
        subject,
        State.FAILED,
        f"{abs(off) / 1000:.1f} s {side} ours",
        "synchronize both machines by NTP",
    )


def _some(faults: list[str]) -> str:
    more = f" and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
    return ", ".join(faults[:SHOWN]) + more
