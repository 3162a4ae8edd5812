"""A desk that writes to topics in memory and asks somebody who answers as a test says."""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from pipeline.catalogue_folder import FixedCatalogue
from pipeline.producing.outputs import Log
from pipeline.settings import Settings
from policy.catalogue.catalogue import Catalogue
from tests.policy.samples import shipped_catalogue
from tests.sinks.set_clock import SetClock
from web.api.services import Services
from web.workers.handled import Handled
from web.workers.partition_router import Owners

Answer = TypeVar("Answer")


class Asked(Owners):
    """Keeps what it was asked, and answers as it was told: by a value, an error, or a function
    of the user and the question."""

    def __init__(self) -> None:
        self._settings = Settings()
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
        return self._answered(role, user, question, kind, after)

    async def ask_in(
        self,
        role: str,
        partition: int,
        question: Struct,
        kind: type[Answer],
        after: Mapping[str, int] | None = None,
    ) -> Answer:
        """The same, of a partition."""
        return self._answered(role, str(partition), question, kind, after)

    def _answered(
        self,
        role: str,
        whom: str,
        question: Struct,
        kind: type[Answer],
        after: Mapping[str, int] | None,
    ) -> Answer:
        self.asked.append((role, whom, question, after))
        found = self.answer(whom, question) if callable(self.answer) else self.answer
        if isinstance(found, Exception):
            raise found
        # As it travels.
        return msgspec.json.decode(msgspec.json.encode(found), type=kind)

    async def ask_once(
        self,
        role: str,
        partition: int,
        question: Struct,
        kind: type[Answer],
        timeout_seconds: float,
    ) -> Answer | None:
        """Nobody counts requests, so that each desk does so alone."""
        return None


def desk_of(
    producer: Log,
    settings: Settings,
    now: int,
    owners: Owners | None = None,
    catalogue: Catalogue | None = None,
) -> Services:
    """A desk at this time."""
    clock = SetClock()
    clock.time = now
    catalogues = FixedCatalogue(catalogue or shipped_catalogue())
    owners = owners or Asked()
    return Services(settings, producer, owners, Handled(settings, owners), catalogues, clock)
