"""One place makes Kafka's clients: what all connections need is said there, and nowhere else."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.consuming.membership import NamedConsumer
from pipeline.kafka.clients import new_admin, new_client, new_consumer
from pipeline.producing.producer import Producer

ROOT = Path(__file__).parent.parent
FACTORY = ROOT / "pipeline" / "kafka_clients.py"
CLIENTS = {"AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient", "AIOKafkaClient"}
PACKAGES = (
    "agents",
    "analytics",
    "cli",
    "embedded",
    "pipeline",
    "policy",
    "sinks",
    "tables",
    "web",
)
"""Not the demo and the benchmarks: they are also what others than Tocsin connect with."""


def made(source: str) -> Iterator[str]:
    """Which clients a module makes or says an address to, by their names."""
    tree = ast.parse(source)
    kinds = CLIENTS | {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and CLIENTS & set(map(_name, node.bases))
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in kinds:
            yield _name(node.func)
        if isinstance(node, ast.keyword) and node.arg == "bootstrap_servers":
            yield node.arg


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_module_makes_a_client(package: str) -> None:
    paths = [path for path in (ROOT / package).rglob("*.py") if path != FACTORY]
    found = {str(path.relative_to(ROOT)): list(made(path.read_text())) for path in paths}
    assert paths
    assert not {path: names for path, names in found.items() if names}


@pytest.mark.parametrize(
    "source",
    [
        "AIOKafkaConsumer('t')",
        "aiokafka.AIOKafkaProducer()",
        "class Own(AIOKafkaProducer): ...\nOwn(lease)",
        "anything(bootstrap_servers=kafka)",
    ],
)
def test_each_way_to_make_one_is_seen(source: str) -> None:
    assert list(made(source))


async def test_every_client_looks_often_who_leads_what() -> None:
    """A broker that is a leader no more says so again and again; aiokafka goes on to ask it."""
    clients = [
        new_consumer("127.0.0.1:1"),
        new_client(NamedConsumer, "127.0.0.1:1", member=None),
        new_client(Producer, "127.0.0.1:1"),
    ]
    admin = new_admin("127.0.0.1:1")
    inner = [getattr(each, "client", None) or each._client for each in (*clients, admin)]
    assert [each._metadata_max_age_ms for each in inner] == [10_000] * len(inner)
    for client in clients:
        client._closed = True  # none was started, so there is nothing to be stopped


async def test_a_consumer_waits_longer_for_an_outcome_than_for_one_broker() -> None:
    consumer = new_consumer("127.0.0.1:1")
    assert consumer._client._request_timeout_ms == 10_000
    assert consumer._request_timeout_ms > 3 * 10_000
    consumer._closed = True
