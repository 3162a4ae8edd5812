import asyncio
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.produce import ProduceRequest

from pipeline.consuming.fetch_requests import Changes
from pipeline.consuming.membership import NamedHeartbeatRequest
from pipeline.kafka.request_counts import api_of, count_requests
from pipeline.monitoring.metrics import KAFKA_REQUESTS

REQUEST = ProduceRequest(transactional_id=None, required_acks=-1, timeout=1000, topics=[])


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, bool]]:
    requests: list[tuple[object, bool]] = []

    async def send(_: object, request: object, expect_response: bool = True) -> str:
        requests.append((request, expect_response))
        return "answer"

    monkeypatch.setattr(AIOKafkaConnection, "send", send)
    return requests


def counted(api: str) -> float:
    value: float = KAFKA_REQUESTS.labels(api)._value.get()
    return value


async def test_each_request_is_sent_as_it_was_and_counted_once(
    sent: list[tuple[object, bool]],
) -> None:
    connection = AIOKafkaConnection.__new__(AIOKafkaConnection)
    before, request = counted("Produce"), REQUEST
    count_requests()
    count_requests()
    answers: list[Any] = list(
        await asyncio.gather(
            AIOKafkaConnection.send(connection, request),
            AIOKafkaConnection.send(connection, request, expect_response=False),
        )
    )
    assert answers == ["answer", "answer"]
    assert sent == [(request, True), (request, False)]
    assert counted("Produce") == before + 2


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (REQUEST, "Produce"),
        (MetadataRequest(), "Metadata"),
        (NamedHeartbeatRequest("group", 1, "member", None), "Heartbeat"),
        (Changes(FetchRequest(500, 1, 1, 1, []), (0, 0), [], []), "Fetch"),
    ],
)
def test_what_is_sent_in_a_form_of_ours_has_the_name_of_its_api(request_: Any, name: str) -> None:
    assert api_of(request_) == name
