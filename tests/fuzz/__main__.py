"""`make fuzz`: look for records that make a worker raise, by what code they reach.

`python -m tests.fuzz [--seconds N] [--corpus FOLDER]` Inputs are changed byte by byte, and those
that reach new code are kept in the corpus, from which the next run goes on. It ends with 0 where
no worker raised; otherwise the record is in the file that the last lines name.
"""

import argparse
import asyncio
import sys
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit("There is no atheris for this machine: it has wheels for Linux on x86-64.")

with atheris.instrument_imports(include=["agents", "policy", "schemas", "tables", "pipeline"]):
    from tests.fuzz.house import PUBLIC
    from tests.fuzz.records import PEOPLE
    from tests.fuzz.test_records import check_stored, play

CORPUS = Path(__file__).with_name("corpus")


def main() -> None:
    """Run for so many seconds."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--corpus", type=Path, default=Path(".tocsin/fuzz"))
    chosen = parser.parse_args()
    chosen.corpus.mkdir(parents=True, exist_ok=True)
    _seed(chosen.corpus)
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={chosen.seconds}",
            "-max_len=4096",
            f"-artifact_prefix={chosen.corpus.parent}/",
            "-print_final_stats=1",
            str(chosen.corpus),
        ],
        _try,
    )
    atheris.Fuzz()


def _try(data: bytes) -> None:
    """The first byte says which topic, the second whose key, the rest is the value."""
    if len(data) < 2:
        return
    topic = PUBLIC[data[0] % len(PUBLIC)]
    check_stored(asyncio.run(play([(topic, data[2:])], key=(*PEOPLE, None)[data[1] % 4])))


def _seed(corpus: Path) -> None:
    """What is kept in the tree, in the form that the fuzzer changes."""
    for number, topic in enumerate(PUBLIC):
        for path in sorted((CORPUS / topic.name).glob("*")):
            name = f"{topic.name}-{path.name}"
            (corpus / name).write_bytes(bytes([number, 3]) + path.read_bytes())


if __name__ == "__main__":
    main()
