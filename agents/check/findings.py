"""What was looked at before or while Tocsin runs, whether it is right, and what to do if not."""

from enum import StrEnum

from msgspec import Struct


class State(StrEnum):
    """Of what was looked at."""

    OK = "ok"
    WARNING = "warning"
    """It runs so, but something is not as it should be."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """It was not looked at, as something before it failed."""


class Finding(Struct, frozen=True):
    """One line of what was looked at: how it is, and `todo`, empty where nothing is to be done."""

    subject: str
    state: State
    found: str
    todo: str = ""
