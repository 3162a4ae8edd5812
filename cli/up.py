"""`tocsin up`: everything on this machine, until Ctrl-C."""

import asyncio
import signal
from pathlib import Path

from rich.console import Console
from rich.table import Table

from demo.shop import open_shop
from embedded.house import CATALOGUE, WEB, House
from pipeline.catalogue_folder import read_catalogue
from pipeline.topics import ROLES


async def stay_up(
    folder: Path,
    kafka_port: int,
    clickhouse_port: int,
    web_port: int,
    page_port: int,
    catalogue: Path | None,
) -> None:
    """Start everything, say where it is, and stop it in order on SIGINT or SIGTERM.

    Raises BadCatalogue before anything is started.
    """
    catalogue = catalogue or CATALOGUE
    read_catalogue(catalogue)
    console = Console(stderr=True)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    house = House(
        folder,
        kafka_port=kafka_port,
        clickhouse_port=clickhouse_port,
        web_port=web_port,
        roles=(*ROLES, WEB),
        cors_origins='["*"]',
        catalogue=catalogue.absolute(),
    )
    with console.status("Starting") as status:
        await house.start(lambda step: status.update(step))
    async with open_shop(house, page_port) as page:
        Console().print(addresses(house, page))
        console.print("Ctrl-C stops everything; the data stays.")
        await stop.wait()
    with console.status("Stopping: workers finish what they have in hand"):
        await house.stop()


def addresses(house: House, page: str) -> Table:
    """Where everything is, as a table to print."""
    table = Table(show_header=False, box=None)
    table.add_row("Kafka", house.kafka.address)
    table.add_row("ClickHouse", f"http://{house.clickhouse.host}:{house.clickhouse.port}")
    table.add_row("A page to play with", page)
    table.add_row("Web", f"http://127.0.0.1:{house.web_port}")
    table.add_row("Accepted by providers", str(house.accept_log))
    table.add_row("Logs", str(house.folder / "logs"))
    for name, worker in house.workers.items():
        table.add_row(f"Process {name}", str(worker.pid))
    return table
