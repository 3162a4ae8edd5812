"""Which tests run in one process when several share the work, and which of them begin.

Whoever shares a Kafka, a ClickHouse or a house stays together, so that each is started few times.
What takes longest begins, so that nothing is left to wait for at the end. Tests that share nothing
go to whichever process is free.
"""

from pathlib import Path, PurePath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TESTS = Path(__file__).parent
HOUSES = {
    "chaos": ("chaos/test_kills.py", "chaos/test_stops.py", "chaos/test_outages.py",
              "chaos/test_priority.py", "chaos/test_poison.py", "chaos/test_secrets.py",
              "chaos/test_upgrade.py", "chaos/test_bad_network.py",
              # With test_upgrade they share the last release, as it is built.
              "schemas/test_forms.py"),
    # One test after the other of everything that the README says.
    "readme": ("test_readme.py",),
    "web": ("web/api", "web/gateway", "web/pages"),
    "town": ("chaos/test_producers.py", "chaos/test_waiting.py"),
    "registry": ("agents/test_registry_sources.py", "pipeline/registry/test_real_registry.py"),
}  # fmt: skip
"""Files and folders whose tests share a house or take one long: by far the longest there is."""
LONG = (
    *("chaos", "test_style.py", "bench", "analytics", "agents"),
    *("cli", "pipeline", "tables", "embedded", "demo"),
)
"""Folders whose files each share something among their tests; those of long files first."""
ALONE = ("fuzz", "policy", "schemas", "simulation", "sinks")
"""Folders whose tests share nothing that takes long to start."""


def group_of(place: PurePath) -> str | None:
    """The name of those that stay together with this file's tests; None if each may go alone.

    The file's path is that from this folder.
    """
    text = place.as_posix()
    for name, places in HOUSES.items():
        if text.startswith(places):
            return name
    return None if text.startswith(ALONE) else text


def rank_of(place: PurePath) -> int:
    """The lower, the earlier this file's tests begin."""
    group = group_of(place)
    if group is None:
        return len(HOUSES) + len(LONG) + 1
    if group in HOUSES:
        return list(HOUSES).index(group)
    folder = place.parts[0]
    return len(HOUSES) + (LONG.index(folder) if folder in LONG else len(LONG))


def put_in_order(items: list[pytest.Item]) -> None:
    """Put the longest first."""
    items.sort(key=lambda item: rank_of(item.path.relative_to(TESTS)))


class Sharing(LoadScopeScheduling):
    """Gives each process one group after the other, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return group_of(PurePath(file).relative_to(TESTS.name)) or nodeid
