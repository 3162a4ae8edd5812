"""A worker of a recorder's role as a process: KAFKA, the role's name, a folder, seconds a slice.

With `hasty` as the last word it waits half a second for its group to let it go.
"""

import sys
from pathlib import Path

from pipeline import worker
from pipeline.topics import Topic
from tests.patience import PATIENCE
from tests.pipeline.recorder import Recorder


def main(kafka: str, name: str, folder: str, pause: str, *how: str) -> None:
    """Work until told to stop; the topic is not one of ours, so that none is checked."""

    async def check_nothing(*_: object) -> None:
        pass

    worker.__dict__["check_topics_of"] = check_nothing
    if "hasty" in how:
        worker.LEAVE_SECONDS = 0.5
    recorder = Recorder(kafka, pause=float(pause), slice_records=5)
    recorder.name = name
    recorder.topic = Topic(name=f"{name}-in", key="k", written_by="", read_by="")
    update = {"session_timeout": PATIENCE / 2, "data_dir": Path(folder)}
    worker.run_worker(recorder.settings.model_copy(update=update), lambda _: recorder.role())


if __name__ == "__main__":
    main(*sys.argv[1:])
