import asyncio
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.metadata import MetadataRequest

from pipeline.kafka_requests import api_of, count_requests
from pipeline.metrics import KAFKA_REQUESTS


class ProduceRequest_v7:  # noqa: N801 - as the client names what it sends
    pass


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
    before, request = counted("Produce"), ProduceRequest_v7()
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


def test_an_api_is_named_without_its_version() -> None:
    assert api_of(ProduceRequest_v7()) == "Produce"
    assert api_of(MetadataRequest()) == "Metadata"
