"""Secrets in files that are replaced while a process runs."""

import logging
import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from pipeline.monitoring.metrics import STALE_SECRETS
from pipeline.replaced_files import LOOK_SECONDS, ReplacedFiles
from pipeline.secret_file import Derived, FileSecret
from pipeline.settings import Settings
from pipeline.variables import settings_of
from schemas.errors import Misconfigured
from tests.pipeline.mounted import Mounted, Seconds

NAME = "sendgrid_api_key"


def is_stale(setting: str = NAME) -> bool:
    return bool(STALE_SECRETS.labels(setting)._value.get())


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def mounted(tmp_path: Path) -> Mounted:
    return Mounted(tmp_path / "secrets", key="old\n", other="x")


@pytest.fixture
def secret(mounted: Mounted, seconds: Seconds) -> FileSecret:
    return FileSecret(NAME, mounted["key"], seconds)


def test_what_is_mounted_anew_is_used_after_the_next_look(
    mounted: Mounted, secret: FileSecret, seconds: Seconds
) -> None:
    mounted.swap(key="new\n", other="x")
    assert secret.get_secret_value() == "old"
    seconds.now = LOOK_SECONDS
    assert secret.get_secret_value() == "new"
    mounted.swap(key="newer", other="x")
    seconds.now += LOOK_SECONDS - 0.1
    assert secret.get_secret_value() == "new"
    seconds.now += 0.1
    assert secret.get_secret_value() == "newer"
    assert "new" not in f"{secret} {secret!r}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the new file is empty"),
        (" \n", "the new file is empty"),
        (b"\xff\xfehush", "it is no text"),
        ("hush\nhush", "several lines"),
        ("hush\x00", "what is no text"),
        ("h" * (1 << 20) + "ush", "more than 1048576 bytes"),
        (None, "No such file"),
    ],
)
def test_what_can_not_be_used_changes_nothing_and_is_said_once(
    mounted: Mounted,
    secret: FileSecret,
    seconds: Seconds,
    caplog: pytest.LogCaptureFixture,
    content: str | bytes | None,
    said: str,
) -> None:
    mounted.swap(**({} if content is None else {"key": content}))
    for _ in range(3):
        seconds.now += LOOK_SECONDS
        assert secret.get_secret_value() == "old"
    (record,) = caplog.records
    assert record.message.startswith("TOCSIN_SENDGRID_API_KEY: ")
    assert said in record.message
    assert "hush" not in record.message
    assert is_stale()
    mounted.swap(key="new")
    seconds.now += LOOK_SECONDS
    assert secret.get_secret_value() == "new"
    assert not is_stale()


def test_a_file_that_is_written_in_its_place_is_read_again(
    tmp_path: Path, seconds: Seconds
) -> None:
    file = tmp_path / "key"
    file.write_text("old")
    secret = FileSecret(NAME, file, seconds)
    file.write_text("of another length")
    seconds.now = LOOK_SECONDS
    assert secret.get_secret_value() == "of another length"


def test_secrets_of_one_file_are_equal_whatever_it_holds(
    mounted: Mounted, secret: FileSecret, seconds: Seconds
) -> None:
    before = hash(secret)
    same = FileSecret(NAME, mounted["key"], seconds)
    mounted.swap(key="new", other="old")
    seconds.now = LOOK_SECONDS
    assert secret.get_secret_value() == "new"
    assert secret == same
    assert hash(secret) == before
    assert secret != FileSecret(NAME, mounted["other"], seconds)


def test_of_variables_some_are_read_once_and_others_again(
    mounted: Mounted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.replaced_files.LOOK_SECONDS", 0)
    key, other = str(mounted["key"]), str(mounted["other"])
    found = settings_of({"TOCSIN_SENDGRID_API_KEY_FILE": key, "TOCSIN_SIGNING_KEY_FILE": other})
    mounted.swap(key="new", other="y")
    assert found.sendgrid_api_key.get_secret_value() == "new"
    assert found.signing_key.get_secret_value() == "x"


def test_what_is_made_of_one_is_made_again_once(
    secret: FileSecret, mounted: Mounted, seconds: Seconds, caplog: pytest.LogCaptureFixture
) -> None:
    made: list[str] = []

    def make(text: str) -> str:
        made.append(text)
        if text == "hush":
            raise Misconfigured("It is none.")
        if text == "bad":
            raise ValueError("bad")
        return text.upper()

    derived = Derived(Settings(sendgrid_api_key=secret), NAME, make)
    assert (derived.is_set, derived.get(), derived.get()) == (True, "OLD", "OLD")
    for broken in ("hush", "bad"):
        mounted.swap(key=broken)
        seconds.now += LOOK_SECONDS
        assert (derived.get(), derived.get()) == ("OLD", "OLD")
        assert is_stale()
    mounted.swap(key="new")
    seconds.now += LOOK_SECONDS
    assert (derived.get(), derived.get()) == ("NEW", "NEW")
    assert made == ["old", "hush", "bad", "new"]
    assert "It is none. What was there" in caplog.text
    assert "bad" not in caplog.text
    assert "hush" not in caplog.text
    with pytest.raises(Misconfigured):
        Derived(Settings(sendgrid_api_key=SecretStr("hush")), NAME, make)


def test_files_are_looked_at_seldom(
    tmp_path: Path,
    seconds: Seconds,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    looks: list[Path] = []
    stat = Path.stat

    def noted(path: Path) -> os.stat_result:
        looks.append(path)
        return stat(path)

    monkeypatch.setattr(Path, "stat", noted)
    files = ReplacedFiles(tmp_path, None, monotonic=seconds)
    for _ in range(1000):
        assert not files.changed()
    assert len(looks) == 1
