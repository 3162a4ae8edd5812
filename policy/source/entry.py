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
    """A record, and what the source makes of it; `tocsin catalogue check` compares."""

    gives: dict[str, Any] | Literal["skipped", "refused"]
    """Fields of the resulting record, or `"skipped"`, or `"refused"`."""
    given: str | dict[str, Any] | list[Any] | None = None
    """The value: the name of a `*.json` file beside the catalogue, a text, or a table or list that
    stands for its JSON; without it the record is a tombstone."""
    key: str | None = None
    """The record's key."""
    headers: dict[str, str] = {}
    """The record's headers."""
    topic: Annotated[str, Meta(max_length=249)] = ""
    """The topic in which it stands; the source's first one unless set."""
    partition: Annotated[int, Meta(ge=0)] = 0
    """The partition in which it stands."""
    offset: Annotated[int, Meta(ge=0)] = 0
    """Its offset."""
    timestamp: Annotated[int, Meta(ge=0)] = 0
    """Its time in epoch milliseconds; in November 2023 unless set."""


class ReadAsEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The schema by which Avro records are read, whichever wrote them.

    Of `subject` it is that `version`; without a subject, of the topic's values.
    """

    version: Annotated[int, Meta(ge=1)] | Literal["latest"]
    """Of the subject."""
    subject: Annotated[str, Meta(max_length=500)] = ""
    """Under which the registry has it; that of the topic's values unless set."""


class SourceEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A company's own topic, as it is, and what each of its records means."""

    into: Into
    """The public topic for which each record is mapped."""
    topics: Annotated[tuple[TopicPattern, ...], Meta(max_length=100)] | TopicPattern = ()
    """Topics to read, by names in which `*` and `?` stand for any characters; without any, only
    what is sent by HTTP."""
    format: str = "json"
    """`json`, `cloudevents`, `avro`, `protobuf` or `json-schema`; `debezium+json`, or `debezium+`
    and one that a schema registry knows."""
    read_as: ReadAsEntry | None = None
    """The schema by which records are read, in place of the one that wrote them."""
    key_format: Literal["avro", "protobuf", "json-schema"] | None = None
    """What the registry's schema of keys is, where expressions ask for the key."""
    when: str | None = None
    """An expression over the record; where it doesn't hold, the record is skipped."""
    set: dict[str, Any] = {}
    """A template, or a constant, for each field of the resulting record."""
    start: Literal["now", "beginning"] | None = None
    """Where reading begins; unless set, `now` for events, presence, feedback and cancellations,
    and the `beginning` for others."""
    snapshots: Literal["skip", "map"] | None = None
    """What happens to the rows of a Debezium snapshot; unless set, they are skipped for events,
    presence, feedback and cancellations, and mapped for others."""
    deletes: Literal["skip", "map"] = "skip"
    """What happens to deleted rows and to records without a value; mapped ones have `deleted`."""
    signature: Literal["github", "stripe"] | None = None
    """How senders by HTTP sign, who need no API key then."""
    examples: Annotated[tuple[ExampleEntry, ...], Meta(max_length=100)] = ()
    """Records with what the source makes of them."""

    @property
    def patterns(self) -> tuple[str, ...]:
        """The topics as a list, however they are written."""
        return (self.topics,) if isinstance(self.topics, str) else self.topics
