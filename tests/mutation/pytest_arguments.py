"""How pytest is run for mutants: no plugin that another process or the next run would notice."""

from collections.abc import Callable

import pytest
from hypothesis import Phase, settings

BASE = (
    "-p",
    "no:xdist",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:randomly",
    "-q",
    "--no-header",
    "-W",
    "ignore::pytest.PytestAssertRewriteWarning",
)


class Deselected:
    """A plugin that leaves out tests by name, and has hypothesis not look for small examples."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def pytest_sessionstart(self) -> None:
        # After the conftest has loaded its profile, before tests are imported.
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile(
            "mutants", parent=settings.get_profile("repeatable"), phases=phases, database=None
        )
        settings.load_profile("mutants")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        items[:] = [item for item in items if name_of(item) not in self._names]


def name_of(item: pytest.Item) -> str:
    """The test function's name, without parameters."""
    return str(getattr(item, "originalname", None) or item.name)


class Chosen:
    """A plugin that runs the tests of a list, in its order, and says which one is running.

    Where the change gave other names to all of them, their functions run with any parameters.
    """

    def __init__(self, tests: list[str], write: Callable[[str], None]) -> None:
        self._places = {test: place for place, test in enumerate(tests)}
        self._write = write

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        functions = {test.partition("[")[0] for test in self._places}
        found = [item for item in items if item.nodeid.partition("[")[0] in functions]
        known = [item for item in found if item.nodeid in self._places]
        items[:] = sorted(known, key=lambda item: self._places[item.nodeid]) or found

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._write(nodeid)
