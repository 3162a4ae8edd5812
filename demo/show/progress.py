"""What the viewer sees while the demo runs: one live panel, or plain lines without a terminal."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

PLAIN_EVERY = 2.0
"""Seconds between lines of figures where there is no terminal."""


class Board:
    """Stages one after another, and figures that change."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()
        self._stages: list[tuple[str, float]] = []
        self._figures: dict[str, str] = {}
        self._now: RenderableType = Spinner("dots")
        self._last_plain = 0.0
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(
                get_renderable=self._render, console=self._console, refresh_per_second=8
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._now = Text("✓", "green") if error is None else Text("✗", "red")
            self._live.stop()

    @property
    def seconds(self) -> float:
        """Since the board was made."""
        return time.monotonic() - self._begun

    def stage(self, text: str) -> None:
        """The next step begins; the one before it is done."""
        self._stages.append((text, self.seconds))
        if self._live is None:
            self._line(text)

    def show(self, **figures: str) -> None:
        """Set figures by name; an underscore in a name is a space on the board."""
        self._figures |= {name.replace("_", " "): value for name, value in figures.items()}
        if self._live is None and self.seconds - self._last_plain >= PLAIN_EVERY:
            self._last_plain = self.seconds
            self._line(", ".join(f"{name} {value}" for name, value in self._figures.items()))

    def _line(self, text: str) -> None:
        self._console.print(
            f"{self.seconds:5.1f} s  {text}", markup=False, highlight=False, soft_wrap=True
        )

    def _render(self) -> RenderableType:
        steps = Table.grid(padding=(0, 1))
        last = len(self._stages) - 1
        for number, (text, at) in enumerate(self._stages):
            mark = self._now if number == last else Text("✓", "green")
            steps.add_row(mark, Text(text), Text(f"{at:.1f} s", "dim"))
        figures = Table.grid(padding=(0, 2))
        for name, value in self._figures.items():
            figures.add_row(Text(name, "bold"), Text(value))
        return Panel(Group(steps, "", figures), title="Tocsin", title_align="left")
