"""The header `Idempotency-Key`: the same as the body's `idempotency_key`.

As draft-ietf-httpapi-idempotency-key-header has it a string in quotes; without quotes it is taken
too.
"""

import re
from collections.abc import Sequence
from typing import TypeVar

from aiohttp import web
from msgspec.structs import replace

from web.api.bodies import EventBody, NotificationBody
from web.api.problem import FieldError, Problem

HEADER = "Idempotency-Key"
LONGEST = 190
"""Characters: each of many requests in one has its number behind it, and fits into a name."""
PATTERN = rf'^("[ !#-\[\]-~]{{1,{LONGEST}}}"|[!#-+\--:<-~]{{1,{LONGEST}}})$'
"""What the header may say: ASCII; in quotes without what would have to be escaped there."""
_is_key = re.compile(PATTERN).fullmatch
Keyed = TypeVar("Keyed", EventBody, NotificationBody)


def key_of(request: web.Request) -> str | None:
    """What the header says, None where it is absent; raises Problem for what is no key."""
    texts = request.headers.getall(HEADER, [])
    if not texts:
        return None
    text = texts[0].strip()
    if len(texts) > 1 or not _is_key(text):
        raise Problem(
            400, f'{HEADER} must be there once, as 1 to {LONGEST} ASCII characters in "quotes".'
        )
    return text.strip('"')


def with_key(body: Keyed, key: str | None) -> Keyed:
    """The body under the key of the header; raises Problem where it has another one itself."""
    if key is None or body.idempotency_key == key:
        return body
    if body.idempotency_key is not None:
        raise Problem(
            422,
            f"The header {HEADER} says {key!r} and the body says {body.idempotency_key!r}. "
            "Nothing was sent; say one of them, or the same in both.",
            FieldError("/idempotency_key", f"is not what the header {HEADER} says"),
        )
    return replace(body, idempotency_key=key)


def with_keys(bodies: Sequence[Keyed], key: str | None) -> list[Keyed]:
    """Many bodies under one header: those without a key of their own have it with their place."""
    return [
        with_key(body, f"{key}/{at}") if key is not None and body.idempotency_key is None else body
        for at, body in enumerate(bodies)
    ]
