"""`python -m embedded.simulators --port N --log FILE --folder DIR`."""

import asyncio
import signal
import sys
from pathlib import Path

import click
import uvloop

from embedded.simulators.server import serving
from pipeline.process.gc_tuning import tune_collector
from schemas.errors import TocsinError


@click.command()
@click.option("--port", type=int, required=True, help="Loopback port; 0 takes a free one.")
@click.option("--log", type=click.Path(path_type=Path), required=True, help="The accept log.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    required=True,
    help="Where firebase.json and environment.json are written.",
)
def main(port: int, log: Path, folder: Path) -> None:
    """Run the provider simulators until SIGTERM or SIGINT."""
    try:
        uvloop.run(run(port, log, folder))
    except TocsinError as error:
        sys.exit(str(error))


async def run(port: int, log: Path, folder: Path) -> None:
    """Serve until a signal asks for the end; one line on stdout says when requests may come."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with serving(port, log, folder) as listening:
        tune_collector()
        sys.stdout.write(f"simulators ready on {listening.base_url}\n")
        sys.stdout.flush()
        await stop.wait()


if __name__ == "__main__":
    main()
