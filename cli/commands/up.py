"""`tocsin up`: everything on this machine, until Ctrl-C."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console

from cli.environment import FILE, EnvironmentFile, claimed
from cli.lines import Row, aligned, print_lines
from demo.show.playground import open_shop
from embedded.local_stack import CATALOGUE, TOGETHER, WEB, LocalStack
from embedded.process import check_port
from pipeline.catalogue_folder import read_catalogue
from pipeline.variables import settings_of
from schemas.errors import Misconfigured
from schemas.topics import ROLES

OF_ITS_OWN = "TOCSIN_DATA_DIR"
"""What each process has for itself, and so no command takes over."""
PARTITIONS = "TOCSIN_PARTITIONS"
"""What this Kafka's topics have, where it is said and they are not there yet."""


async def stay_up(
    folder: Path,
    kafka_port: int,
    clickhouse_port: int,
    web_port: int,
    page_port: int,
    catalogue: Path | None,
) -> None:
    """Start everything, say where it is, and stop it in order on SIGINT or SIGTERM.

    While it runs, commands of this folder find it by the environment file. Raises BadCatalogue,
    Misconfigured and Unavailable before anything is started.
    """
    catalogue = catalogue or CATALOGUE
    read_catalogue(catalogue)
    own = settings_of(os.environ)
    if own.prefix:
        raise Misconfigured(
            f"TOCSIN_PREFIX is {own.prefix}, and `tocsin up` has a Kafka of its own, in which no "
            "name needs one. Nothing was started; unset it."
        )
    with claimed() as file:
        for port in (web_port, page_port):
            check_port(port)
        house = LocalStack(
            folder,
            kafka_port=kafka_port,
            clickhouse_port=clickhouse_port,
            web_port=web_port,
            roles=(*ROLES, WEB),
            together={TOGETHER: ROLES},
            cors_origins='["*"]',
            catalogue=catalogue.absolute(),
            api_keys=own.api_keys.absolute(),
            partitions=own.partitions if PARTITIONS in os.environ else None,
        )
        await _run(house, page_port, file)


async def _run(house: LocalStack, page_port: int, file: EnvironmentFile) -> None:
    console = Console(stderr=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    with console.status("Starting") as status:
        await house.start(lambda step: status.update(step))
    try:
        async with open_shop(house, page_port) as page:
            file.write(_environment(house))
            print_lines(aligned(addresses(house, page)))
            sys.stdout.flush()
            console.print("Ctrl-C stops everything; the data stays.")
            await stop.wait()
    finally:
        # From now on nothing answers reliably.
        file.write({})
        with console.status("Stopping: workers finish what is in flight"):
            await house.stop()


def _environment(house: LocalStack) -> Mapping[str, str]:
    variables = {**os.environ, **house.environment}
    return {name: text for name, text in variables.items() if name != OF_ITS_OWN}


def addresses(house: LocalStack, page: str) -> list[Row]:
    """Where everything is, a row each."""
    web = f"http://127.0.0.1:{house.web_port}"
    return [
        Row(("Kafka", house.kafka.address)),
        Row(("ClickHouse", f"http://{house.clickhouse.host}:{house.clickhouse.port}")),
        Row(("A page to play with", page)),
        Row(("Web", web)),
        Row(("Accepted by providers", str(house.accept_log))),
        Row(("Logs", str(house.folder / "logs"))),
        Row(("Commands here use", str(FILE))),
        *(Row((f"Process {name}", str(worker.pid))) for name, worker in house.workers.items()),
    ]
