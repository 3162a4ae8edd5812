"""A stage for each test of the roles."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from embedded.kafka import Kafka
from tests.agents.line import Line, line_to
from tests.agents.stage import Stage, staging


@pytest.fixture(scope="session")
async def line(kafka: Kafka) -> AsyncIterator[Line]:
    """All topics of Tocsin, and a connection to them."""
    async with line_to(kafka.address) as connected:
        yield connected


@pytest.fixture
async def stage(line: Line, tmp_path: Path) -> AsyncIterator[Stage]:
    """A stage on the shared Kafka, with state of its own."""
    async with staging(line, tmp_path) as ready:
        yield ready
