"""A stage for each test of the roles."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.agents.line import Line
from tests.agents.stage import Stage, staging


@pytest.fixture
async def stage(line: Line, tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage on the shared Kafka, with state of its own."""
    async with staging(line, tmp_path) as ready:
        yield ready
