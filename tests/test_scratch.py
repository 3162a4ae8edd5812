"""Folders of tests are in memory where it is plenty, and nowhere else."""

import os

import pytest

from tests.scratch import GIB, choose, use_memory


@pytest.mark.parametrize(
    ("room", "free", "expected"),
    [
        (12, 22, True),
        (6, 10, True),
        (8, 9, False),  # the processes of the tests need some too
        (5, 22, False),
        (0, 22, False),  # as in containers
    ],
)
def test_memory_is_used_where_it_is_plenty(room: int, free: int, expected: bool) -> None:
    assert choose(room * GIB, free * GIB) is expected


def test_who_says_where_has_it_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/somewhere")
    use_memory()
    assert os.environ["TMPDIR"] == "/somewhere"
