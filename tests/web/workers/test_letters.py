"""A Kafka that stands still keeps nobody who asks for dead letters."""

import pytest

from embedded.kafka import Kafka
from pipeline.settings import Settings
from schemas.errors import Unavailable
from tests.kafka_proxy import FETCH, of, proxy_to
from tests.patience import ended
from web.workers import letters


async def test_dead_letters_are_read_in_time_or_not_at_all(
    kafka_with_topics: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxy_to(int(kafka_with_topics.address.rpartition(":")[2])) as proxy:
        settings = Settings(kafka=proxy.address)
        assert await ended(letters.find(settings, topic="no such topic")) == []
        proxy.hold(of(FETCH, 2))  # also where its topics end
        monkeypatch.setattr(letters, "SEARCH_SECONDS", 0.3)
        with pytest.raises(Unavailable, match=r"did not hand out its dead letters within 0\.3 s"):
            await ended(letters.find(settings))
        proxy.let_go()
