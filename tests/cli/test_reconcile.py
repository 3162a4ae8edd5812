"""`tocsin reconcile`: what it says of a log that it can't read."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import tocsin
from pipeline.errors import Misconfigured


@pytest.mark.parametrize(
    "line", [b"hello", b"{}", b'{"delivery_id": "\xfc"}', b'{"x": ' + b"[" * 9999]
)
def test_a_log_that_is_none_is_one_sentence(tmp_path: Path, line: bytes) -> None:
    log = tmp_path / "log"
    log.write_bytes(line)
    result = CliRunner().invoke(tocsin, ["reconcile", "--from", "1h", "--accepted", str(log)])
    assert isinstance(result.exception, Misconfigured)
    assert str(result.exception).startswith(f"{log} is not made of JSON lines")
