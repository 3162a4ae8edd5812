"""Which tests run in one process when several share the work, and which of them begin.

Whoever shares a Kafka, a ClickHouse or a house stays together, so that each is started few times.
What takes longest begins, so that nothing is left to wait for at the end. Tests that share nothing
go to whichever process is free.
"""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
HOUSES = {
    "chaos": ("chaos/test_kills.py", "chaos/test_stops.py", "chaos/test_outages.py",
              "chaos/test_priority.py", "chaos/test_secrets.py"),
    "web": ("web/api", "web/gateway", "web/pages"),
}  # fmt: skip
"""Files and folders whose tests share a house: by far the longest there is."""
LONG = (
    "test_readme.py",
    "chaos",
    "bench",
    "analytics",
    "agents",
    "cli",
    "pipeline",
    "tables",
    "embedded",
    "demo",
)
"""Folders that share something within each file, the longest files first."""
ALONE = ("policy", "schemas", "simulation", "sinks")
"""Folders whose tests share nothing that takes long to start."""


def group_of(path: Path) -> str | None:
    """The name of those that stay together with this file's tests; None if each may go alone."""
    place = path.relative_to(TESTS).as_posix()
    for name, places in HOUSES.items():
        if place.startswith(places):
            return name
    return None if place.startswith(ALONE) else place


def rank_of(item: pytest.Item) -> int:
    """The lower, the earlier it begins."""
    group = group_of(item.path)
    if group is None:
        return len(HOUSES) + len(LONG) + 1
    if group in HOUSES:
        return list(HOUSES).index(group)
    folder = group.partition("/")[0]
    return len(HOUSES) + (LONG.index(folder) if folder in LONG else len(LONG))


def share_out(items: list[pytest.Item]) -> None:
    """Mark who stays together, and put the longest first."""
    items.sort(key=rank_of)
    for item in items:
        if (group := group_of(item.path)) is not None:
            item.add_marker(pytest.mark.xdist_group(group))
