"""Which test executes which line, and how long each takes: all run once, on clean sources.

`python -m tests.mutation.recording OUT SOURCES TESTS…` runs in a copy of the tree.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from coverage import Coverage
from msgspec import Struct


class Recording(Struct):
    """`tests` are node ids, the others refer to them by their place in that list."""

    tests: list[str]
    seconds: list[float]
    cpu_seconds: list[float]
    lines: dict[str, dict[int, list[int]]]
    """By path and line; a line that also runs at import has -1 among its tests."""
    failed: list[str]
    """Tests that fail without a mutant: none of the others, and asked about none."""
    modules: list[str]
    """What was imported that is not ours, for workers to import once."""


class Recorder:
    """A plugin that says to coverage which test is running."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self.seconds: dict[str, float] = {}
        self.cpu_seconds: dict[str, float] = {}
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._coverage.switch_context(item.nodeid)
        begin, cpu = time.monotonic(), time.process_time()
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = time.monotonic() - begin
            self.cpu_seconds[item.nodeid] = time.process_time() - cpu

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.add(report.nodeid)
            self._coverage.switch_context("")


def record(sources: list[str], arguments: list[str], plugins: Sequence[object]) -> Recording:
    """Run the tests in this process; raises RuntimeError where none can be used."""
    places = [Path(name).absolute() for name in sources]
    patterns = [str(place / "**" if place.is_dir() else place) for place in places]
    coverage = Coverage(data_file=None, config_file=False, include=patterns, messages=False)
    recorder = Recorder(coverage)
    coverage.start()
    code = pytest.main(arguments, plugins=[*plugins, recorder])
    coverage.stop()
    tests = sorted(recorder.seconds.keys() - recorder.failed)
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) or not tests:
        raise RuntimeError(f"No test can be used: pytest ended with {code!r}.")
    numbers = {name: number for number, name in enumerate(tests)}
    known = {"", *tests}
    data, lines = coverage.get_data(), {}
    for file in data.measured_files():
        path = Path(file).relative_to(Path.cwd()).as_posix()
        lines[path] = {
            line: sorted({numbers[name] if name else -1 for name in contexts if name in known})
            for line, contexts in data.contexts_by_lineno(file).items()
        }
    return Recording(
        tests,
        [recorder.seconds[name] for name in tests],
        [recorder.cpu_seconds[name] for name in tests],
        lines,
        sorted(recorder.failed),
        _foreign(),
    )


def _foreign() -> list[str]:
    """Modules from elsewhere than the current folder, but for pytest's plugins."""
    here = str(Path.cwd())
    found = []
    for name, module in sys.modules.items():
        file = getattr(module, "__file__", None) or ""
        is_plugin = "pytest" in name or name.startswith(("xdist", "anyio", "_hypothesis"))
        if file and not file.startswith(here) and not is_plugin and name != "__main__":
            found.append(name)
    return found


def main() -> None:
    """Run from the command line."""
    from tests.mutation.pytest_arguments import BASE, Deselected
    from tests.mutation.shared import use_shared

    out, sources, deselected, *tests = sys.argv[1:]
    use_shared()
    plugins = [Deselected(tuple(filter(None, deselected.split(","))))]
    recording = record(sources.split(","), [*BASE, *tests], plugins)
    Path(out).write_bytes(msgspec.json.encode(recording))


if __name__ == "__main__":
    main()
