"""What is wrong with a body, and where."""

import time
from typing import Annotated

import msgspec
import pytest
from msgspec import Meta, Struct

from web.api.bodies import NotificationBody
from web.api.problem import FieldError, Problem, field_error
from web.http.body import value_of


class Line(Struct):
    count: Annotated[int, Meta(ge=1)]


class Body(Struct):
    lines: list[Line] = []
    names: dict[str, int] = {}


@pytest.mark.parametrize(
    ("text", "pointer", "said"),
    [
        ("[]", "", "Expected `object`, got `array`"),
        ('{"lines": 1}', "/lines", "Expected `array`, got `int`"),
        ('{"lines": [{"count": 1}, {"count": 0}]}', "/lines/1/count", "Expected `int` >= 1"),
        ('{"lines": [{}]}', "/lines/0", "Object missing required field `count`"),
        ('{"names": {"a": "x"}}', "/names/...", "Expected `int`, got `str`"),
    ],
)
def test_a_pointer_leads_to_the_field(text: str, pointer: str, said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as wrong:
        msgspec.json.decode(text, type=Body)
    assert field_error(wrong.value) == FieldError(pointer, said)
    assert field_error(wrong.value, "/events/3").pointer == f"/events/3{pointer}"


@pytest.mark.parametrize(
    ("body", "path", "instead"),
    [
        ({"user": ["ann"]}, "", " (did you mean users?)"),
        (
            {"users": ["ann"], "link": "https://a.example"},
            "",
            ": it has users, type, data, title, ",
        ),
        ({"users": ["ann"], "priority": "hi"}, "/priority", ": it is one of "),
        ({"users": ["ann"], "channels": ["pusch"]}, "/channels/0", " (did you mean push?): it is "),
        ({"users": ["ann"], "actions": [{"lable": "Go"}]}, "/actions/0", " (did you mean label?)"),
    ],
)
def test_it_is_said_what_may_be_there_instead(body: object, path: str, instead: str) -> None:
    decoder = msgspec.json.Decoder(NotificationBody)
    with pytest.raises(Problem) as wrong:
        value_of(msgspec.json.encode(body), decoder)
    (error,) = wrong.value.body.errors
    assert error.pointer == path
    assert instead in error.detail


@pytest.mark.parametrize(
    "body",
    [
        {"channels" * 100_000: 1},
        {"users": ["ann"], "channels": ["push" * 200_000]},
    ],
)
def test_what_is_as_long_as_the_body_is_neither_compared_nor_said_again(body: object) -> None:
    decoder, raw = msgspec.json.Decoder(NotificationBody), msgspec.json.encode(body)
    start = time.process_time()
    with pytest.raises(Problem) as wrong:
        value_of(raw, decoder)
    assert time.process_time() - start < 0.3  # all other requests wait meanwhile
    assert len(wrong.value.body.errors[0].detail) < 500


def test_what_is_no_json_is_wrong_as_a_whole() -> None:
    with pytest.raises(msgspec.DecodeError) as wrong:
        msgspec.json.decode(b'{"a"', type=Body)
    found = field_error(wrong.value)
    assert (found.pointer, found.detail) == ("", "Input data was truncated")


def test_signs_of_a_pointer_are_escaped() -> None:
    error = msgspec.ValidationError("Expected `int` - at `$.a/b~c[2]`")
    assert field_error(error) == FieldError("/a~1b~0c/2", "Expected `int`")


def test_a_problem_is_answered_as_rfc_9457_has_it() -> None:
    error = FieldError("/type", "unknown")
    answer = Problem(400, "No.", error, headers={"Retry-After": "5"}).response()
    assert (answer.status, answer.content_type) == (400, "application/problem+json")
    assert answer.headers["Retry-After"] == "5"
    assert isinstance(answer.body, bytes)
    assert msgspec.json.decode(answer.body) == {
        "title": "The request can't be used",
        "status": 400,
        "detail": "No.",
        "errors": [{"pointer": "/type", "detail": "unknown"}],
        "type": "about:blank",
    }


def test_all_members_are_there_whatever_there_is_to_say() -> None:
    body = Problem(404).response().body
    assert isinstance(body, bytes)
    assert msgspec.json.decode(body) == {
        "title": "There is no such thing",
        "status": 404,
        "detail": "",
        "errors": [],
        "type": "about:blank",
    }


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (401, "No valid API key"),
        (403, "The API key may not do this"),
        (409, "The same key came with another body"),
        (413, "The request is too large"),
        (415, "The request is not JSON"),
        (422, "The request makes no sense as a whole"),
        (429, "Too many requests"),
        (500, "The server failed"),
        (503, "Tocsin can't take it now"),
    ],
)
def test_each_status_has_its_title(status: int, title: str) -> None:
    assert Problem(status).body.title == title
