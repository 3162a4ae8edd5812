"""Workers of recorders' roles that a test starts as processes of their own."""

import sys
from pathlib import Path

from embedded.local_stack import READY
from embedded.process import Child
from tests.pipeline import stoppable
from tests.pipeline.recorder import Recorder

ROOT = Path(__file__).parents[2]


class Workers:
    """Processes that share a folder and a log."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: list[Child] = []

    async def start(
        self, *recorders: Recorder, pause: float = 0.0, how: str = "", kafka: str = ""
    ) -> Child:
        """One with the roles of these recorders, which has joined their groups.

        A slice takes it `pause` seconds; it reaches Kafka at another address if that is given.
        """
        child = Child("the worker")
        self._children.append(child)
        names = ",".join(recorder.name for recorder in recorders)
        argv = [sys.executable, "-m", stoppable.__name__, kafka or recorders[0].settings.kafka]
        argv += [names, str(self._folder), str(pause), how]
        several = len(recorders) > 1
        last = f"all {len(recorders)} roles {READY}" if several else f"{names} {READY}"

        async def is_ready() -> bool:
            return last in self.log.read_text()

        await child.start(argv, {"PYTHONPATH": str(ROOT)}, self.log, is_ready)
        return child

    @property
    def log(self) -> Path:
        """What they said."""
        return self._folder / "log"

    async def end(self) -> None:
        """Kill what still runs."""
        for child in self._children:
            await child.kill()
