"""Tocsin's own decider, as a worker runs it."""

import asyncio
from dataclasses import replace
from pathlib import Path

from agents.decider.agent import decider
from bench.contestants.equipment import report
from bench.decide.workload import CATALOGUE, PARTITIONS
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.process.runtime import Runtime
from pipeline.process.worker import run_worker
from pipeline.processing.lanes import Handler
from pipeline.processing.role import Role
from pipeline.settings import Settings


def run(kafka: str, folder: Path) -> None:
    """Run the role `decider` with the benchmark's catalogue."""
    settings = Settings(kafka=kafka, data_dir=folder, partitions=PARTITIONS)
    run_worker(settings, {"decider": _role})


def _role(runtime: Runtime) -> Role:
    role = decider(FixedCatalogue(CATALOGUE), runtime)

    def open_handler(number: int, closing: asyncio.Event) -> Handler:
        report()  # only here has the worker set up all that it sets up
        return role.open_handler(number, closing)

    return replace(role, open_handler=open_handler)
