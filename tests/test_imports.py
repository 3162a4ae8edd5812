"""Imports point one way: from the edge to the agents to the pure core."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = {"policy", "schemas"}
ALLOWED = {
    "schemas": CORE,
    "policy": CORE,
    "pipeline": CORE | {"pipeline"},
    "tables": CORE | {"pipeline", "tables"},
    "sinks": CORE | {"pipeline", "sinks"},
    "analytics": CORE | {"pipeline", "analytics"},
    "agents": CORE | {"pipeline", "tables", "sinks", "analytics", "agents"},
}
"""What each inner folder may import of ours, by module or by package."""
EDGE = {"bench", "cli", "demo", "embedded", "tests", "web"}
OURS = ALLOWED.keys() | EDGE


def imported(source: str, package: str) -> Iterator[str]:
    """Every module that a source imports, wherever in it, by its full name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = f"{package}.{node.module or ''}" if node.level else node.module or ""
            # `from pipeline import errors` imports a module too.
            yield from (f"{module}.{alias.name}" for alias in node.names)


def forbidden(source: str, package: str) -> list[str]:
    """What a module of the package imports of ours and may not."""
    return [
        name
        for name in imported(source, package)
        if name.split(".")[0] in OURS
        and not any(f"{name}.".startswith(f"{allowed}.") for allowed in ALLOWED[package])
    ]


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("package", ALLOWED)
def test_an_inner_folder_imports_only_what_lies_further_in(package: str) -> None:
    assert modules(package)
    found = {path.name: forbidden(path.read_text(), package) for path in modules(package)}
    assert not {name: names for name, names in found.items() if names}


def test_every_folder_with_modules_is_known() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/*.py")}
    assert folders <= OURS


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("policy", "import pipeline.clock"),
        ("policy", "from pipeline import clock"),
        ("policy", "from pipeline.settings import Settings"),
        ("schemas", "from pipeline.settings import Settings"),
        ("pipeline", "def late():\n    from tables.storage.store import PartitionStore"),
        ("pipeline", "if True:\n    import agents.router.agent as r"),
        ("tables", "from sinks.provider import Provider"),
        ("sinks", "import os, tables"),
        ("analytics", "from sinks.provider import Provider"),
        ("agents", "from embedded.kafka import Kafka"),
        ("agents", "try:\n    import web\nexcept ImportError:\n    pass"),
        ("agents", "from cli import main"),
        ("sinks", "from tests.sinks import samples"),
    ],
)
def test_a_planted_import_is_found(package: str, source: str) -> None:
    assert forbidden(source, package)


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("policy", "from schemas.errors import BadRecord"),
        ("policy", "from schemas import errors"),
        ("policy", "from . import decide\nfrom .profile import Profile\nimport jinja2"),
        (
            "tables",
            "from pipeline.processing.slices import Slice\nfrom policy.user.ledger import Ledger",
        ),
        (
            "agents",
            "from sinks.push.fcm import Fcm\nimport tables.storage.store\nimport webbrowser",
        ),
    ],
)
def test_an_import_that_points_inward_is_none(package: str, source: str) -> None:
    assert not forbidden(source, package)
