"""A small project with planted faults: which of them are found is known beforehand."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.mutation import choice
from tests.mutation.benign import Entry
from tests.mutation.job import Outcome
from tests.mutation.packages import Package
from tests.mutation.results import Head, Results
from tests.mutation.run import Plan, Progress, run, write_survivors
from tests.mutation.sample import draw
from tests.mutation.snapshot import take

HERE = Path(__file__).parent
SHOP = """\
RATE = 2


def total(price, count):
    return price * count * RATE


def left(count):
    while count > 3:
        count -= 3
    return count


def label(name):
    shown = name
    size = 7
    return shown


def unused():
    return 5
"""
TESTS = """\
from shop.price import label, left, total


def test_total():
    assert total(3, 4) == 24


def test_left():
    assert left(8) == 2


def test_label():
    assert label("a") == "a"
"""
CONFTEST = """\
from hypothesis import settings

settings.register_profile("repeatable", deadline=None)
"""
FOUND = {
    (1, "RATE = None"): Outcome.KILLED,
    (1, "3"): Outcome.KILLED,
    (5, "price * count / RATE"): Outcome.KILLED,
    (5, "price / count"): Outcome.KILLED,
    # 8, 5, 2: no step of the test is at 3 or 4.
    (9, ">= 3"): Outcome.SURVIVED,
    (9, "4"): Outcome.SURVIVED,
    (10, "count += 3"): Outcome.TIMED_OUT,
    (10, "count = 3"): Outcome.KILLED,
    (10, "4"): Outcome.KILLED,
    (15, "shown = None"): Outcome.KILLED,
    (16, "size = None"): Outcome.SURVIVED,
    (16, "8"): Outcome.BENIGN,
    (21, "6"): Outcome.UNTESTED,
}
BENIGN = Entry("shop/price.py", "label", "7", "8", "It is read by nobody.")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "shop").mkdir(parents=True)
    (root / "tests" / "shop").mkdir(parents=True)
    (root / "shop" / "price.py").write_text(SHOP)
    (root / "tests" / "conftest.py").write_text(CONFTEST)
    (root / "tests" / "shop" / "test_price.py").write_text(TESTS)
    for folder in ("shop", "tests", "tests/shop"):
        (root / folder / "__init__.py").touch()
    mutation = root / "tests" / "mutation"
    shutil.copytree(HERE, mutation, ignore=shutil.ignore_patterns("test_*", "__pycache__"))
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


def plan(root: Path, below: Path) -> Plan:
    snapshot = take(root, below)
    package = Package(name="shop", sources=("shop",), tests=("tests/shop",))
    return Plan(
        package=package,
        snapshot=snapshot,
        mutants=draw(package, snapshot.clean, 1, 400),
        benign=[BENIGN],
        results=Results(below / "shop.jsonl", Head(snapshot.digest, 1)),
        workers=2,
    )


async def test_what_survives_and_what_does_not(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "SPARE_CPU", 2)
    planned = plan(project, tmp_path / "mutants")
    told: list[str] = []
    await run(planned, Progress(planned, told.append))
    found = {(m.lines[0], m.after): m for m in planned.mutants}
    assert {place: planned.outcome(mutant) for place, mutant in found.items()} == FOUND
    total = planned.results.get(found[5, "price / count"])
    assert total and total.test == "tests/shop/test_price.py::test_total"
    diffs = write_survivors(planned).read_text()
    assert "# shop/price.py:9 left (survived)" in diffs
    assert "+    size = None" in diffs
    assert "+    shown = None" not in diffs
    # The tree that was mutated is another.
    assert (project / "shop" / "price.py").read_text() == SHOP

    # Another run has nothing left to do, and one with a result less does just that one again.
    told.clear()
    again = plan(project, tmp_path / "mutants")
    await run(again, Progress(again, told.append))
    assert told == []
    lines = again.results.file.read_bytes().splitlines(keepends=True)
    again.results.file.write_bytes(b"".join(line for line in lines if b"+= 3" not in line))
    again = plan(project, tmp_path / "mutants")
    await run(again, Progress(again, told.append))
    assert [text.split(": ")[1].split(" in ")[0] for text in told] == ["timed out shop/price.py:10"]


async def test_a_test_that_fails_by_itself_is_not_asked(project: Path, tmp_path: Path) -> None:
    """Nothing can be learned from them; and where one fails, nothing from that one."""
    tests = project / "tests" / "shop" / "test_price.py"
    tests.write_text("def test_total():\n    assert False\n")
    planned = plan(project, tmp_path / "mutants")
    with pytest.raises(SystemExit, match="can't be recorded"):
        await run(planned, Progress(planned, lambda _: None))
    tests.write_text(f"{TESTS}\n\ndef test_more():\n    assert total(1, 1) == 1\n")
    planned = plan(project, tmp_path / "mutants")
    told: list[str] = []
    await run(planned, Progress(planned, told.append))
    assert told[0].startswith("tests/shop/test_price.py::test_more fails without a mutant")
    assert planned.outcomes().count(Outcome.SURVIVED) == 3
