"""A worker of recorders' roles as a process: KAFKA, their names, a folder, seconds a slice.

With `hasty` as the last word it waits half a second for its groups to let it go, with `brief` its
session is short. With a name there this one of the roles refuses to start; with `breaks-` before it
that role breaks at its record number SOUND.
"""

import sys
from dataclasses import replace
from pathlib import Path

from pipeline.process import running_role
from pipeline.process.running_role import BuildRole
from pipeline.process.worker import run_worker
from pipeline.processing.slices import Slice
from pipeline.settings import Settings
from schemas.errors import Misconfigured
from schemas.topics import Topic
from tests.patience import PATIENCE
from tests.pipeline.recorder import PARTITIONS, Recorder

BRIEF_SESSION = 6.0
"""Seconds; of one that is to end itself."""

SOUND = 20
"""Records of a partition that no role breaks at."""


def main(kafka: str, names: str, folder: str, pause: str, *how: str) -> None:
    """Work until told to stop; the topics are none of ours, so that none is checked."""

    async def check_nothing(*_: object) -> None:
        pass

    running_role.__dict__["check_topics_of"] = check_nothing
    if "hasty" in how:
        running_role.LEAVE_SECONDS = 0.5
    session = BRIEF_SESSION if "brief" in how else PATIENCE / 2
    settings = Settings(
        kafka=kafka, partitions=PARTITIONS, session_timeout=session, data_dir=Path(folder)
    )
    builders = {name: _builder(kafka, name, float(pause), how) for name in names.split(",")}
    run_worker(settings, builders)


def _builder(kafka: str, name: str, pause: float, how: tuple[str, ...]) -> BuildRole:
    recorder = Recorder(kafka, pause=pause, slice_records=5)
    recorder.name = name
    recorder.topic = Topic(name=f"{name}-in", key="k", written_by="", read_by="")

    async def check() -> None:
        if name in how:
            raise Misconfigured("TOCSIN_THING can't be used. Nothing was started; set it.")

    async def break_late(slice_: Slice) -> None:
        if slice_.next > SOUND:
            raise RuntimeError("the disk is gone")

    if f"breaks-{name}" in how:
        recorder.__dict__["handle"] = break_late
    return lambda _: replace(recorder.role(), check=check)


if __name__ == "__main__":
    main(*sys.argv[1:])
