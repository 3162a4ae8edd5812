"""Running simulators for the vendors' own SDKs."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from embedded.simulators.accept_log import Accepted, read_accept_log
from embedded.simulators.faults import Fault
from embedded.simulators.server import Serving, serving


@dataclass(frozen=True)
class Bench:
    """Running simulators and their accept log."""

    running: Serving
    log: Path

    def fault(self, provider: str, **fields: Any) -> None:
        """Have a provider misbehave."""
        self.running.simulators.faults.set(provider, Fault(**fields))

    def last(self) -> Accepted:
        """What was accepted last."""
        return read_accept_log(self.log)[-1]

    def count(self) -> int:
        """How much was accepted."""
        return len(read_accept_log(self.log))


@pytest.fixture(scope="session")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    folder = tmp_path_factory.mktemp("simulators")
    async with serving(0, folder / "accepted.jsonl", folder) as running:
        yield Bench(running, folder / "accepted.jsonl")


@pytest.fixture
def bench(served: Bench) -> Iterator[Bench]:
    """The simulators, without faults."""
    yield served
    served.running.simulators.faults.clear_all()
