"""What keeps a worker from starting is found out before it loads all that it runs with."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.process import free_port
from pipeline.process.prerequisites import check_kafka_listens, check_prerequisites
from pipeline.settings import Settings
from schemas.errors import Misconfigured, Unavailable


@pytest.fixture
def listening() -> Iterator[str]:
    """Where a program takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def refused() -> str:
    return f"127.0.0.1:{free_port()}"


def test_brokers_that_all_refuse_are_away() -> None:
    brokers = f"{refused()},{refused()}"
    with pytest.raises(Unavailable, match=f"Kafka does not answer at {brokers}"):
        check_kafka_listens(brokers)


def test_one_of_them_that_listens_is_enough(listening: str) -> None:
    check_kafka_listens(f"{refused()},{listening}")


@pytest.mark.parametrize("kafka", ["nobody.invalid:9092", "127.0.0.1", "127.0.0.1:kafka"])
def test_whatever_else_is_wrong_is_left_to_kafkas_client(kafka: str) -> None:
    check_kafka_listens(kafka)


def test_what_an_operator_set_wrong_is_told_before_kafka(tmp_path: Path) -> None:
    """They can mend it while Kafka starts."""
    settings = Settings(kafka=refused(), data_dir=tmp_path / "state", query_host="0.0.0.0")  # noqa: S104
    with pytest.raises(Misconfigured, match="TOCSIN_QUERY_HOST"):
        check_prerequisites(settings)
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable, match="TOCSIN_DATA_DIR"):
        check_prerequisites(settings.model_copy(update={"data_dir": tmp_path / "file"}))


def test_a_worker_without_kafka_loads_nothing_of_its_roles(tmp_path: Path) -> None:
    """In a process of its own, as this one has loaded them."""
    said = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import sys\n"
            "from click.testing import CliRunner\n"
            "from cli.main import tocsin\n"
            "result = CliRunner().invoke(tocsin, ['worker', 'all'])\n"
            "print(type(result.exception).__name__)\n"
            "print([name for name in ('faust', 'aiokafka', 'jinja2') if name in sys.modules])\n",
        ],
        env={"TOCSIN_KAFKA": refused(), "TOCSIN_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.splitlines() == ["Unavailable", "[]"]
