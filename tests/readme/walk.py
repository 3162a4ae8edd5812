"""README's commands in order, each with what README says one will see."""

import time
from collections.abc import Callable, Mapping
from itertools import chain, repeat
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tests.readme.blocks import Command
from tests.readme.shell import COLUMNS, ROOT, Ended, Shell
from tests.readme.up import with_ports

README = ROOT / "README.md"
EFFECT_SECONDS = 300.0
"""Until something that README says comes within seconds counts as not coming."""
PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds between looks, the last of them from then on."""
UNAUTHORIZED = "No valid API key"


class Walk(NamedTuple):
    """Where it has got to."""

    shell: Shell
    folder: Path
    ports: Mapping[int, int]

    def run(self, text: str) -> Ended:
        """Run a command of README at the ports of this run."""
        return self.shell.run(with_ports(text, self.ports))

    def step(self, step: "Step", command: Command, page: Path = README) -> None:
        """Run a command and look at what it says; again, where what it shows comes in time."""
        end = time.monotonic() + EFFECT_SECONDS
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            ended = self.run(command.text)
            try:
                _is_tidy(command, ended, step.is_wide)
                step.look(self, ended)
                return
            except AssertionError as error:
                place = f"{page.name}:{command.line}: {command.text}"
                if not step.comes_in_time or time.monotonic() >= end:
                    raise AssertionError(f"{place}\n{error}\n{ended}") from None
            time.sleep(pause)


class Step(NamedTuple):
    """What one sees after a command; `comes_in_time` where README says that it takes a while.

    What `is_wide` shows a record as it is, however long its lines are.
    """

    look: Callable[[Walk, Ended], None]
    comes_in_time: bool = False
    is_wide: bool = False


def _is_tidy(command: Command, ended: Ended, is_wide: bool) -> None:
    """No traceback, no refused key, and nothing wider than the terminal."""
    said = ended.output + ended.errors
    assert "Traceback" not in said
    assert UNAUTHORIZED not in said
    if command.text.startswith("tocsin") and not is_wide:
        assert all(len(line) <= COLUMNS for line in ended.output.splitlines())


def says(*words: str) -> Step:
    """It succeeds and says these words."""

    def look(_: Walk, ended: Ended) -> None:
        assert ended.code == 0
        assert [word for word in words if word not in ended.output] == []

    return Step(look)


def says_in_time(*words: str) -> Step:
    """As `says`, within a while."""
    return says(*words)._replace(comes_in_time=True)


def decoded(text: str) -> Any:
    """JSON that was answered."""
    return msgspec.json.decode(text)
