"""Tocsin's own decider, as a worker runs it."""

from pathlib import Path

from agents.decider import decider
from bench.workload import CATALOGUE, PARTITIONS
from pipeline.catalogue_folder import FixedCatalogue
from pipeline.settings import Settings
from pipeline.worker import run_worker


def run(kafka: str, folder: Path) -> None:
    """Run the role `decider` with the benchmark's catalogue."""
    settings = Settings(kafka=kafka, data_dir=folder, partitions=PARTITIONS)
    run_worker(settings, lambda runtime: decider(FixedCatalogue(CATALOGUE), runtime))
