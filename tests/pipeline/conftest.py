"""Processes for tests of whole workers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.pipeline.worker_processes import Workers


@pytest.fixture
async def workers(tmp_path: Path) -> AsyncIterator[Workers]:
    """None yet; what still runs at the end is killed."""
    workers = Workers(tmp_path)
    yield workers
    await workers.end()
