"""Counting what this process asks of the brokers, by the kind of request."""

from collections.abc import Awaitable
from typing import Any

from aiokafka.conn import AIOKafkaConnection

from pipeline.metrics import KAFKA_REQUESTS

SUFFIX = "Request"


def count_requests() -> None:
    """Count every request of all of this process's clients from now on; more calls change nothing.

    Clients have no hook for that, so it is their connection's `send` that is wrapped.
    """
    send = AIOKafkaConnection.send
    if getattr(send, "is_counting", False):
        return

    def counting(
        connection: AIOKafkaConnection, request: Any, *args: Any, **options: Any
    ) -> Awaitable[Any]:
        KAFKA_REQUESTS.labels(api_of(request)).inc()
        answer: Awaitable[Any] = send(connection, request, *args, **options)
        return answer

    counting.is_counting = True  # type: ignore[attr-defined]
    AIOKafkaConnection.send = counting


def api_of(request: Any) -> str:
    """The name of a request's API key as Kafka's documentation has it, such as `Fetch`."""
    return type(request).__name__.partition("_")[0].removesuffix(SUFFIX)
