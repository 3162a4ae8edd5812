"""What must be there before any worker starts: topics and tables."""

from analytics.clickhouse import ClickHouse
from analytics.migration import migrate
from pipeline.settings import Settings
from pipeline.topic_creation import create_topics
from pipeline.topics import TOPICS


async def set_up(settings: Settings) -> list[str]:
    """Create what is missing; returns the names of the topics it created. Safe to repeat."""
    created = await create_topics(settings, TOPICS)
    clickhouse = ClickHouse(settings)
    try:
        await migrate(clickhouse, settings.clickhouse_cluster)
    finally:
        await clickhouse.close()
    return created
