"""How a contestant of the restore bench says what it did."""

import time

from msgspec import Struct, json

WORDS = "bench: recovered "


class Recovered(Struct, frozen=True):
    """Entries that are in the state, and what bringing them there took, in seconds."""

    kept: int
    seconds: float
    cpu_seconds: float


class Watch:
    """Measures from when it is made until it is stopped."""

    def __init__(self) -> None:
        self._begin = time.perf_counter()
        self._begin_cpu = time.process_time()
        self._took = (0.0, 0.0)

    def stop(self) -> None:
        """Take the time."""
        cpu = time.process_time() - self._begin_cpu
        self._took = (time.perf_counter() - self._begin, cpu)

    def print(self, kept: int) -> None:
        """Print what it took, and how many entries are there: counted after the time was taken."""
        print(WORDS + json.encode(Recovered(kept, *self._took)).decode(), flush=True)


def recovered(log: str) -> Recovered:
    """What a contestant printed."""
    line = next(line for line in log.splitlines() if line.startswith(WORDS))
    return json.decode(line.removeprefix(WORDS), type=Recovered)
