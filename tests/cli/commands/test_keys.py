"""`tocsin keys`: a key that is made can be read, and one that can't be spoils no other."""

import fcntl
from pathlib import Path
from typing import TextIO

import msgspec
import pytest
from click.testing import CliRunner, Result

from cli.main import tocsin
from schemas.errors import Misconfigured, WrongUsage
from web.api.keys import ApiKey, read_keys, table_of


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys.toml"
    monkeypatch.setenv("TOCSIN_API_KEYS", str(path))

    async def noted(*_: object, **__: object) -> None:
        """That it is put on record is held in tests/cli/test_audit.py."""

    monkeypatch.setattr("cli.commands.keys.put_on_record", noted)
    return path


def run(*argv: str) -> Result:
    return CliRunner().invoke(tocsin, ["keys", *argv])


@pytest.mark.parametrize("tenant", ["acme", 'a"b', "a\\b", "größe", "a b", "😀"])
def test_a_key_of_any_tenant_can_be_read(path: Path, tenant: str) -> None:
    assert run("create", "one", "--tenant", tenant).exit_code == 0
    assert run("create", "two").exit_code == 0
    assert {key.name: key.tenant for key in read_keys(path)} == {"one": tenant, "two": "default"}
    listed = run("list", "--json").output.splitlines()
    assert [msgspec.json.decode(line)["tenant"] for line in listed] == [tenant, "default"]


@pytest.mark.parametrize(
    ("name", "tenant"),
    [
        ("büro", "acme"),
        ("a.b", "acme"),
        ("", "acme"),
        ("one", ""),
        ("one", "a\nb"),
        ("one", "a" * 201),
    ],
)
def test_what_could_not_be_read_is_not_made(path: Path, name: str, tenant: str) -> None:
    result = run("create", name, "--tenant", tenant)
    assert isinstance(result.exception, WrongUsage)
    assert "No key was created" in str(result.exception)
    assert not path.exists()


def test_of_two_made_at_once_under_one_name_the_second_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two tables of one name the file could not be read, and nobody's key would count."""
    lock, waited = fcntl.flock, []

    def locked(file: TextIO, operation: int) -> None:
        # As when another process had the file to itself until now.
        other = ApiKey(name="one", sha256="", tenant="acme", scopes=frozenset(), per_minute=1)
        path.write_text(table_of(other))
        waited.append(operation)
        lock(file, operation)

    monkeypatch.setattr("fcntl.flock", locked)
    result = run("create", "one")
    assert isinstance(result.exception, WrongUsage)
    assert "There is a key 'one'" in str(result.exception)
    assert waited == [fcntl.LOCK_EX]
    assert [key.tenant for key in read_keys(path)] == ["acme"]


def test_a_key_that_may_do_nothing_in_a_minute_is_told_of(path: Path) -> None:
    """It would make every request fail."""
    path.write_text('[one]\nsha256 = ""\ntenant = "acme"\nscopes = []\nper_minute = 0\n')
    with pytest.raises(Misconfigured, match=r"'one'.*per_minute"):
        read_keys(path)
