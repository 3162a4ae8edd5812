"""What must be there before any worker starts: topics and tables."""

from pipeline.settings import Settings
from pipeline.topic_creation import create_topics
from pipeline.topics import TOPICS
from sinks.clickhouse import ClickHouse


async def set_up(settings: Settings) -> list[str]:
    """Create what is missing; returns the names of the topics it created. Safe to repeat."""
    created = await create_topics(settings, TOPICS)
    clickhouse = ClickHouse(settings)
    try:
        await clickhouse.create_tables()
    finally:
        await clickhouse.close()
    return created
