"""Houses for chaos tests: what they do to them, they heal."""

import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest

from embedded.local_stack import LocalStack
from embedded.simulators.faults import Fault
from tests.chaos import foreign, waiting
from tests.chaos.observe import set_fault
from tests.patience import PATIENCE
from tests.runs import is_default

CALLS_IN_FLIGHT = 16
SESSION_TIMEOUT = 15
"""Seconds that a worker may stand still before it ends itself, as a busy machine may well let one
wait for some; and that the partitions of one that was killed stay where they were."""
PARTITIONS = 4
"""Enough for two workers to share, and half as much for Kafka to set up and look after."""
TOGETHER = {"others": ("intake", "sms", "chat", "webhook", "analytics")}
"""Who is stopped and killed by nobody alone in the default run, where a process each would take as
long to start as all else takes; `make chaos` has one for each role."""
BRIEF_SESSION = 6
"""Where they are killed often, and one that ends by itself now and then is no matter."""
LATENCY = Fault(latency=0.01)
"""Slow enough that calls are in flight at any moment, fast enough for a burst to drain."""
PROVIDERS = ("fcm", "sendgrid", "twilio")

Tell = Callable[[str], None]


def catalogue_in(folder: Path, files: Mapping[str, str]) -> Path:
    """A new folder in this one with these files of a catalogue."""
    catalogue = folder / "catalogue"
    catalogue.mkdir()
    for name, text in files.items():
        (catalogue / name).write_text(text)
    return catalogue


@pytest.fixture(scope="package")
async def running_house(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> AsyncIterator[LocalStack]:
    """Kafka, ClickHouse, simulators and all roles, of which a test may stop some by themselves."""
    async with LocalStack(
        tmp_path_factory.mktemp("house"),
        together=TOGETHER if is_default(pytestconfig) else None,
        partitions=PARTITIONS,
        session_timeout=SESSION_TIMEOUT,
        calls_in_flight=CALLS_IN_FLIGHT,
        provider_timeout=PATIENCE,
    ) as house:
        yield house


@pytest.fixture(scope="package")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalStack]:
    """What becomes a push or waits in an inbox, with types that only tests have.

    Shared, so each test has users of its own.
    """
    folder = tmp_path_factory.mktemp("town")
    files = {"orders.toml": foreign.CATALOGUE, **waiting.catalogue_files()}
    async with LocalStack(
        folder,
        roles=("intake", "router", "decider", "push", "inapp"),
        partitions=PARTITIONS,
        session_timeout=BRIEF_SESSION,
        catalogue=catalogue_in(folder, files),
    ) as house:
        yield house


@pytest.fixture
async def house(running_house: LocalStack, tell: Tell) -> AsyncIterator[LocalStack]:
    """The running house, with providers that take a moment for each call."""
    for provider in PROVIDERS:
        await set_fault(running_house, provider, LATENCY)
    before = {role: worker.restarts for role, worker in running_house.workers.items()}
    yield running_house
    after = {role: worker.restarts for role, worker in running_house.workers.items()}
    tell(
        f"restarts: { {role: n - before[role] for role, n in after.items() if n != before[role]} }"
    )


@pytest.fixture
def tell(capfd: pytest.CaptureFixture[str]) -> Tell:
    """Print figures past pytest's capture: a passed run must show what it measured."""

    def write(text: str) -> None:
        with capfd.disabled():
            sys.stdout.write(f"\n  {text}")
            sys.stdout.flush()

    return write
