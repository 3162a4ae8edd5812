"""`python -m bench.contestants NAME KAFKA FOLDER`: run one contestant until it is killed.

Where a module has several, the name is MODULE.VARIANT.
"""

import importlib
import sys
from pathlib import Path

READY = "bench: starting"


def main(name: str, kafka: str, folder: str) -> None:
    """Import the contestant, say so, and run it."""
    module, _, variant = name.partition(".")
    contestant = importlib.import_module(f"bench.contestants.{module}")
    print(READY, flush=True)
    contestant.run(kafka, Path(folder), *([variant] if variant else []))


if __name__ == "__main__":
    main(*sys.argv[1:])
