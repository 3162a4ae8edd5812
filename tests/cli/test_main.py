"""`tocsin` as a process: what it offers, and one sentence for what keeps it from working."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from agents.roles import builder_of
from cli.main import ELSEWHERE, UNAVAILABLE
from embedded.process import free_port
from pipeline.topics import ROLES
from tests.patience import ended

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """A process that has come to its end."""

    code: int | None
    output: str
    errors: str

    @property
    def sentences(self) -> list[str]:
        """What it said of itself on standard error."""
        return [line for line in self.errors.splitlines() if line.startswith("tocsin: ")]


async def run(*argv: str, **env: object) -> Ended:
    """Run `tocsin`, without a shell."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *argv),
        cwd=ROOT,
        env={**os.environ, **{name: str(value) for name, value in env.items()}},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await ended(process.communicate())
    return Ended(process.returncode, output.decode(), errors.decode())


async def test_help_lists_the_commands() -> None:
    done = await run("--help")
    assert done.code == 0
    for command in (*ELSEWHERE, "demo", "setup", "up", "web", "worker"):
        assert f"\n  {command} " in done.output


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_known(role: str) -> None:
    assert callable(builder_of(role))


async def test_an_unknown_role_is_told_which_there_are() -> None:
    done = await run("worker", "nobody")
    assert done.code == 2
    assert all(role in done.errors for role in ROLES)


@pytest.mark.parametrize("argv", [("worker", "decider"), ("dead-letters", "list"), ("setup",)])
async def test_no_kafka_is_one_sentence(tmp_path: Path, argv: tuple[str, ...]) -> None:
    address = f"127.0.0.1:{free_port()}"
    done = await run(*argv, TOCSIN_KAFKA=address, TOCSIN_DATA_DIR=tmp_path)
    assert done.code == UNAVAILABLE
    (sentence,) = done.sentences
    assert address in sentence
    assert "TOCSIN_KAFKA" in sentence
    assert "Traceback" not in done.errors


async def test_a_catalogue_of_ones_own_is_looked_at_before_all_is_started(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[types.mine]\ncategory = 7\n")
    done = await run("up", "--folder", str(tmp_path / "up"), TOCSIN_CATALOGUE=tmp_path)
    assert done.code == UNAVAILABLE
    assert "mine.toml:2" in done.errors
    assert "Traceback" not in done.errors
    assert not (tmp_path / "up").exists()


async def test_a_state_folder_that_can_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    done = await run("worker", "decider", TOCSIN_DATA_DIR=tmp_path / "state")
    assert done.code == UNAVAILABLE
    (sentence,) = done.sentences
    assert "File exists" in sentence
    assert "TOCSIN_DATA_DIR" in sentence
    assert done.errors.strip() == sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [("TOCSIN_PARTITIONS", "many"), ("TOCSIN_BAD_SHARE", "2"), ("TOCSIN_CLICKHOUSE_PORT", "0")],
)
async def test_a_setting_that_can_not_be_used_is_named(name: str, value: str) -> None:
    done = await run("worker", "retry", **{name: value})
    assert done.code == UNAVAILABLE
    (sentence,) = done.sentences
    assert name in sentence
    assert done.errors.strip() == sentence
