"""`tocsin` as a process: what it offers, and one sentence for what keeps it from working."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from agents.roles import builders_of
from cli.environment import FILE
from cli.main import LAZY_COMMANDS, SERVERS, tocsin
from embedded.kafka import Kafka
from embedded.process import free_port
from schemas.errors import ExitCode
from schemas.topics import ROLES
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


async def run(*argv: str, folder: Path = ROOT, **env: str | Path | int) -> Ended:
    """Run `tocsin` in a folder, without a shell."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *argv),
        cwd=folder,
        env={**os.environ, **{name: str(value) for name, value in env.items()}},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await ended(process.communicate())
    return Ended(process.returncode, output.decode(), errors.decode())


async def test_help_lists_the_commands() -> None:
    done = await run("--help")
    assert done.code == 0
    for command in (*LAZY_COMMANDS, "demo", "setup", "up", "web", "worker"):
        assert f"\n  {command} " in done.output


def _help_of(*argv: str) -> str:
    result = CliRunner().invoke(tocsin, [*argv, "--help"], terminal_width=80)
    assert result.exit_code == 0
    return result.output


def _commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, *path, name)


def test_no_help_cuts_a_summary_or_is_wider_than_a_terminal() -> None:
    for path, command in [((), tocsin), *_commands(tocsin)]:
        said = _help_of(*path)
        assert "..." not in said.replace("[ARGS]...", ""), path
        assert max(map(len, said.splitlines())) <= 80, path
        parent = " ".join(_help_of(*path[:-1]).split())
        # Up to the end of the first sentence, or of the paragraph.
        summary = " ".join((command.help or "").split("\n\n")[0].split()).partition(". ")[0]
        assert summary.rstrip(".") in parent, path


def test_whatever_reports_speaks_json() -> None:
    silent = {("up",), ("web",), ("worker",)}  # They run until they are stopped.
    for path, command in _commands(tocsin):
        options = {option for each in command.params for option in each.opts}
        is_group = isinstance(command, click.Group)
        assert is_group or path in silent or "--json" in options, path


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_known(role: str) -> None:
    assert callable(builders_of([role])[role])


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("nobody", f"'nobody' is not a role; the roles are {', '.join(ROLES)}, or all"),
        ("push nobody", "'nobody' is not a role"),
        ("push sms push", "'push' is given twice; a process runs a role once"),
        ("all push", "'all' means every role, so it can't be combined"),
        ("", "Missing argument 'ROLES'"),
    ],
)
def test_roles_that_can_t_be_run_together_are_refused_in_a_sentence(
    names: str, sentence: str
) -> None:
    result = CliRunner().invoke(tocsin, ["worker", *names.split()])
    assert result.exit_code == 2
    assert sentence in result.output


@pytest.mark.parametrize(
    ("names", "roles"), [("all", ROLES), ("sms push", ("sms", "push")), ("router", ("router",))]
)
def test_a_worker_runs_the_roles_that_are_named(
    monkeypatch: pytest.MonkeyPatch, names: str, roles: tuple[str, ...]
) -> None:
    run: list[str] = []
    monkeypatch.setattr("cli.main.check_prerequisites", lambda _: None)
    monkeypatch.setattr(
        "pipeline.process.worker.run_worker", lambda _, builders: run.extend(builders)
    )
    result = CliRunner().invoke(tocsin, ["worker", *names.split()])
    assert (result.exit_code, tuple(run)) == (0, roles)


@pytest.mark.parametrize(
    "argv",
    [
        ("worker", "decider"),
        ("web",),
        ("setup", "--json"),
        ("dead-letters", "list"),
        ("replay", "--from", "1h", "--catalogue", "catalogue"),
        ("explain", "--event", "schemas/examples/events.json", "--user", "ann"),
        ("day", "--user", "ada"),
        ("find", "ada"),
        ("export", "funnel", "--to", "funnel.parquet"),
        ("reconcile", "--from", "1h"),
        ("analyst", "ann"),
        ("keys", "create", "shop"),
    ],
)
async def test_no_kafka_is_one_sentence(tmp_path: Path, argv: tuple[str, ...]) -> None:
    address = f"127.0.0.1:{free_port()}"
    done = await run(*argv, TOCSIN_KAFKA=address, TOCSIN_DATA_DIR=tmp_path)
    assert done.code == ExitCode.UNAVAILABLE
    (sentence,) = done.sentences
    assert address in sentence
    assert "TOCSIN_KAFKA" in sentence
    assert "Traceback" not in done.errors
    assert done.output == ""
    if argv[0] not in SERVERS:
        assert done.errors.strip() == sentence


@pytest.mark.parametrize(
    "argv",
    [
        ("day", "--user", "ada"),
        ("timeline", "90b7", "--json"),
        ("experiment", "order_shipped"),
        ("analyst", "ann"),
    ],
)
async def test_no_clickhouse_is_one_sentence(
    kafka_with_topics: Kafka, argv: tuple[str, ...]
) -> None:
    port = free_port()
    kafka = kafka_with_topics.address
    done = await run(*argv, TOCSIN_CLICKHOUSE_PORT=port, TOCSIN_KAFKA=kafka)
    assert (done.code, done.output) == (ExitCode.UNAVAILABLE, "")
    (sentence,) = done.sentences
    assert done.errors.strip() == sentence
    assert f"127.0.0.1:{port}" in sentence
    assert "set TOCSIN_CLICKHOUSE_HOST and TOCSIN_CLICKHOUSE_PORT" in sentence


@pytest.mark.parametrize(
    "argv",
    [
        ("preview", "order_shipped"),
        ("catalogue", "show"),
        ("experiment", "order_shipped"),
        ("reconcile", "--from", "1h"),
    ],
)
async def test_a_folder_without_a_catalogue_is_one_sentence(
    tmp_path: Path, argv: tuple[str, ...]
) -> None:
    done = await run(*argv, folder=tmp_path, PYTHONPATH=ROOT)
    assert (done.code, done.output) == (ExitCode.CONFIGURATION, "")
    (sentence,) = done.sentences
    assert done.errors.strip() == sentence
    assert "There is no *.toml file in catalogue" in sentence
    assert "set TOCSIN_CATALOGUE" in sentence


async def test_a_port_that_is_taken_is_one_sentence_before_anything_is_started(
    tmp_path: Path,
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for option in ("--web-port", "--page-port"):
            free = ("--web-port", str(free_port())) if option == "--page-port" else ()
            done = await run("up", *free, option, str(port), folder=tmp_path, PYTHONPATH=ROOT)
            assert done.code == ExitCode.UNAVAILABLE
            (sentence,) = done.sentences
            assert sentence.startswith(f"tocsin: Port {port} is taken by another program")
            assert done.errors.strip() == sentence
            assert not (tmp_path / FILE).exists()
            assert not (tmp_path / ".tocsin" / "up").exists()


async def test_a_catalogue_of_ones_own_is_looked_at_before_all_is_started(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[types.mine]\ncategory = 7\n")
    done = await run("up", "--folder", str(tmp_path / "up"), TOCSIN_CATALOGUE=tmp_path)
    assert done.code == ExitCode.CONFIGURATION
    assert "mine.toml:2" in done.errors
    assert "Traceback" not in done.errors
    assert not (tmp_path / "up").exists()


async def test_a_state_folder_that_can_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    done = await run("worker", "decider", TOCSIN_DATA_DIR=tmp_path / "state")
    assert done.code == ExitCode.UNAVAILABLE
    (sentence,) = done.sentences
    assert "File exists" in sentence
    assert "TOCSIN_DATA_DIR" in sentence
    assert done.errors.strip() == sentence


async def test_a_worker_does_not_answer_beyond_this_machine_without_a_signing_key(
    tmp_path: Path,
) -> None:
    done = await run(
        "worker",
        "decider",
        TOCSIN_DATA_DIR=tmp_path,
        TOCSIN_QUERY_HOST="0.0.0.0",  # noqa: S104 - it is refused
        TOCSIN_KAFKA=f"127.0.0.1:{free_port()}",
    )
    assert done.code == ExitCode.CONFIGURATION
    (sentence,) = done.sentences
    assert "TOCSIN_SIGNING_KEY is not set" in sentence
    assert done.errors.strip() == sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [("TOCSIN_PARTITIONS", "many"), ("TOCSIN_BAD_SHARE", "2"), ("TOCSIN_CLICKHOUSE_PORT", "0")],
)
async def test_a_setting_that_can_not_be_used_is_named(name: str, value: str) -> None:
    variables: dict[str, Any] = {name: value}
    done = await run("worker", "retry", **variables)
    assert done.code == ExitCode.CONFIGURATION
    (sentence,) = done.sentences
    assert name in sentence
    assert done.errors.strip() == sentence
