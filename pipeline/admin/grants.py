"""What a Kafka with access rules has to allow us."""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from schemas.topics import OUTCOMES, PREFIX, TOPICS

Resource = Literal["topic", "group", "transactional-id"]


class Grant(Struct, frozen=True):
    """Operations on resources of one kind, by names, or by what names begin with."""

    resource: Resource
    names: tuple[str, ...]
    operations: tuple[str, ...]
    is_prefix: bool = False

    def command(self, principal: str) -> list[str]:
        """The words of the command that allows them, as Kafka's own tool takes them."""
        named = [word for name in self.names for word in (f"--{self.resource}", name)]
        kind = ["--resource-pattern-type", "prefixed"] if self.is_prefix else []
        allowed = [word for each in self.operations for word in ("--operation", each)]
        return ["--add", "--allow-principal", principal, *allowed, *kind, *named]


def to_run(prefix: str = "") -> Iterable[Grant]:
    """For workers, `tocsin web` and the commands that read or write, where names have a prefix."""
    topics = tuple(prefix + topic.name for topic in TOPICS)
    yield Grant("topic", topics, ("Read", "Write", "Describe", "DescribeConfigs"))
    yield Grant("group", (prefix + PREFIX,), ("Read", "Describe"), is_prefix=True)
    yield Grant("transactional-id", (prefix + PREFIX,), ("Write", "Describe"), is_prefix=True)


def to_set_up(prefix: str = "") -> Iterable[Grant]:
    """For `tocsin setup`, beside these."""
    topics = tuple(prefix + topic.name for topic in TOPICS)
    yield Grant("topic", topics, ("Create", "AlterConfigs"))


def to_read_outcomes(prefix: str = "") -> Iterable[Grant]:
    """For another service that is to learn what became of notifications; its group is its own."""
    yield Grant("topic", (prefix + OUTCOMES.name,), ("Read", "Describe"))
