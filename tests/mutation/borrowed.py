"""Stand for the real parts in a fork: they start nothing, and lead to what runs already."""

from pathlib import Path

import embedded.clickhouse
import embedded.kafka
from embedded.clickhouse import ClickHouse
from embedded.kafka import Kafka, Node
from tests.mutation.shared import Services


def borrow(services: Services) -> None:
    """Have all that starts a Kafka or a ClickHouse from now on use the running one."""

    class BorrowedKafka(Kafka):
        """A Kafka that runs already."""

        def __init__(
            self,
            folder: Path,
            port: int | None = None,
            node: Node | None = None,
            options: tuple[str, ...] = (),
        ) -> None:
            super().__init__(folder, int(services.kafka.rpartition(":")[2]), node, options)

        async def start(self) -> None:
            """It has."""

        async def stop(self) -> None:
            """Others use it."""

    class BorrowedClickHouse(ClickHouse):
        """A ClickHouse that runs already."""

        def __init__(self, folder: Path, port: int | None = None) -> None:
            super().__init__(folder, services.clickhouse)

        async def start(self) -> None:
            """It has."""

        async def stop(self) -> None:
            """Others use it."""

    if services.kafka:
        embedded.kafka.Kafka = BorrowedKafka  # type: ignore[misc]
    if services.clickhouse:
        embedded.clickhouse.ClickHouse = BorrowedClickHouse  # type: ignore[misc]
