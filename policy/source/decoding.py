"""From the bytes of a record to plain Python values: the seam behind which formats lie."""

from typing import Any, Protocol

import orjson

DEEPEST = 64
"""Levels of lists and objects in a record of JSON."""


class Undecodable(ValueError):
    """The bytes are nothing that the format can be; the record is a dead letter."""


class RegistryUnavailable(Exception):
    """What says how to read the record does not answer; the record waits until it does."""


class Decoder(Protocol):
    """Reads the values of one format."""

    async def decode(self, value: bytes, topic: str) -> object:
        """The value as dict, list, str, int, float, bool and None.

        Moments are ISO text, bytes are text in base64. Raises Undecodable for a value that can't
        be read, now or later, and RegistryUnavailable where it can't be said now.
        """
        ...


class JsonDecoder:
    """JSON of any form."""

    async def decode(self, value: bytes, topic: str) -> object:
        """The value; raises Undecodable."""
        return read_json(value)


def read_json(value: bytes) -> Any:
    """What a text of JSON says; raises Undecodable."""
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise Undecodable(f"is not JSON: {error}") from None


class NotConnected:
    """Of a format that needs a registry, where none is named."""

    async def decode(self, value: bytes, topic: str) -> object:
        """Raises RegistryUnavailable."""
        raise RegistryUnavailable(
            "Its format needs a schema registry, and TOCSIN_SCHEMA_REGISTRY names none"
        )


JSON = "json"
"""The format whose records say all themselves."""
JSON_DECODER: Decoder = JsonDecoder()
NEEDING_REGISTRY = frozenset({"avro", "protobuf", "json-schema"})
"""Formats whose records say by a number which schema they have."""
NOT_CONNECTED: Decoder = NotConnected()
