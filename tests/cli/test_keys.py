"""`tocsin keys`: a key that is made can be read, and one that can't be spoils no other."""

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from cli.main import tocsin
from pipeline.errors import Misconfigured
from web.api.keys import read_keys


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys.toml"
    monkeypatch.setenv("TOCSIN_API_KEYS", str(path))
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
    assert isinstance(result.exception, Misconfigured)
    assert "No key was made" in str(result.exception)
    assert not path.exists()


def test_a_key_that_may_do_nothing_in_a_minute_is_told_of(path: Path) -> None:
    """It would make every request fail."""
    path.write_text('[one]\nsha256 = ""\ntenant = "acme"\nscopes = []\nper_minute = 0\n')
    with pytest.raises(Misconfigured, match=r"'one'.*per_minute"):
        read_keys(path)
