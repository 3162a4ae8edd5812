"""Counting what this process asks of the brokers, by the kind of request."""

from collections.abc import Awaitable
from functools import cache
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.api import Request

from pipeline.monitoring.metrics import KAFKA_REQUESTS

SUFFIX = "Request"
CLIENT = "aiokafka."

count_of = cache(KAFKA_REQUESTS.labels)


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
        count_of(api_of(request)).inc()
        answer: Awaitable[Any] = send(connection, request, *args, **options)
        return answer

    counting.is_counting = True  # type: ignore[attr-defined]
    AIOKafkaConnection.send = counting


def api_of(request: Any) -> str:
    """The name of the API that a request is for, such as `Fetch`."""
    return _names().get(request.API_KEY) or str(request.API_KEY)


@cache
def _names() -> dict[int, str]:
    """By API key, as some requests are forms of ours of what the client has."""
    kinds = (kind for kind in Request.__subclasses__() if kind.__module__.startswith(CLIENT))
    return {kind.API_KEY: kind.__name__.removesuffix(SUFFIX) for kind in kinds}
