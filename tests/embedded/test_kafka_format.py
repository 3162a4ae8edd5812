"""A folder is formatted as Kafka's own tool does it, without the tool wherever that was run."""

import shutil
from pathlib import Path

import pytest

from embedded import java
from embedded.kafka import Kafka, Node
from embedded.kafka_format import FEATURES, NAMES


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home where Kafka was downloaded, and no folder was formatted yet."""
    cache = tmp_path / "home" / ".cache" / "tocsin"
    cache.mkdir(parents=True)
    jars = java.cache() / f"kafka-{java.KAFKA_VERSION}"
    shutil.copytree(jars, cache / jars.name, copy_function=lambda a, b: Path(b).symlink_to(a))
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    return cache


def names(kafka: Kafka) -> dict[str, str]:
    lines = (kafka.folder / "data" / NAMES).read_text().splitlines()
    return dict(line.split("=") for line in lines if not line.startswith("#"))


async def test_a_folder_is_formatted_alike_with_and_without_the_tool(
    home: Path, tmp_path: Path
) -> None:
    by_tool, as_it_did = Kafka(tmp_path / "first"), Kafka(tmp_path / "second", node=Node(2))
    await by_tool.prepare()
    await as_it_did.prepare()
    assert "Formatting" in by_tool.log_path.read_text()
    assert not as_it_did.log_path.exists()
    told, ours = names(by_tool), names(as_it_did)
    assert ours.keys() == told.keys()
    assert (told.pop("node.id"), ours.pop("node.id")) == ("1", "2")
    # Each folder has one of its own: 16 bytes, six bits a character.
    ids = {told.pop("directory.id"), ours.pop("directory.id")}
    assert [len(each) for each in ids] == [22, 22]
    assert ours == told
    features = [kafka.folder / "data" / FEATURES for kafka in (by_tool, as_it_did)]
    assert features[0].read_bytes() == features[1].read_bytes()


async def test_a_formatted_folder_keeps_its_names(home: Path, tmp_path: Path) -> None:
    (home / f"kafka-{java.KAFKA_VERSION}.{FEATURES}").touch()
    kafka = Kafka(tmp_path / "kafka")
    await kafka.prepare()
    before = names(kafka)
    await kafka.prepare()
    assert names(kafka) == before
