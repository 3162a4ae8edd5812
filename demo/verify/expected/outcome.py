"""The ways in which one channel of one notification can end, as the model says them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WHOLE = ""
"""Stands in place of a channel for what is decided of all of them at once."""


@dataclass(frozen=True, kw_only=True)
class Text:
    """What the person reads; `data` travels beside it for the app to use."""

    title: str
    body: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Send:
    """One message to each of these addresses, not before that moment (epoch ms)."""

    addresses: frozenset[str]
    text: Text
    not_before: int


@dataclass(frozen=True)
class Silent:
    """Nothing is sent, for this reason."""

    reason: str


@dataclass(frozen=True)
class Held:
    """It waits for this reason until `due`, or until something up to `latest` (epoch ms).

    `then` is how it ends after that; None for a part of a digest, which is judged as a whole.
    """

    reason: str
    due: int
    latest: int
    then: "Outcome | None" = None


Outcome = Send | Silent | Held
