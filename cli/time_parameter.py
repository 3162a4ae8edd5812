"""Moments on the command line: RFC 3339, or how long ago."""

import re
from datetime import datetime
from typing import Any

import click

from pipeline.clock import SystemClock
from policy.time.duration import milliseconds
from policy.time.timestamps import epoch_ms
from policy.user.profile import FARTHEST


def now() -> int:
    """The present, in epoch milliseconds."""
    return SystemClock().now()


class Moment(click.ParamType):
    """`now`, `90s`, `15m`, `2h` or `7d` ago, or RFC 3339 with an offset; epoch milliseconds."""

    name = "moment"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        """What click asks for."""
        if isinstance(value, int):
            return value
        found = _moment(value)
        if found is None or not 0 <= found <= FARTHEST:
            example = "2026-03-14T09:00:00Z"
            self.fail(f"{value!r} is neither a moment such as {example}, nor 2h (ago), nor now.")
        return found


def _moment(value: str) -> int | None:
    if value == "now":
        return now()
    if re.fullmatch(r"\d{1,9}[smhd]", value):
        return now() - milliseconds(value)
    try:
        moment = datetime.fromisoformat(value)
        return epoch_ms(moment) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


MOMENT = Moment()
