"""A stage for the roles: real topics and state, and the slices that a worker would hand them.

Topics are shared by all tests, so a stage begins where they end now, and its users, events and
actors bear names that no other test has.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from msgspec import Struct

from agents.decider.agent import decider
from agents.inapp.agent import inapp
from agents.intake.agent import intake
from agents.retry import retry
from agents.router.agent import router
from pipeline.catalogue_folder import FixedCatalogue, read_catalogue
from pipeline.process.runtime import Runtime
from pipeline.processing.role import Role
from pipeline.producing.outputs import partition_of
from pipeline.producing.producer import Producer
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue
from schemas.kinds import encode_in
from schemas.topics import Topic
from tests.agents.line import INPUTS, PARTITIONS, Line
from tests.agents.shifted_clock import ShiftedClock
from tests.agents.worker import Worker

CATALOGUE = Path(__file__).parents[2] / "catalogue"


@cache
def our_catalogue() -> Catalogue:
    """The catalogue that ships with the code."""
    return read_catalogue(CATALOGUE)


@dataclass(kw_only=True)
class Stage(Worker):
    """Runs roles by hand over what a test writes, and reads what they write."""

    producer: Producer
    clock: ShiftedClock
    catalogue: Catalogue = field(default_factory=our_catalogue)

    async def say(
        self,
        topic: Topic,
        *values: Struct | bytes | None,
        key: str | None = "",
        partition: int | None = None,
    ) -> None:
        """Write records; a struct goes under the field that the topic's key is, unless given."""
        for value in values:
            name = getattr(value, topic.key, "none") if key == "" else key
            place = partition_of(name or "", PARTITIONS) if partition is None else partition
            await self.producer.send_and_wait(
                topic.name,
                encode_in(topic.name, value) if isinstance(value, Struct) else value,
                None if name is None else name.encode(),
                place,
            )

    @property
    def intake(self) -> Role:
        """The role, anew."""
        return intake(FixedCatalogue(self.catalogue), self.runtime)

    @property
    def router(self) -> Role:
        """The role, anew."""
        return router(FixedCatalogue(self.catalogue), self.runtime)

    @property
    def decider(self) -> Role:
        """The role, anew."""
        return decider(FixedCatalogue(self.catalogue), self.runtime)

    @property
    def inapp(self) -> Role:
        """The role, anew."""
        return inapp(self.runtime)

    @property
    def retry(self) -> Role:
        """The role, anew."""
        return retry(self.runtime)


@asynccontextmanager
async def staging(line: Line, folder: Path, **settings: Any) -> AsyncIterator[Stage]:
    """A stage that begins at the present ends of all topics."""
    chosen = Settings(kafka=line.kafka, partitions=PARTITIONS, data_dir=folder, **settings)
    clock = ShiftedClock()
    runtime = Runtime(chosen, line.producer, clock)
    stage = Stage(
        consumer=line.consumer,
        starts=await line.consumer.end_offsets(INPUTS),
        runtime=runtime,
        producer=line.producer,
        clock=clock,
    )
    try:
        yield stage
    finally:
        await stage.restart()
        stage.runtime = runtime
        await stage.forget()
