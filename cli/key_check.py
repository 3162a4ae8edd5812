"""Whether the running web process knows an API key by now."""

import time
from enum import Enum, auto
from http.client import HTTPConnection, HTTPException

KNOWN_WITHIN_SECONDS = 10.0
"""A web process looks at its file when it is asked; so long may it be busy with something else."""
_PAUSE_SECONDS = 0.05
_ANSWER_SECONDS = 5.0
_ROUTE = "/v1/operations?known"
"""Whoever may operate is told that the query is wrong, and others that they may not: either way
nothing is done for it."""
_UNAUTHORIZED = 401
_AUTHORIZED = frozenset({400, 403, 429})
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - to connect to
"""By the address that means all of this machine's, one of them."""


class Known(Enum):
    """What the web process says of a key; NO_WEB where there is none that answers."""

    YES = auto()
    NO = auto()
    NO_WEB = auto()


def wait_until_known(host: str, port: int, key: str) -> Known:
    """Ask until the key is known there; gives up after ten seconds, or at once if none answers."""
    end = time.monotonic() + KNOWN_WITHIN_SECONDS
    while True:
        try:
            status = _status(host, port, key)
        except (OSError, HTTPException):
            return Known.NO_WEB
        if status != _UNAUTHORIZED:
            # Another program may listen there, and knows no such route.
            return Known.YES if status in _AUTHORIZED else Known.NO_WEB
        if time.monotonic() >= end:
            return Known.NO
        time.sleep(_PAUSE_SECONDS)


def _status(host: str, port: int, key: str) -> int:
    # Not by a proxy that the environment names: it is on this machine, or in its network.
    connection = HTTPConnection(_REACHED_AT.get(host, host), port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", _ROUTE, headers={"Authorization": f"Bearer {key}"})
        return connection.getresponse().status
    finally:
        connection.close()
