"""A worker of a recorder's role as a process: KAFKA, the role's name, a folder, seconds a slice.

With `stuck` as the last word, Kafka's client never comes to the end of leaving the group.
"""

import asyncio
import sys
from pathlib import Path

from pipeline import worker
from pipeline.membership import NamedCoordinator
from pipeline.topics import Topic
from tests.pipeline.recorder import Recorder


def main(kafka: str, name: str, folder: str, pause: str, *how: str) -> None:
    """Work until told to stop; the topic is not one of ours, so that none is checked."""

    async def check_nothing(*_: object) -> None:
        pass

    async def wait_for_ever(self: NamedCoordinator) -> None:
        await asyncio.Event().wait()

    worker.__dict__["check_topics_of"] = check_nothing
    if "stuck" in how:
        worker.LEAVE_SECONDS = 0.5
        NamedCoordinator.close = wait_for_ever
    recorder = Recorder(kafka, pause=float(pause), slice_records=5)
    recorder.name = name
    recorder.topic = Topic(name=f"{name}-in", key="k", written_by="", read_by="")
    update = {"session_timeout": 15, "data_dir": Path(folder)}
    worker.run_worker(recorder.settings.model_copy(update=update), lambda _: recorder.role())


if __name__ == "__main__":
    main(*sys.argv[1:])
