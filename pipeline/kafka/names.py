"""What names of ours are in a Kafka that several environments share: each bears a prefix there.

Within the process names are as `schemas.topics` has them. The prefix comes on where a request
becomes bytes and goes where an answer is read, so that no other module has to know of it, and
state, rows, metrics and messages say the same in every environment. Topics of others are not seen.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from aiokafka.conn import AIOKafkaConnection
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.protocol.api import RequestStruct
from aiokafka.protocol.types import Array, Bytes, CompactBytes, Schema, String

CLIENT_ID = "tocsin"
"""How the brokers' logs and quotas name us, after the prefix."""
NAMES = frozenset(
    {"topic", "topics", "group", "groups", "consumer_group", "group_id", "groups_names"}
    | {"coordinator_key", "transactional_id"}
)
"""How Kafka's client calls a topic, a group or a transactional id in requests and answers."""
JOIN, SYNC, METADATA, DELETE_RECORDS = 11, 14, 3, 21
RESOURCE_KINDS = frozenset({2, 32})
"""Of what settings may be asked that has a name of ours: topics and groups, and not brokers."""

Rename = Callable[[str], str]
Convert = Callable[[Any, Rename], Any]


def use_prefixes() -> None:
    """Have every connection of a client whose id has a prefix use it; more calls change nothing.

    Clients have no hook for that, so it is their connection's `send` that is wrapped.
    """
    send = AIOKafkaConnection.send
    if getattr(send, "is_renaming", False):
        return

    def renaming(
        connection: AIOKafkaConnection, request: Any, *args: Any, **options: Any
    ) -> Awaitable[Any]:
        prefix = str(connection._client_id).removesuffix(CLIENT_ID)  # noqa: SLF001 - see above
        has_one = prefix and str(connection._client_id).endswith(CLIENT_ID)  # noqa: SLF001
        sent = Prefixed(request, prefix) if has_one else request
        answer: Awaitable[Any] = send(connection, sent, *args, **options)
        return answer

    renaming.is_renaming = True  # type: ignore[attr-defined]
    AIOKafkaConnection.send = renaming


class Prefixed:
    """A request whose names bear the prefix outside."""

    def __init__(self, request: Any, prefix: str) -> None:
        self._request = request
        self._prefix = prefix
        self.API_KEY = request.API_KEY

    def prepare(self, versions: dict[int, tuple[int, int]]) -> "PrefixedStruct":
        """As the version has it that both sides know."""
        return PrefixedStruct(self._request.prepare(versions), self._prefix)


class PrefixedStruct:
    """The same in one version; Kafka's client asks no more of a request than is here."""

    def __init__(self, struct: RequestStruct, prefix: str) -> None:
        self._struct = struct
        self._prefix = prefix
        self.RESPONSE_TYPE = Answer(struct.RESPONSE_TYPE, struct.API_KEY, prefix)
        self.build_request_header = struct.build_request_header
        self.parse_response_header = struct.parse_response_header

    def encode(self) -> bytes:
        """The request as bytes."""
        struct = self._struct
        values = [struct.__dict__[name] for name in struct.SCHEMA.names]
        convert = _of_schema(struct.SCHEMA, struct.API_KEY)
        renamed = convert(values, lambda name: self._prefix + name) if convert else values
        encoded: bytes = struct.SCHEMA.encode(renamed)
        return encoded

    def __repr__(self) -> str:
        return repr(self._struct)


@dataclass(frozen=True)
class Answer:
    """How an answer is read."""

    kind: Any
    api: int
    prefix: str

    def decode(self, data: Any) -> Any:
        """The answer with names as they are here, and nothing of topics that aren't ours."""
        answer = self.kind.decode(data)
        schema = answer.SCHEMA
        if self.api == METADATA:
            answer.topics = [topic for topic in answer.topics if self._is_ours(schema, topic)]
        if (convert := _of_schema(schema, self.api)) is None:
            return answer
        values = [answer.__dict__[name] for name in schema.names]
        renamed = convert(values, lambda name: name.removeprefix(self.prefix))
        for name, value in zip(schema.names, renamed, strict=True):
            answer.__dict__[name] = value
        return answer

    def _is_ours(self, schema: Schema, topic: tuple[Any, ...]) -> bool:
        of_topic = schema.fields[schema.names.index("topics")].array_of
        return bool(topic[of_topic.names.index("topic")].startswith(self.prefix))


@cache
def _of_schema(schema: Schema, api: int) -> Convert | None:
    """How the values of a schema are converted; None where none of them is a name."""
    names = tuple(schema.names)
    each = [
        (at, convert)
        for at, (name, kind) in enumerate(zip(names, schema.fields, strict=True))
        if (convert := _of_field(kind, name, api)) is not None
    ]
    kind_at = names.index("resource_type") if "resource_type" in names else None
    if not each:
        return None

    def convert_all(values: Any, rename: Rename) -> tuple[Any, ...]:
        if kind_at is not None and values[kind_at] not in RESOURCE_KINDS:
            return tuple(values)
        found = list(values)
        for at, convert in each:
            found[at] = convert(found[at], rename)
        return tuple(found)

    return convert_all


def _of_field(kind: Any, name: str, api: int) -> Convert | None:
    if isinstance(kind, Schema):
        return _of_schema(kind, api)
    if isinstance(kind, Array):
        item = _of_field(kind.array_of, name, api)
        return item and _in_each(item)
    if isinstance(kind, String):
        is_name = name in NAMES or name == "resource_name"
        return _plain if is_name or (api == DELETE_RECORDS and name == "name") else None
    if kind in (Bytes, CompactBytes) and api in (JOIN, SYNC):
        return _in_group_protocol(api)
    return None


def _plain(name: str | None, rename: Rename) -> str | None:
    return name if name is None else rename(name)


def _in_each(convert: Convert) -> Convert:
    return lambda items, rename: items and [convert(item, rename) for item in items]


def _in_group_protocol(api: int) -> Convert:
    """Of what members tell each other in Kafka's own form: topics to read, and who reads what.

    Brokers look into it, to know which offsets a group still needs.
    """
    form = ConsumerProtocol.METADATA if api == JOIN else ConsumerProtocol.ASSIGNMENT

    def convert(data: bytes | None, rename: Rename) -> bytes | None:
        if not data:
            return data
        told = form.decode(data)
        if api == JOIN:
            told.subscription = [rename(topic) for topic in told.subscription]
        else:
            told.assignment = [(rename(topic), parts) for topic, parts in told.assignment]
        encoded: bytes = told.encode()
        return encoded

    return convert
