"""JSON of others: what is left out, what is taken for what, and what is none."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec import Struct, field

from schemas.encoding import UNDECODABLE
from schemas.foreign import read_foreign


class Inner(Struct, frozen=True):
    name: str
    size: int = 0


class Outer(Struct, frozen=True, rename="camel", kw_only=True):
    code: int
    error_text: str = ""
    ratio: float = 0.0
    is_new: bool = False
    at: datetime | None = None
    inner: Inner = Inner("none")
    inners: tuple[Inner, ...] = ()
    any_of: list[str] | dict[str, Any] | None = None
    raw: tuple[msgspec.Raw, ...] = ()
    named: str = field(name="x-named", default="")


def read(**values: Any) -> Outer:
    return read_foreign(msgspec.json.encode({"code": 1, **values}), Outer)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"errorText": None}, {}),
        ({"errorText": ["a"]}, {}),
        ({"errorText": 7}, {"error_text": "7"}),
        ({"errorText": 1.5}, {"error_text": "1.5"}),
        ({"errorText": True}, {}),
        ({"code": "21211"}, {"code": 21211}),
        ({"ratio": "0.5"}, {"ratio": 0.5}),
        ({"ratio": None, "errorText": "kept"}, {"error_text": "kept"}),
        ({"isNew": "yes"}, {}),
        ({"isNew": 1}, {}),
        ({"at": "soon"}, {}),
        ({"at": ""}, {}),
        ({"at": "2026-11-30T10:00:00Z"}, {"at": datetime(2026, 11, 30, 10, tzinfo=UTC)}),
        ({"inner": "none"}, {}),
        ({"inner": {"size": 3}}, {}),
        ({"inner": {"name": "a", "size": None}}, {"inner": Inner("a")}),
        ({"inner": {"name": 3}}, {"inner": Inner("3")}),
        ({"inners": None}, {}),
        ({"inners": {}}, {}),
        ({"inners": [{"name": "a", "size": {}}]}, {"inners": (Inner("a"),)}),
        # One without its name would make of the others something else.
        ({"inners": [{"name": "a"}, None]}, {}),
        ({"anyOf": "text", "ratio": 2}, {"ratio": 2.0}),
        ({"anyOf": {"a": 1}, "isNew": 0}, {"any_of": {"a": 1}}),
        ({"anyOf": ["a", 2]}, {"any_of": ["a", "2"]}),
        ({"anyOf": None, "isNew": 0}, {}),
        ({"x-named": "n", "isNew": 0}, {"named": "n"}),
    ],
)
def test_what_does_not_fit_is_as_absent(values: dict[str, Any], expected: dict[str, Any]) -> None:
    assert read(**values) == Outer(**{"code": 1, **expected})


def test_parts_are_kept_as_they_came() -> None:
    assert [bytes(each) for each in read(raw=[{"a": None}, 1], isNew=0).raw] == [
        b'{"a":null}',
        b"1",
    ]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read_foreign(b'\xef\xbb\xbf{"code": 1}', Outer) == Outer(code=1)


def test_a_list_is_read_by_its_parts() -> None:
    assert read_foreign(b'[{"name": 1}]', list[Inner]) == [Inner("1")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"<html>",
        b'{"code": null}',
        b'{"code": "x"}',
        b'{"code": 1',
        b'{"code": 1, "errorText": "\xff"}',
        b'{"code": "1", "raw": ' + b"[" * 100_000,
    ],
)
def test_what_has_not_what_it_must_have_is_none(body: bytes) -> None:
    with pytest.raises(UNDECODABLE):
        read_foreign(body, Outer)
