"""What may stand in `[sources.NAME]` of the catalogue."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

TopicPattern = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._*?-]+$", min_length=1, max_length=249)]
"""A topic's name, in which * stands for any characters and ? for one."""
Into = Literal[
    "events",
    "contacts",
    "devices",
    "preferences",
    "follows",
    "presence",
    "feedback",
    "cancellations",
]


class ExampleEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record, and what the source gives of it; `tocsin catalogue check` compares.

    `given` is the value: the name of a *.json file beside the catalogue, a text, or a table or list
    that stands for its JSON; without it the record is a tombstone. `gives` are fields of what comes
    of it, or "skipped", or "refused".
    """

    gives: dict[str, Any] | Literal["skipped", "refused"]
    given: str | dict[str, Any] | list[Any] | None = None
    key: str | None = None
    headers: dict[str, str] = {}
    topic: Annotated[str, Meta(max_length=249)] = ""
    partition: Annotated[int, Meta(ge=0)] = 0
    offset: Annotated[int, Meta(ge=0)] = 0
    timestamp: Annotated[int, Meta(ge=0)] = 0


class SourceEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A company's own topic, as it is, and what each of its records says in Tocsin's terms.

    `set` has a template for each field of a record of `into`. A record counts where `when` holds.
    Reading begins with what is written from `now` on, or at the `beginning`; what happens begins
    now, unless it is said, and what is so at the beginning. In the same way rows of a snapshot of
    Debezium's are skipped or mapped. `deletes` are skipped: deleted rows, and records without a
    value; mapped ones have `deleted`. A source without `topics` has what comes by HTTP alone, which
    `signature` says how to prove.
    """

    into: Into
    topics: Annotated[tuple[TopicPattern, ...], Meta(max_length=100)] | TopicPattern = ()
    format: str = "json"
    when: str | None = None
    set: dict[str, Any] = {}
    start: Literal["now", "beginning"] | None = None
    snapshots: Literal["skip", "map"] | None = None
    deletes: Literal["skip", "map"] = "skip"
    signature: Literal["github", "stripe"] | None = None
    examples: Annotated[tuple[ExampleEntry, ...], Meta(max_length=100)] = ()

    @property
    def patterns(self) -> tuple[str, ...]:
        """The topics as a list, however they are written."""
        return (self.topics,) if isinstance(self.topics, str) else self.topics
