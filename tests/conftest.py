"""The real parts, started once for all tests.

Processes are shared, connections are not: a connection lives in the loop of the tests, which stands
still while a test without `async` runs, and then the other side gives it up.
"""

import gc
import os
import sys
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer

from analytics.clickhouse import ClickHouse as Client
from analytics.migration import migrate
from embedded.clickhouse import ClickHouse
from embedded.kafka import Kafka
from pipeline.admin.topic_creation import create_topics
from pipeline.settings import Settings
from schemas.errors import DownloadFailed
from schemas.topics import TOPICS
from tests.agents.line import PARTITIONS, Line, is_settled, line_to
from tests.analytics.database import connected, created, empty_tables, tables_of
from tests.certificates import Authority
from tests.compiling import compile_share
from tests.patience import PATIENCE
from tests.pipeline.registry.apicurio import Apicurio
from tests.release import build, last_release
from tests.runs import is_default
from tests.scratch import use_memory
from tests.sharing import Sharing, put_in_order

# What was compiled is kept, whatever a container says about its own programs: every process that
# shares the work reads all tests, and together they start hundreds of workers and commands.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# The same examples for everybody, so that a change is judged by what it changes; `make simulate`
# goes on to look for others. No example has a deadline: benchmarks hold speeds, on quiet machines.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


def pytest_configure(config: pytest.Config) -> None:
    """Keep folders in memory, but for those of long tests, which write a lot."""
    if is_default(config):
        use_memory()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Have garbage looked for among what tests leave, and not in all tests again and again."""
    gc.disable()
    try:
        compile_share(session.config)
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the longest, where several processes share the work."""
    if hasattr(config, "workerinput"):
        put_in_order(items)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Sharing:
    """Who shares the work keeps those together that share what was started."""
    return Sharing(config, log)


@pytest.fixture(scope="session", autouse=True)
def unhurried() -> Iterator[None]:
    """Looking up a name and connecting may take as long as all else: a test says when they fail."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sinks.http.client.CONNECT_TIMEOUT", PATIENCE)
        patch.setattr("sinks.http.endpoints.LOOK_UP", PATIENCE)
        yield


@pytest.fixture(scope="session", autouse=True)
def trust_few(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whom TLS trusts by default, here and in processes of tests: one authority that is nobody's.

    Every process that speaks HTTP, and every client of some, reads the files of all authorities
    that a system has, which is a tenth of a worker's start; no test calls anybody whom they know.
    """
    folder = tmp_path_factory.mktemp("authorities")
    # By another name than a test's own: TLS looks for who signed by that alone.
    nobodys = Authority(folder, "nobody's authority")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(nobodys.file))
        patch.setenv("SSL_CERT_DIR", str(folder / "no-others"))
        yield


@pytest.fixture(scope="session")
async def kafka(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kafka]:
    """A running Kafka. Shared: use topics and groups of your own, and never stop it."""
    async with Kafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture(scope="session")
async def kafka_with_topics(kafka: Kafka) -> Kafka:
    """The running Kafka with all topics of Tocsin, of few partitions each."""
    await create_topics(Settings(kafka=kafka.address, partitions=PARTITIONS), TOPICS)
    await is_settled(kafka.address)
    return kafka


@pytest.fixture
async def line(kafka_with_topics: Kafka) -> AsyncIterator[Line]:
    """All topics of Tocsin, and a connection to them."""
    async with line_to(kafka_with_topics.address) as connected:
        yield connected


@pytest.fixture(scope="session")
async def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClickHouse]:
    """A running ClickHouse. Shared: use a database or tables of your own, and never stop it."""
    async with ClickHouse(tmp_path_factory.mktemp("clickhouse")) as running:
        yield running


@pytest.fixture(scope="session")
async def migrated(clickhouse: ClickHouse) -> AsyncIterator[str]:
    """The name of a database with our tables and views: to make them takes longer than most tests
    do. It has no rows before and after each test."""
    async with created(clickhouse) as name:
        async with connected(clickhouse, name) as client:
            await migrate(client)
        yield name


@pytest.fixture
async def database(clickhouse: ClickHouse, migrated: str) -> AsyncIterator[Client]:
    """A client of a database with our tables and views, without rows."""
    async with connected(clickhouse, migrated) as client:
        tables = await tables_of(client)
        try:
            yield client
        finally:
            await empty_tables(client)
        assert await tables_of(client) == tables, "who changes a table begins with `empty`"


@pytest.fixture(scope="session")
async def apicurio(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Apicurio]:
    """A running schema registry. Shared: use subjects of your own, and never stop it."""
    server = Apicurio(tmp_path_factory.mktemp("apicurio"))
    try:
        await server.start()
    except DownloadFailed as error:
        pytest.skip(f"There is no schema registry to test with: {error}")
    yield server
    await server.stop()


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the last release's code, to be run beside this version."""
    return build(last_release(), tmp_path_factory.mktemp("release"))
