"""What of a text there is room for in a chat: 2,000 characters with its title."""

from typing import Any

import pytest

from policy.rendering.channels.chat import ChatRoom

DATA: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("title", "body", "tail", "fitted"),
    [
        ("", "x" * 2000, "", "x" * 2000),
        ("", "x" * 2001, "", "x" * 1999 + "…"),
        ("t" * 100, "x" * 1900, "", "x" * 1900),
        ("t" * 100, "x" * 1901, "", "x" * 1899 + "…"),
        ("t" * 100, "x" * 1890, " and more", "x" * 1890 + " and more"),
        ("t" * 100, "x" * 3000, " and more", "x" * 1890 + "… and more"),
    ],
)
def test_what_fits_beside_a_title(title: str, body: str, tail: str, fitted: str) -> None:
    assert ChatRoom().fitted(title, body, DATA, tail) == fitted
    assert ChatRoom().holds(title, fitted, DATA)
