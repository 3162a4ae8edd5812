"""Figures for the board while the demo runs: read often, and of no weight in the verdict."""

import contextlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import msgspec

from analytics.clickhouse import ClickHouse
from demo.growing_log import GrowingLog
from demo.produce.stream import ORDER
from demo.show.progress import Board
from schemas.errors import Unavailable

FIGURES = """
    SELECT if(stage = 'sent', 'inapp', reason) AS name, count()
    FROM delivery_events
    WHERE stage IN ('suppressed', 'held') OR (stage = 'sent' AND channel = 'inapp') GROUP BY name
"""
ASK_EVERY = 2.0
"""Seconds between questions to ClickHouse, which has the run's own work to do."""
TOP = 4
"""Reasons shown; the rest stand together."""


class Tail:
    """Counts the lines of a growing JSON-lines file by one of their fields."""

    def __init__(self, path: Path, field: str) -> None:
        self.counts: Counter[str] = Counter()
        self._log = GrowingLog(path)
        self._field = field

    def read_on(self) -> None:
        """Take in the complete lines that were added since."""
        for lines in self._log.new_lines():
            for line in msgspec.json.Decoder().decode_lines(lines):
                if self._field in line:
                    self.counts[line[self._field]] += 1


class Gauges:
    """Puts what is known so far on the board."""

    def __init__(
        self, board: Board, log: Path, accept_log: Path, clickhouse: ClickHouse, events: int
    ) -> None:
        self._board = board
        self._produced = Tail(log, "type")
        self._accepted = Tail(accept_log, "channel")
        self._clickhouse = clickhouse
        self._events = events
        self._told: dict[str, int] = {}
        self._asked = -ASK_EVERY

    async def show(self, lags: Mapping[str, int]) -> None:
        """Read everything once and show it."""
        self._produced.read_on()
        self._accepted.read_on()
        if self._board.seconds - self._asked >= ASK_EVERY:
            self._asked = self._board.seconds
            with contextlib.suppress(Unavailable):
                self._told = dict(await self._clickhouse.query(FIGURES))
        silent = {name: count for name, count in self._told.items() if name != "inapp"}
        sent = dict(self._accepted.counts) | {"inapp": self._told.get("inapp", 0)}
        # Orders come of themselves after the events that are asked for.
        produced = self._produced.counts.total() - self._produced.counts[ORDER]
        self._board.show(
            events=f"{produced:,} of {self._events:,}",
            sent=_listed(sent),
            suppressed=_listed(_top(silent)),
            lag=show_lags(lags),
        )


def show_lags(lags: Mapping[str, int]) -> str:
    """Records that wait, by role; roles without any are left out."""
    return _listed({role: lag for role, lag in lags.items() if lag}) or "none"


def _top(counts: Mapping[str, int]) -> dict[str, int]:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    others = sum(count for _, count in ordered[TOP:])
    return dict(ordered[:TOP]) | ({"others": others} if others else {})


def _listed(counts: Mapping[str, int]) -> str:
    return " · ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in counts.items())
