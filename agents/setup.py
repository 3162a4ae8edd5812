"""What must be there before any worker starts: topics and tables."""

from msgspec import Struct

from analytics.analyst import keep_apart
from analytics.clickhouse import ClickHouse
from analytics.migration import migrate
from pipeline.admin.topic_alteration import mend_topics
from pipeline.admin.topic_creation import create_topics
from pipeline.admin.topic_settings import Difference
from pipeline.settings import Settings
from schemas.topics import TOPICS, needed_topics
from tables.former_topics import FormerTopic, former_topics


class SetUp(Struct, frozen=True, kw_only=True):
    """What was done, or with a dry run would be."""

    created: tuple[str, ...]
    """Names of topics."""
    mended: tuple[Difference, ...]
    """Settings of topics that were there."""
    kept: tuple[Difference, ...]
    """Settings that are not the declared ones, but no worse: an operator's own choice."""
    migrations: tuple[str, ...]
    """Steps of ClickHouse's schema."""
    former: tuple[FormerTopic, ...] = ()
    """What is there of topics that this version does not read; nothing is done with them."""


async def set_up(settings: Settings, *, dry_run: bool = False, has_tables: bool = True) -> SetUp:
    """Create and mend what is missing or wrong; safe to repeat. With `dry_run` change nothing.

    Without `has_tables` there are topics alone, and no ClickHouse is asked.
    """
    needed = needed_topics(outcomes=settings.outcomes)
    if has_tables and not dry_run:
        # Kafka has to be there, but before anything is created: this raises where a newer version
        # was here, whose topics must stay as they are.
        await create_topics(settings, needed, dry_run=True)
        await _set_up_tables(settings, dry_run=True)
    created = await create_topics(settings, needed, dry_run=dry_run)
    differences = await mend_topics(settings, TOPICS, dry_run=dry_run)
    former = await former_topics(settings)
    applied = await _set_up_tables(settings, dry_run=dry_run) if has_tables else []
    return SetUp(
        created=tuple(created),
        mended=tuple(each for each in differences if not each.stays),
        kept=tuple(each for each in differences if each.stays),
        migrations=tuple(applied),
        former=tuple(former),
    )


async def _set_up_tables(settings: Settings, *, dry_run: bool) -> list[str]:
    clickhouse = ClickHouse(settings)
    try:
        if not dry_run:
            await keep_apart(clickhouse, settings.clickhouse_database, settings.clickhouse_cluster)
        return await migrate(clickhouse, settings.clickhouse_cluster, dry_run=dry_run)
    finally:
        await clickhouse.close()
