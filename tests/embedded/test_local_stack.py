"""A house on one machine: how many partitions its topics have."""

from pathlib import Path

import pytest

from embedded.kafka import Kafka
from embedded.kafka_cluster import KafkaCluster
from embedded.local_stack import LocalStack, partitions_in
from tests.agents.line import PARTITIONS


def partitions_of(folder: Path, partitions: int | None = None) -> int:
    """With how many partitions its workers would start in this folder."""
    (folder / "simulators").mkdir(exist_ok=True)
    (folder / "simulators/environment.json").write_text("{}")
    return LocalStack(folder, partitions=partitions).settings.partitions


def test_a_new_house_has_four_partitions_unless_another_number_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the environment says another number, which is that of another Kafka."""
    monkeypatch.setenv("TOCSIN_PARTITIONS", "16")
    assert partitions_of(tmp_path) == 4
    assert partitions_of(tmp_path, partitions=16) == 16


def test_a_house_that_was_there_keeps_the_number_that_its_topics_have(
    tmp_path: Path, kafka_with_topics: Kafka
) -> None:
    """By what Kafka has on disk: of an older version's houses nothing else says it."""
    (tmp_path / "kafka").symlink_to(kafka_with_topics.folder)
    assert PARTITIONS != 4
    assert partitions_of(tmp_path) == PARTITIONS
    assert partitions_of(tmp_path, partitions=16) == 16


def test_replicas_of_a_partition_are_one_partition(tmp_path: Path) -> None:
    cluster = KafkaCluster(tmp_path / "kafka", 3)
    for broker in cluster.brokers:
        for number in range(5):
            (broker.folder / "data" / f"events-{number}").mkdir(parents=True)
    assert partitions_in(tmp_path / "kafka") == 5
