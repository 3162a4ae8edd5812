"""`make mutants`: how many small faults planted in the code do its tests find?

`python -m tests.mutation [--package NAME]… [--sample N] [--seed N] [--workers N] [--json]`

Sources are copied first, so the working tree may be edited meanwhile. Run again, it goes on where
it was ended, as long as nothing was changed; `--survivors` keeps what was killed before the last
changes, and tries again what survived them.
"""

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

import msgspec

from tests.mutation.benign import read_benign
from tests.mutation.packages import PACKAGES, Package
from tests.mutation.results import Head, Results
from tests.mutation.run import Plan, Progress, run, write_survivors
from tests.mutation.sample import draw
from tests.mutation.score import Score, score_of, table
from tests.mutation.snapshot import Snapshot, take

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".tocsin" / "mutants"
SAMPLE = 400
SEED = 1


def tell(text: str) -> None:
    """Say how far it is, beside the result."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """As given on the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--package", action="append", choices=PACKAGES, help="all by default")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="mutants of each package")
    parser.add_argument("--seed", type=int, default=SEED, help="of the sample")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="cores by default")
    parser.add_argument("--json", action="store_true", help="print the scores as JSON")
    parser.add_argument(
        "--survivors", action="store_true", help="keep what was killed before the last changes"
    )
    return parser.parse_args(given)


def plan_of(package: Package, snapshot: Snapshot, given: argparse.Namespace) -> Plan:
    """What to do for one package."""
    file = FOLDER / f"{package.name.replace('/', '-')}.jsonl"
    head = Head(snapshot.digest, given.seed)
    return Plan(
        package=package,
        snapshot=snapshot,
        mutants=draw(package, snapshot.clean, given.seed, given.sample),
        benign=read_benign(),
        results=Results(file, head, keep_killed=given.survivors),
        workers=given.workers,
    )


def scored(plan: Plan, progress: Progress) -> Score:
    """The score so far."""
    return score_of(plan.package.name, plan.outcomes(), len(progress.distrusted))


def main() -> None:
    """Run from the command line."""
    given = arguments()
    # What ends it otherwise ends it as Ctrl-C does, so that no worker is left behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    snapshot = take(ROOT, FOLDER / "trees")
    scores: list[Score] = []
    try:
        for name in given.package or PACKAGES:
            plan = plan_of(PACKAGES[name], snapshot, given)
            progress = Progress(plan, tell)
            try:
                asyncio.run(run(plan, progress))
            finally:
                scores.append(scored(plan, progress))
                tell(f"Survivors of {name}: {write_survivors(plan)}")
    except KeyboardInterrupt:
        tell("Ended early; run it again to go on.")
    text = (
        msgspec.json.format(msgspec.json.encode(scores)).decode() if given.json else table(scores)
    )
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
