"""A web process is ready as long as a broker answers."""

import pytest
from aiohttp.test_utils import make_mocked_request

from embedded.kafka import Kafka
from pipeline.producing.producer import start_producer
from tests.kafka_proxy import METADATA, of, proxy_to
from web.workers.reach import Reach


async def status(reach: Reach) -> int:
    return (await reach.answer(make_mocked_request("GET", "/ready"))).status


async def test_it_is_ready_while_a_broker_answers(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxy_to(int(kafka.address.rpartition(":")[2])) as proxy:
        producer = await start_producer(proxy.address)
        try:
            reach = Reach(producer)
            assert await status(reach) == 200
            asked = proxy.seen[METADATA]
            assert await status(reach) == 200
            assert proxy.seen[METADATA] == asked, "who asks often does not ask Kafka so"

            monkeypatch.setattr("web.workers.reach.KEPT_SECONDS", -1)
            proxy.hold(of(METADATA))
            assert await status(reach) == 503
            proxy.let_go()
            assert await status(reach) == 200
        finally:
            await producer.stop()
