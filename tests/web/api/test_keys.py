"""The file of API keys: read, looked at again when it changes, and refused with a sentence."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import Misconfigured
from web.api.keys import SETTLED_SECONDS, ApiKey, Keys, Scope, new_key, read_keys, table_of

SHA = hashlib.sha256(b"tocsin_one").hexdigest()
TABLE = f'[shop]\nsha256 = "{SHA}"\ntenant = "acme"\nscopes = ["send", "read"]\n'
SHOP = ApiKey(name="shop", sha256=SHA, tenant="acme", scopes=frozenset({Scope.SEND, Scope.READ}))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.toml"
    path.write_text(TABLE)
    return path


def rewritten(path: Path, text: str) -> None:
    """Changed for sure, as a file system's clock may stand still for a moment."""
    times = path.stat()
    path.write_text(text)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns + 1_000_000))


def test_a_key_is_found_by_its_text_alone(file: Path) -> None:
    keys = Keys(file)
    assert keys.find("tocsin_one") == SHOP
    assert SHOP.per_minute == 6000
    for other in ("", SHA, "tocsin_two", "tocsin_onE"):
        assert keys.find(other) is None


def test_without_a_file_there_are_no_keys(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.toml")
    assert keys.find("tocsin_one") is None
    (tmp_path / "keys.toml").write_text(TABLE)
    keys.refresh()
    assert keys.find("tocsin_one") == SHOP


def test_a_changed_file_is_taken_up(file: Path) -> None:
    keys = Keys(file)
    rewritten(file, TABLE.replace("shop", "till") + "per_minute = 12\n")
    assert keys.find("tocsin_one") == SHOP
    keys.refresh()
    found = keys.find("tocsin_one")
    assert found and (found.name, found.per_minute) == ("till", 12)


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def gone(file: Path) -> None:
    file.unlink()


def emptied(file: Path) -> None:
    rewritten(file, "")


def half_written(file: Path) -> None:
    rewritten(file, "# The keys of\n")


def after(file: Path, without: Callable[[Path], None], seconds: float, clock: Clock) -> Keys:
    """Keys that were looked at so long after their file was left without them, and just then."""
    keys = Keys(file, clock)
    clock.now += 60
    without(file)
    keys.refresh()
    clock.now += seconds
    keys.refresh()
    return keys


@pytest.mark.parametrize("without", [gone, emptied, half_written])
def test_a_file_that_is_empty_for_a_moment_shuts_nobody_out(
    file: Path, without: Callable[[Path], None]
) -> None:
    clock = Clock()
    keys = after(file, without, SETTLED_SECONDS - 0.1, clock)
    assert keys.find("tocsin_one") == SHOP
    file.write_text(TABLE + "per_minute = 12\n")
    keys.refresh()
    clock.now += 60
    keys.refresh()
    found = keys.find("tocsin_one")
    assert found and found.per_minute == 12


@pytest.mark.parametrize("without", [gone, emptied, half_written])
def test_a_key_that_stays_away_is_none_once_the_file_has_settled(
    file: Path, without: Callable[[Path], None]
) -> None:
    keys = after(file, without, SETTLED_SECONDS, Clock())
    assert keys.find("tocsin_one") is None


def test_each_change_of_the_file_begins_the_wait_anew(file: Path) -> None:
    """An editor may take long; a broken file takes nobody away either."""
    clock = Clock()
    keys = Keys(file, clock)
    for text in ("", "# one\n", "[shop", "# three\n"):
        clock.now += SETTLED_SECONDS * 0.9
        rewritten(file, text)
        keys.refresh_or_keep()
        assert keys.find("tocsin_one") == SHOP
    clock.now += SETTLED_SECONDS
    keys.refresh()
    assert keys.find("tocsin_one") is None


def test_a_file_of_the_same_time_is_not_read_again(file: Path) -> None:
    keys = Keys(file)
    times = file.stat()
    file.write_text(TABLE.replace("shop", "till"))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    keys.refresh()
    assert keys.find("tocsin_one") == SHOP


def test_a_broken_file_changes_nothing_and_is_told_once(file: Path) -> None:
    keys = Keys(file)
    rewritten(file, "[shop")
    with pytest.raises(Misconfigured):
        keys.refresh()
    assert keys.find("tocsin_one") == SHOP
    keys.refresh()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[shop", "can't be read"),
        ("shop = 1\n", "'shop'"),
        (TABLE.replace("send", "fly"), "'shop'"),
        (TABLE.replace("sha256", "sha"), "'shop'"),
        (TABLE.replace('"acme"', '""'), "'shop'"),
        (TABLE + "per_minute = 0\n", "'shop'"),
        (TABLE + TABLE.replace("shop", "till").replace('"acme"', "1"), "'till'"),
    ],
)
def test_what_is_wrong_is_named(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(Misconfigured) as refused:
        read_keys(file)
    assert said in str(refused.value)
    assert str(file) in str(refused.value)


def test_a_new_key_is_known_as_ours_and_kept_as_its_hash() -> None:
    (key, kept), (other, _) = new_key(), new_key()
    assert key.startswith("tocsin_")
    assert kept == hashlib.sha256(key.encode()).hexdigest()
    assert key != other
    # 256 random bits take 43 characters.
    assert len(key) == len("tocsin_") + 43


def test_a_key_is_read_as_it_was_written(file: Path) -> None:
    key = ApiKey(
        name="till", sha256=SHA, tenant='Ünï "q" \\ ltd', scopes=frozenset(Scope), per_minute=7
    )
    file.write_text(table_of(SHOP) + table_of(key))
    assert read_keys(file) == [SHOP, key]
    assert 'tenant = "Ünï' in file.read_text()
