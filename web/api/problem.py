"""What went wrong, as RFC 9457 has it: `application/problem+json`."""

import re

import msgspec
from aiohttp import web
from msgspec import Struct

MEDIA_TYPE = "application/problem+json"
_PLACE = re.compile(r"^(?P<said>.*?)(?: - at `(?P<path>.*)`)?$", re.DOTALL)
_STEP = re.compile(r"\.(?P<name>[^.\[]+)|\[(?P<number>\d+|\.\.\.)\]")
_TITLES = {
    400: "The request can't be used",
    401: "No valid API key",
    403: "The API key may not do this",
    404: "There is no such thing",
    409: "The same key came with another body",
    413: "The request is too large",
    415: "The request is not JSON",
    422: "Nobody would be told",
    429: "Too many requests",
    500: "The server failed",
    503: "Tocsin can't take it now",
}


class FieldError(Struct, frozen=True):
    """One thing that is wrong; `pointer` (RFC 6901) leads to it in the body."""

    pointer: str
    detail: str


class ProblemBody(Struct, frozen=True, omit_defaults=True):
    """The body of every answer that is no success."""

    title: str
    status: int
    detail: str = ""
    errors: tuple[FieldError, ...] = ()


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
        self.body = ProblemBody(_TITLES[status], status, detail, errors)
        self.headers = headers or {}

    def response(self) -> web.Response:
        """The answer."""
        body = msgspec.json.encode(self.body)
        return web.Response(
            status=self.status, body=body, content_type=MEDIA_TYPE, headers=self.headers
        )


def field_error(error: msgspec.DecodeError | UnicodeDecodeError, within: str = "") -> FieldError:
    """What msgspec says of a body, with a pointer to the field; `within` is a pointer before it."""
    match = _PLACE.match(str(error))
    said, path = (match["said"], match["path"] or "$") if match else (str(error), "$")
    steps = [step["name"] or step["number"] for step in _STEP.finditer(path[1:])]
    escaped = (step.replace("~", "~0").replace("/", "~1") for step in steps)
    return FieldError(within + "".join(f"/{step}" for step in escaped), said)
