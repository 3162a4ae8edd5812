"""Commands of a folder find the `tocsin up` that runs there, and no other and none that ended."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cli.environment import FILE, claimed, found
from cli.settings import read_settings
from schemas.errors import Misconfigured, Unavailable

OF_UP = {
    "TOCSIN_KAFKA": "127.0.0.1:19092",
    "TOCSIN_CLICKHOUSE_PORT": "18123",
    "TOCSIN_CATALOGUE": "/a folder/it's here",
    "TOCSIN_VAPID_PRIVATE_KEY": '-----BEGIN KEY-----\n$HOME `x` "y"\n-----END KEY-----\n',
    "TOCSIN_PRIVATE_ENDPOINTS": '["127.0.0.1"]',
    "TOCSIN_SIGNING_KEY": "",
}
HOLDS = """
import sys, time
from pathlib import Path
from cli.environment import claimed
with claimed() as file:
    file.write({"TOCSIN_KAFKA": "127.0.0.1:19092"})
    print("held", flush=True)
    time.sleep(600)
"""
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own to run commands in, and no variables of Tocsin."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("TOCSIN_")]:
        monkeypatch.delenv(name)
    return tmp_path


def test_what_up_writes_is_what_commands_read() -> None:
    with claimed() as file:
        file.write({**OF_UP, "NO_PROXY": "127.0.0.1"})
        assert found() == OF_UP
        settings = read_settings()
    assert settings.kafka == "127.0.0.1:19092"
    assert settings.clickhouse_port == 18123
    assert settings.catalogue == Path("/a folder/it's here")
    assert settings.vapid_private_key.get_secret_value() == OF_UP["TOCSIN_VAPID_PRIVATE_KEY"]
    assert settings.private_endpoints == ("127.0.0.1",)


def test_a_settings_file_that_speaks_of_another_kafka_is_not_mixed_with_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = folder / "tocsin.toml"
    monkeypatch.setenv("TOCSIN_SETTINGS", str(own))
    with claimed() as file:
        file.write(OF_UP)
        own.write_text('kafka = "elsewhere:9092"\n')
        assert read_settings().kafka == "elsewhere:9092"
        assert read_settings().clickhouse_port == 8123
        own.write_text("partitions = 4\n")
        assert (read_settings().kafka, read_settings().partitions) == ("127.0.0.1:19092", 4)


def test_a_shell_can_read_the_file_too() -> None:
    with claimed() as file:
        file.write(OF_UP)
        script = f'. ./{FILE}; printf %s "$TOCSIN_VAPID_PRIVATE_KEY|$TOCSIN_CATALOGUE"'
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == f"{OF_UP['TOCSIN_VAPID_PRIVATE_KEY']}|{OF_UP['TOCSIN_CATALOGUE']}"


def test_only_its_owner_can_read_it_and_it_is_gone_at_the_end() -> None:
    FILE.parent.mkdir()
    FILE.write_text("TOCSIN_KAFKA=left-behind\n")
    FILE.chmod(0o644)
    with claimed() as file:
        file.write(OF_UP)
        assert stat.S_IMODE(FILE.stat().st_mode) == 0o600
    assert not FILE.exists()
    assert found() is None


def test_the_last_that_is_written_counts() -> None:
    with claimed() as file:
        file.write({"TOCSIN_KAFKA": "a-name-that-is-long:9092"})
        file.write({"TOCSIN_KAFKA": "short:1"})
        assert found() == {"TOCSIN_KAFKA": "short:1"}


def test_variables_of_ones_own_win(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TOCSIN_CATALOGUE", "mine")
    monkeypatch.setenv("TOCSIN_KAFKA", OF_UP["TOCSIN_KAFKA"])
    with claimed() as file:
        file.write(OF_UP)
        settings = read_settings()
    assert settings.catalogue == Path("mine")
    assert settings.clickhouse_port == 18123
    said = capsys.readouterr()
    assert said.err.splitlines() == [f"tocsin: using `tocsin up` of this folder ({FILE})"]
    assert said.out == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOCSIN_KAFKA", "kafka.example.com:9092"),
        ("TOCSIN_CLICKHOUSE_HOST", "clickhouse.example.com"),
        ("TOCSIN_CLICKHOUSE_PORT", "8443"),
    ],
)
def test_whoever_has_a_kafka_or_clickhouse_of_their_own_gets_nothing_from_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    """Half of one installation and half of another would be neither."""
    monkeypatch.setenv(name, value)
    with claimed() as file:
        assert str(getattr(read_settings(), name.removeprefix("TOCSIN_").lower())) == value
        file.write(OF_UP)
        settings = read_settings()
    assert str(getattr(settings, name.removeprefix("TOCSIN_").lower())) == value
    assert settings.catalogue == Path("catalogue")
    assert settings.vapid_private_key.get_secret_value() == ""
    assert capsys.readouterr().err == ""


def test_while_up_starts_or_stops_a_command_says_so() -> None:
    with claimed() as file:
        with pytest.raises(Unavailable, match="is starting or stopping"):
            read_settings()
        file.write(OF_UP)
        read_settings()
        file.write({})
        with pytest.raises(Unavailable, match="is starting or stopping"):
            read_settings()


def test_a_second_up_in_the_folder_is_refused_and_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cli.environment.CLAIM_SECONDS", 0.1)
    with claimed() as file:
        file.write(OF_UP)
        with pytest.raises(Unavailable, match="Another `tocsin up` runs in this folder"), claimed():
            pytest.fail("two of them")
        assert found() == OF_UP


def test_what_a_killed_up_left_is_not_used_and_the_next_one_takes_over(
    capsys: pytest.CaptureFixture[str],
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS], stdout=subprocess.PIPE, text=True, env=environment
    ) as up:
        assert up.stdout is not None
        assert up.stdout.readline() == "held\n"
        assert read_settings().kafka == "127.0.0.1:19092"
        up.send_signal(signal.SIGKILL)
        up.wait()
    capsys.readouterr()
    assert FILE.exists()
    assert read_settings().kafka == "127.0.0.1:9092"
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence.startswith(f"tocsin: {FILE} is not used: its `tocsin up` has ended")
    with claimed() as file:
        assert found() == {}
        file.write(OF_UP)
        assert found() == OF_UP


def test_without_a_file_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert read_settings().kafka == "127.0.0.1:9092"
    assert capsys.readouterr().err == ""


def test_a_folder_that_can_not_be_written_is_one_sentence(folder: Path) -> None:
    (folder / ".tocsin").touch()
    with pytest.raises(Unavailable, match=r"\.tocsin/environment can't be written"), claimed():
        pytest.fail("it can")


def test_a_wrong_value_in_the_file_names_the_variable() -> None:
    with claimed() as file:
        file.write({**OF_UP, "TOCSIN_PARTITIONS": "many"})
        with pytest.raises(Misconfigured, match="TOCSIN_PARTITIONS"):
            read_settings()
