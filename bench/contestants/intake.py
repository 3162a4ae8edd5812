"""Tocsin's own role `intake` with one source, as a worker runs it."""

import asyncio
from dataclasses import replace
from pathlib import Path

from agents.intake.agent import intake
from bench.contestants.equipment import report
from bench.intake.orders import PARTITIONS, catalogue
from bench.intake.registry import registry
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.process.runtime import Runtime
from pipeline.process.worker import run_worker
from pipeline.processing.lanes import Handler
from pipeline.processing.role import Role
from pipeline.settings import Settings


def run(kafka: str, folder: Path, form: str) -> None:
    """Read the company's topic of this form."""

    def build(runtime: Runtime) -> Role:
        role = intake(FixedCatalogue(catalogue(form)), runtime)

        def open_handler(number: int, closing: asyncio.Event) -> Handler:
            if number == 0:
                report()  # only here has the worker set up all that it sets up
            return role.open_handler(number, closing)

        return replace(role, open_handler=open_handler)

    # In this process, as it is asked once: before anything is measured.
    with registry() as url:
        settings = Settings(
            kafka=kafka, data_dir=folder, partitions=PARTITIONS, schema_registry=url
        )
        run_worker(settings, {"intake": build})
