"""What every handler of a worker process shares."""

from dataclasses import dataclass

from pipeline.clock import Clock
from pipeline.outputs import Outputs
from pipeline.producer import Producer
from pipeline.settings import Settings


@dataclass(frozen=True)
class Runtime:
    """The settings, the producer and the clock of one worker process."""

    settings: Settings
    producer: Producer
    clock: Clock

    def outputs(self) -> Outputs:
        """Room for the outputs of one slice."""
        return Outputs(self.producer)
