"""A stage for each test of the roles."""

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from embedded.simulators.credentials import make_credentials
from tests.agents.line import Line
from tests.agents.stage import Stage, staging


@pytest.fixture
async def stage(line: Line, tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage on the shared Kafka, with state of its own."""
    async with staging(line, tmp_path) as ready:
        yield ready


@pytest.fixture(scope="session")
def accounts() -> tuple[bytes, bytes]:
    """Those of two simulators, to be kept in their folders before they start.

    A test with simulators of its own would else spend most of its time on making keys.
    """
    first, second = (msgspec.json.encode(make_credentials("")) for _ in range(2))
    return first, second
