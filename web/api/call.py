"""A request of the API that may be made."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from web.api.keys import ApiKey
from web.gateway.token import Subscriber


class Sent(NamedTuple):
    """A body as it was sent, with the headers beside it, whose names are in small letters."""

    content_type: str = ""
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Call(NamedTuple):
    """A request that may be made: by whom, on what in the path, with which query and body."""

    key: ApiKey
    path: Mapping[str, str]
    query: Any
    body: Any
    idempotency_key: str | None = None
    """What the header says, on routes that are `keyed`."""
    sent: Sent = Sent()
    """Of routes with a `sender`, whose `body` is not decoded."""

    traceparent: str = ""
    """The header of this name, as it was sent."""
    tracestate: str = ""
    """Those of this name, as they were sent, joined by commas."""

    @property
    def whose(self) -> Subscriber:
        """The user that the path names, among the key's tenant's."""
        return Subscriber(self.key.tenant, self.path["user"])
