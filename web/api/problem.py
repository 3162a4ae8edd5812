"""What went wrong, as RFC 9457 has it: `application/problem+json`."""

import re
from http import HTTPStatus
from typing import Any, Literal

import msgspec
from aiohttp import web
from msgspec import Struct

from schemas.allowed import allowed
from schemas.bounds import OutOfBounds

MEDIA_TYPE = "application/problem+json"
_PLACE = re.compile(r"^(?P<said>.*?)(?: - at `(?P<path>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<number>\d+|\.\.\.)\]")
_MOST_SAID = 200
"""Characters of a complaint: what it names, a field or a word, may be as long as the body."""
_TITLES = {
    400: "The request can't be used",
    401: "No valid API key",
    403: "The API key may not do this",
    404: "There is no such thing",
    405: "The method is not possible here",
    408: "The request did not come in time",
    409: "The same key came with another body",
    413: "The request is too large",
    415: "The request is not JSON",
    422: "The request makes no sense as a whole",
    429: "Too many requests",
    500: "The server failed",
    503: "Tocsin can't take it now",
}


class FieldError(Struct, frozen=True):
    """One thing that is wrong; `pointer` (RFC 6901) leads to it in the body."""

    pointer: str
    detail: str


class ProblemBody(Struct, frozen=True):
    """The body of every reply that is no success (RFC 9457); all members are always there.

    `status` says what kind of problem it is, and `type` adds nothing to that. `errors` are what is
    wrong in the body, one by one, where it is that.
    """

    title: str
    status: int
    detail: str
    errors: tuple[FieldError, ...]
    type: Literal["about:blank"]


class Problem(Exception):
    """Ends a request with this answer."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        *errors: FieldError,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        title = _TITLES.get(status) or HTTPStatus(status).phrase
        self.body = ProblemBody(title, status, detail, errors, "about:blank")
        self.headers = headers or {}

    def response(self) -> web.Response:
        """The answer."""
        body = msgspec.json.encode(self.body)
        return web.Response(
            status=self.status, body=body, content_type=MEDIA_TYPE, headers=self.headers
        )


def field_error(
    error: msgspec.DecodeError | UnicodeDecodeError | OutOfBounds,
    within: str = "",
    kind: Any = None,
) -> FieldError:
    """What msgspec says of a body, with a pointer to the field; `within` is a pointer before it.

    With the `kind` that was expected it is said as well what may stand there instead.
    """
    match = _PLACE.match(str(error))
    said, path = (match["said"], match["path"] or "$") if match else (str(error), "$")
    if len(said) > _MOST_SAID:
        # Also before asking what is like it, as that would take seconds of a megabyte.
        said = f"{said[:_MOST_SAID]}…{said[-1]}"
    steps = [step["name"] or step["number"] for step in _STEP.finditer(path[1:])]
    escaped = (step.replace("~", "~0").replace("/", "~1") for step in steps)
    instead = allowed(said, kind, tuple(steps)) if kind else ""
    return FieldError(within + "".join(f"/{step}" for step in escaped), said + instead)
