"""Heeding brokers that ask for a pause: their quotas are kept by clients that send nothing then."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

from aiokafka.client import AIOKafkaClient, ConnectionGroup

from pipeline.kafka.request_counts import api_of
from pipeline.monitoring.metrics import KAFKA_THROTTLED

PAUSES_AFTER_ANSWER = {0: 6, 1: 8, 2: 3, 3: 6, 8: 4, 9: 4, 10: 2, 11: 3, 12: 2, 13: 2, 14: 2}
"""By API key, from which version on an answer comes before its pause and not after it (KIP-219)."""

Send = Callable[..., Awaitable[Any]]


def obey_throttling() -> None:
    """Have all clients of this process heed pauses from now on; more calls change nothing.

    aiokafka reads `throttle_time_ms` and does nothing with it. The broker then leaves the next
    request unread until the pause is over, the client takes it for hung, ends the connection and
    asks again. So a request waits here, and its time only begins once it is sent.
    """
    send = AIOKafkaClient.send
    if not hasattr(send, "__wrapped__"):
        AIOKafkaClient.send = _obeying(send)


def pause_left(client: AIOKafkaClient, node: int | None) -> float:
    """Seconds for which this broker wants nothing from us on the connection for records."""
    return _left(_pauses(client), (node, ConnectionGroup.DEFAULT))


def _obeying(send: Send) -> Send:
    @wraps(send)
    async def obey(
        client: AIOKafkaClient,
        node_id: int,
        request: Any,
        *,
        group: ConnectionGroup = ConnectionGroup.DEFAULT,
    ) -> Any:
        pauses, place = _pauses(client), (node_id, group)
        while pauses and (left := _left(pauses, place)) > 0:  # noqa: ASYNC110 - pauses end by time
            await asyncio.sleep(left)
        response = await send(client, node_id, request, group=group)
        pause: int = getattr(response, "throttle_time_ms", 0)
        if pause > 0:
            _note(pauses, place, response, pause / 1000)
        return response

    return obey


def _note(
    pauses: dict[tuple[int | None, Any], float],
    place: tuple[int | None, Any],
    response: Any,
    seconds: float,
) -> None:
    least = PAUSES_AFTER_ANSWER.get(response.API_KEY)
    if least is None:
        return
    KAFKA_THROTTLED.labels(api_of(response)).inc(seconds)
    if least <= response.API_VERSION:
        pauses[place] = max(pauses.get(place, 0.0), time.monotonic() + seconds)


def _left(pauses: dict[tuple[int | None, Any], float], place: tuple[int | None, Any]) -> float:
    until = pauses.get(place)
    if until is None:
        return 0.0
    left = until - time.monotonic()
    if left <= 0:
        del pauses[place]
    return max(left, 0.0)


def _pauses(client: Any) -> dict[tuple[int | None, Any], float]:
    """Until when (monotonic) nothing is to be sent, by broker and kind of connection."""
    pauses: dict[tuple[int | None, Any], float] | None = getattr(client, "_tocsin_pauses", None)
    if pauses is None:
        pauses = client._tocsin_pauses = {}  # noqa: SLF001 - of ours, and ends with the client
    return pauses
