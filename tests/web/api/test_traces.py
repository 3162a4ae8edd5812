"""A request of a recorded trace: the events that it writes are part of it."""

import pytest

from schemas.topics import EVENTS
from schemas.trace import HEADER, STATE_HEADER
from tests.web.api.client import Client

SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
EVENT = {"id": "e1", "type": "order.shipped", "actor": "shop", "data": {"customer_id": "ada"}}


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/events", EVENT), ("/v1/events/bulk", {"events": [EVENT]})]
)
@pytest.mark.parametrize(
    ("header", "expected"),
    [(SAMPLED, SAMPLED), (f"{SAMPLED[:-1]}0", None), ("nonsense", None), ("", None)],
)
async def test_the_events_of_a_request_have_its_trace(
    client: Client, path: str, body: dict[str, object], header: str, expected: str | None
) -> None:
    headers = {"Authorization": "Bearer key"} | ({HEADER: header} if header else {})
    answer = await client.caller.call("POST", path, json=body, headers=headers)
    assert answer.status == 202, answer.text
    (written,) = client.topics.said(EVENTS)
    assert written.get("trace") == expected


@pytest.mark.parametrize(
    ("trace", "state", "expected"),
    [(SAMPLED, "a=1, b=2", "a=1,b=2"), (SAMPLED, "nonsense", None), ("", "a=1", None)],
)
async def test_and_what_goes_with_it(
    client: Client, trace: str, state: str, expected: str | None
) -> None:
    headers = {"Authorization": "Bearer key", STATE_HEADER: state}
    headers |= {HEADER: trace} if trace else {}
    answer = await client.caller.call("POST", "/v1/events", json=EVENT, headers=headers)
    assert answer.status == 202, answer.text
    (written,) = client.topics.said(EVENTS)
    assert written.get("tracestate") == expected
