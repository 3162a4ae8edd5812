"""What a request's body holds is within the bounds of topics, and the field at fault is named."""

import msgspec
import pytest
from msgspec import Struct

from web.api.bodies import EventBody, EventsBody
from web.api.problem import Problem
from web.api.routes.users import ContactsBody, PreferencesBody
from web.http.body import value_of
from web.inbox import ChangeBody

EVENT = b'{"id": "1", "type": "t", "actor": "a", %b}'
DEEP = b'"data": {"x": ' + b"[" * 40 + b"]" * 40 + b"}"
LATE = b"9999-12-31T23:59:59-01:00"
ADDRESSES = b",".join([b'"a@example.com"'] * 1001)
REFUSED: dict[str, tuple[type[Struct], bytes, str]] = {
    "a phone": (ContactsBody, b'{"phone": "+%b"}' % (b"1" * 70_000), "/phone"),
    "addresses": (ContactsBody, b'{"suppressed": [%b]}' % ADDRESSES, "/suppressed"),
    "data": (EventBody, EVENT % DEEP, "/data"),
    "a time": (EventBody, EVENT % b'"deliver_at": "%b"' % LATE, "/deliver_at"),
    "one of many": (
        EventsBody,
        b'{"events": [%b, %b]}' % (EVENT % b'"data": {}', EVENT % b'"occurred_at": "%b"' % LATE),
        "/events/1/occurred_at",
    ),
    "a snooze": (PreferencesBody, b'{"snooze_until": "%b"}' % LATE, "/snooze_until"),
    "an item": (ChangeBody, b'{"kind": "snoozed", "until": "%b"}' % LATE, "/until"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_out_of_bounds_is_refused_with_a_pointer_to_it(name: str) -> None:
    kind, body, pointer = REFUSED[name]
    with pytest.raises(Problem) as caught:
        value_of(body, msgspec.json.Decoder(kind))
    assert caught.value.status == 400
    assert [error.pointer for error in caught.value.body.errors] == [pointer]


def test_a_body_that_is_nested_without_end_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        value_of(EVENT % DEEP.replace(b"[" * 40, b"[" * 50_000), msgspec.json.Decoder(EventBody))
    assert caught.value.status == 400


def test_a_number_beyond_64_bits_is_text_from_here_on() -> None:
    body = EVENT % b'"data": {"wei": 18446744073709551616, "n": 1}'
    value = value_of(body, msgspec.json.Decoder(EventBody))
    assert value.data == {"wei": "18446744073709551616", "n": 1}
