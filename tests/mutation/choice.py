"""Which tests a mutant is put before, and for how long they may run."""

import re
from collections.abc import Callable
from pathlib import PurePath

from msgspec import Struct

from tests.mutation.mutant import Mutant
from tests.mutation.recording import Recording

MOST_TESTS = 150
MOST_TESTS_OF_SQL = 20
"""Each makes a database with all tables and views of its own."""
MOST_CPU_SECONDS = 10.0
MOST_SECONDS = 40.0
"""What the tests of one mutant took when recorded, at most, of the processor and of the clock; the
first one always runs. Those of a worker's runtime mostly wait for Kafka."""
SPARE_CPU = 6
SPARE = 60.0
FACTOR = 8


class Choice(Struct, frozen=True):
    """Tests in the order in which they run, with seconds of CPU and of the clock for all."""

    tests: list[str]
    cpu: int
    seconds: float


def choose(mutant: Mutant, recording: Recording, source_of: Callable[[str], str]) -> Choice:
    """The tests for a mutant; none where no test executes what is changed.

    `source_of` gives the text of a module by its path, and of a test by its node id.
    """
    if mutant.path.endswith(".sql"):
        found, most = _of_view(mutant, recording, source_of)
    else:
        found, most = _of_lines(mutant, recording, source_of), MOST_TESTS
        found.sort(key=lambda place: _rank(mutant, recording, place))
    chosen: list[int] = []
    cpu = clock = 0.0
    for place in found[:most]:
        cpu += recording.cpu_seconds[place]
        clock += recording.seconds[place]
        if chosen and (cpu > MOST_CPU_SECONDS or clock > MOST_SECONDS):
            break
        chosen.append(place)
    cpu = sum(recording.cpu_seconds[place] for place in chosen)
    clock = sum(recording.seconds[place] for place in chosen)
    return Choice(
        [recording.tests[place] for place in chosen],
        round(SPARE_CPU + FACTOR * cpu),
        SPARE + FACTOR * clock,
    )


def runs_at_import(mutant: Mutant, recording: Recording) -> bool:
    """Whether the change acts before any test runs."""
    lines = recording.lines.get(mutant.path, {})
    first, last = mutant.lines
    return not mutant.in_body or any(-1 in lines.get(line, ()) for line in range(first, last + 1))


def _of_lines(mutant: Mutant, recording: Recording, source_of: Callable[[str], str]) -> list[int]:
    lines = recording.lines.get(mutant.path, {})
    first, last = mutant.lines
    of_statement = {place for line in range(first, last + 1) for place in lines.get(line, ())}
    if runs_at_import(mutant, recording):
        of_statement |= _entering(mutant.path, recording)
        of_statement |= _importing(mutant.path, recording, source_of)
        if of_statement <= {-1}:
            # A module of nothing but values: who uses them imports it.
            for path in importers(mutant.path, recording, source_of):
                of_statement |= _entering(path, recording)
    return sorted(of_statement - {-1})


def _importing(path: str, recording: Recording, source_of: Callable[[str], str]) -> set[int]:
    """Tests of files that import from a module: to read a value executes no line of it."""
    imports = _import_of(path)
    return {
        place
        for place, test in enumerate(recording.tests)
        if imports.search(source_of(test.partition("::")[0]))
    }


def _import_of(path: str) -> re.Pattern[str]:
    """What is written in a file that imports a module, or something of it."""
    module = path.removesuffix(".py").replace("/", ".")
    package, _, name = module.rpartition(".")
    inside, beside = re.escape(module), re.escape(package)
    return re.compile(
        rf"^\s*(from {inside} import|import {inside}\b|from {beside} import [^\n]*\b{name}\b)",
        re.MULTILINE,
    )


def importers(path: str, recording: Recording, source_of: Callable[[str], str]) -> list[str]:
    """The modules, of those that were recorded, that import from one."""
    imports = _import_of(path)
    return [other for other in recording.lines if imports.search(source_of(other))]


def _entering(path: str, recording: Recording) -> set[int]:
    return {place for found in recording.lines.get(path, {}).values() for place in found}


def _of_view(
    mutant: Mutant, recording: Recording, source_of: Callable[[str], str]
) -> tuple[list[int], int]:
    """Those that name the view or panel, and then those in files that do; and how many at most.

    What fills a table goes by the table's name. For what every view reads, all of them.
    """
    name = mutant.where.removesuffix("_from_events")
    every = sorted(range(len(recording.tests)), key=lambda place: recording.seconds[place])
    named = [place for place in every if name in source_of(recording.tests[place])]
    # First those that are about it, then those that have it as one of several parameters.
    named.sort(key=lambda place: name not in recording.tests[place].partition("[")[0])
    if not named:
        return every, MOST_TESTS
    files = {test: test.partition("::")[0] for test in recording.tests}
    beside = [
        place
        for place in every
        if place not in named and name in source_of(files[recording.tests[place]])
    ]
    return named + beside, MOST_TESTS_OF_SQL


def _rank(mutant: Mutant, recording: Recording, place: int) -> tuple[bool, float]:
    file, own = PurePath(recording.tests[place].partition("::")[0]), PurePath(mutant.path)
    return not file.stem.startswith(f"test_{own.stem}"), recording.seconds[place]
