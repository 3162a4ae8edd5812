"""`tocsin reconcile`: what it says of a log that it can't read, and of what is wrong."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from analytics.reconcile import Finding, Reconciled
from cli.commands.reconcile import print_reconciled
from cli.main import tocsin
from schemas.errors import BadInput


@pytest.mark.parametrize(
    "line", [b"hello", b"{}", b'{"delivery_id": "\xfc"}', b'{"x": ' + b"[" * 9999]
)
def test_a_log_that_is_none_is_one_sentence(tmp_path: Path, line: bytes) -> None:
    log = tmp_path / "log"
    log.write_bytes(line)
    result = CliRunner().invoke(tocsin, ["reconcile", "--from", "1h", "--accepted", str(log)])
    assert isinstance(result.exception, BadInput)
    assert str(result.exception).startswith(f"{log} is not JSON Lines")


def test_at_80_columns_what_is_wrong_stands_beneath_by_its_whole_id(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ids = ["90b7c12854cbd5478e08a06ddc4438ba", "order-77-shipped-1795877927335477141"]
    right = Finding("delivery events that ClickHouse has", 1234, 0)
    wrong = Finding("deliveries that came to an end", 5, 2, ids)
    print_reconciled(Console(), Reconciled(findings=[right, wrong], repeated=0))
    assert capsys.readouterr().out.splitlines() == [
        "compared                                of  wrong",
        "delivery events that ClickHouse has  1,234      0",
        "deliveries that came to an end           5      2",
        f"    such as {ids[0]}",
        f"    such as {ids[1]}",
        "0 delivery events were inserted again, and count once.",
        "See above.",
    ]
