"""What every handler of a role shares."""

from collections.abc import Callable
from dataclasses import dataclass

from pipeline.clock import Clock
from pipeline.producing.outputs import Log, Outputs
from pipeline.settings import Settings


@dataclass(frozen=True)
class Runtime:
    """The settings, the clock and where to write, of one role of a worker process.

    `check_lease` raises Unavailable when what it holds may be another's by now: asked right before
    anybody outside is called.
    """

    settings: Settings
    producer: Log
    clock: Clock
    check_lease: Callable[[], None] = lambda: None

    def outputs(self) -> Outputs:
        """Room for the outputs of one slice."""
        return Outputs(self.producer)
