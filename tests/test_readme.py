"""README is walked through line by line, as by a newcomer in a folder of their own.

It loads the machine by itself, and so runs after the other tests, like those in tests/chaos.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import to_tomorrow
from tests.readme.bell import shows_a_bell
from tests.readme.blocks import Block, Command, blocks_of, commands_of, inline_commands
from tests.readme.prose import IN_BLOCKS, INLINE, ask_all, open_all, run_all
from tests.readme.shell import ROOT, Shell, copy_tree
from tests.readme.steps import NOT_RUN, WALKED
from tests.readme.tutorials import PAGES, unmatched, walk_all
from tests.readme.up import free_ports, up, with_ports
from tests.readme.walk import EFFECT_SECONDS, Walk
from tests.web.pages.conftest import CHROMIUM, DRIVER, browser

__all__ = ["browser"]

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = blocks_of(README)
LANGUAGES = ("", "text", "python", "html", "sql")


def commands() -> Iterator[Command]:
    """All commands in shell blocks, in order."""
    for block in BLOCKS:
        if not block.language:
            yield from commands_of(block)


def matching(text: str, beginnings: object) -> list[str]:
    assert isinstance(beginnings, dict)
    return [beginning for beginning in beginnings if text.startswith(beginning)]


def test_each_block_is_walked_or_it_is_said_why_not() -> None:
    others = [Command(each.line, each.first) for each in BLOCKS if each.language == "text"]
    used = set()
    for command in (*others, *commands()):
        found = [*matching(command.text, WALKED), *matching(command.text, NOT_RUN)]
        assert len(found) == 1, f"README.md:{command.line} is on {found}: {command.text}"
        used.update(found)
    assert used == {*WALKED, *NOT_RUN}
    assert {each.language for each in BLOCKS} == set(LANGUAGES)


def test_each_command_in_the_prose_is_run() -> None:
    assert set(inline_commands(README)) == {*INLINE, *IN_BLOCKS}


@pytest.mark.parametrize("page", PAGES)
def test_each_command_of_a_tutorial_is_walked(page: str) -> None:
    assert not unmatched(page)


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    """A newcomer's terminal in a fresh copy, beside that in which `tocsin up` runs."""
    folder, files, ports = tmp_path / "tocsin", tmp_path / "terminal", free_ports()
    folder.mkdir()
    files.mkdir()
    copy_tree(folder)
    with up(folder, tmp_path / "up.log", ports), Shell(folder, files) as shell:
        yield Walk(shell, folder, ports)


def test_the_readme_is_walked_through(
    walk: Walk, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    # It asks what happened today.
    time.sleep(to_tomorrow(within=EFFECT_SECONDS))
    for block in BLOCKS:
        match block.language:
            case "":
                _run(walk, block)
            case "python":
                (walk.folder / "emit.py").write_text(with_ports(block.text, walk.ports))
            case "sql":
                ask_all(walk, block.text)
            case "html" if CHROMIUM and DRIVER:
                lines = with_ports(block.text, walk.ports)
                lines = lines.replace("…", walk.shell.value("TOKEN"))
                shows_a_bell(request.getfixturevalue("browser"), lines, tmp_path / "site")
    run_all(walk)
    open_all(walk, README)
    walk_all(walk)


def _run(walk: Walk, block: Block) -> None:
    for command in commands_of(block):
        for beginning in matching(command.text, WALKED):
            walk.step(WALKED[beginning], command)
