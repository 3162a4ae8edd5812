"""What stands at a path in the data of an event."""

from typing import Any

import pytest

from policy.field_paths import text_at, value_at

DATA: dict[str, Any] = {
    "order": {"id": 7, "lines": [{"sku": "a"}], "note": None, "paid": True},
    "empty": "",
    "long": "x" * 201,
    "price": 9.5,
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((), DATA),
        (("order",), DATA["order"]),
        (("order", "id"), 7),
        (("order", "note"), None),
        (("order", "none"), None),
        (("none", "id"), None),
        (("order", "id", "deeper"), None),
        (("order", "lines", "sku"), None),
        (("order", "lines"), [{"sku": "a"}]),
        (("empty", "x"), None),
    ],
)
def test_what_stands_there(path: tuple[str, ...], value: Any) -> None:
    assert value_at(DATA, path) == value


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("order",), ""),
        (("order", "id"), "7"),
        (("order", "paid"), "True"),
        (("order", "note"), ""),
        (("order", "lines"), ""),
        (("none",), ""),
        (("empty",), ""),
        (("price",), "9.5"),
        (("long",), "x" * 200),
    ],
)
def test_what_stands_there_as_text(path: tuple[str, ...], text: str) -> None:
    assert text_at(DATA, path) == text
