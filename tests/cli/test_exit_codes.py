"""Each kind of error ends a command with a code of its own, and a worker with the same."""

import os
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from cli import main
from pipeline.consuming import app
from schemas import errors
from schemas.errors import ExitCode, TocsinError, exit_code_of
from schemas.vocabulary import Reason

KINDS: list[tuple[BaseException, int, str]] = [
    (errors.Misconfigured("no"), 78, "tocsin: no"),
    (errors.BadCatalogue("a.toml:1: no"), 78, "tocsin: a.toml:1: no"),
    (errors.NotPermitted("no"), 77, "tocsin: no"),
    (errors.Unavailable("no"), 69, "tocsin: no"),
    (errors.PortTaken("no"), 69, "tocsin: no"),
    (errors.DownloadFailed("no"), 69, "tocsin: no"),
    (errors.Fenced("no"), 69, "tocsin: no"),
    (errors.Abandoned("no"), 69, "tocsin: no"),
    (errors.BadRecord(Reason.INVALID, "no"), 65, "tocsin: invalid: no"),
    (errors.BadInput("no"), 65, "tocsin: no"),
    (errors.BrokenChangelog("no"), 65, "tocsin: no"),
    (errors.LostPlace("no"), 65, "tocsin: no"),
    (errors.TooManyBadRecords("no"), 65, "tocsin: no"),
    (errors.WrongUsage("no"), 2, "tocsin: no"),
    (errors.RoleNotStarted("no", errors.Misconfigured("why")), 78, "tocsin: no"),
    (errors.RoleNotStarted("no", errors.Unavailable("why")), 69, "tocsin: no"),
    (RuntimeError("no"), 70, "RuntimeError: no"),
]


def kinds(of: type[TocsinError] = TocsinError) -> Iterator[type[TocsinError]]:
    for kind in of.__subclasses__():
        if kind.__module__ == errors.__name__:
            yield kind
            yield from kinds(kind)


def test_every_kind_of_error_is_here() -> None:
    assert set(kinds()) == {type(error) for error, _, _ in KINDS} - {RuntimeError}


@pytest.mark.parametrize(("error", "code", "said"), KINDS)
def test_a_command_ends_with_the_code_of_its_error(
    error: BaseException,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails() -> None:
        raise error

    monkeypatch.setattr(main, "tocsin", fails)
    monkeypatch.setattr(main, "collect_rarely", lambda: None)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == code
    assert capsys.readouterr().err.splitlines()[-1] == said


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.Unavailable("no"), ExitCode.UNAVAILABLE),
        (errors.TooManyBadRecords("no"), ExitCode.DATA),
        (RuntimeError("no"), ExitCode.INTERNAL),
        (ExceptionGroup("several", [errors.LostPlace("no")]), ExitCode.DATA),
    ],
)
def test_a_worker_ends_with_the_code_of_what_it_can_not_go_on_with(
    error: BaseException, code: ExitCode, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    app.fail(error, "router")
    assert codes == [code]


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        ("preview nothing", ExitCode.USAGE),
        ("explain --event - --user ann", ExitCode.DATA),
        ("frontiers router --dry-run", ExitCode.USAGE),
        ("dead-letters replay", ExitCode.USAGE),
        ("day --user ann --date soon", ExitCode.USAGE),
    ],
)
def test_a_command_says_what_kind_of_mistake_it_was_given(argv: str, code: ExitCode) -> None:
    raised = CliRunner().invoke(main.tocsin, argv.split(), input="{").exception
    assert isinstance(raised, TocsinError)
    assert exit_code_of(raised) == code


def test_a_wrong_option_is_wrong_usage_too() -> None:
    assert CliRunner().invoke(main.tocsin, ["day"]).exit_code == ExitCode.USAGE
