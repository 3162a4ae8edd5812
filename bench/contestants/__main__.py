"""`python -m bench.contestants NAME KAFKA FOLDER`: run one contestant until it is killed."""

import importlib
import sys
from pathlib import Path

READY = "bench: starting"


def main(name: str, kafka: str, folder: str) -> None:
    """Import the contestant, say so, and run it."""
    contestant = importlib.import_module(f"bench.contestants.{name}")
    print(READY, flush=True)
    contestant.run(kafka, Path(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
