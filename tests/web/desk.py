"""A desk that writes to topics in memory and asks somebody who answers as a test says."""

from collections.abc import Mapping
from typing import Any, TypeVar

from msgspec import Struct

from pipeline.catalogue_folder import FixedCatalogue
from pipeline.outputs import Log
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue
from tests.policy.samples import shipped_catalogue
from tests.sinks.set_clock import SetClock
from web.api.desk import Desk
from web.owners import Owners

Answer = TypeVar("Answer")


class Asked(Owners):
    """Says what it was told to say, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: Any = None
        self.asked: list[tuple[str, str, Struct, Mapping[str, int] | None]] = []

    async def ask(
        self,
        role: str,
        user: str,
        question: Struct,
        kind: type[Answer],
        after: Mapping[str, int] | None = None,
    ) -> Answer:
        """The answer, or the failure, that the test set."""
        self.asked.append((role, user, question, after))
        if isinstance(self.answer, Exception):
            raise self.answer
        found: Answer = self.answer
        return found


def desk_of(
    producer: Log,
    settings: Settings,
    now: int,
    owners: Owners | None = None,
    catalogue: Catalogue | None = None,
) -> Desk:
    """A desk at this time."""
    clock = SetClock()
    clock.time = now
    catalogues = FixedCatalogue(catalogue or shipped_catalogue())
    return Desk(settings, producer, owners or Asked(), catalogues, clock)
