"""What every handler of a worker process shares."""

from dataclasses import dataclass

from pipeline.clock import Clock
from pipeline.outputs import Log, Outputs
from pipeline.settings import Settings


@dataclass(frozen=True)
class Runtime:
    """The settings, the clock and where to write, of one worker process."""

    settings: Settings
    producer: Log
    clock: Clock

    def outputs(self) -> Outputs:
        """Room for the outputs of one slice."""
        return Outputs(self.producer)
