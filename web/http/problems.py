"""Every error as `application/problem+json` (RFC 9457), also where no handler was reached."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from web.api.problem import Problem
from web.api.route import LOST

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_PREPARED: web.RequestKey[bool] = web.RequestKey("prepared", bool)
log = logging.getLogger(__name__)


def problems(app: web.Application) -> None:
    """Answer unknown paths and methods, bodies that are too large, and failures, as all else."""

    async def note(request: web.Request, _: web.StreamResponse) -> None:
        request[_PREPARED] = True

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Problem as problem:
            return problem.response()
        except web.HTTPException as error:
            if error.status < 400:
                raise
            return _problem(request, error).response()
        except Exception:
            if request.get(_PREPARED):
                raise  # a stream that is under way can only be cut
            log.exception("%s %s failed", request.method, request.path)
            return Problem(500, LOST).response()

    app.middlewares.append(answer)
    app.on_response_prepare.append(note)


def _problem(request: web.Request, error: web.HTTPException) -> Problem:
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        detail = f"{request.method} is not possible here. Use one of {allowed}."
        return Problem(405, detail, headers={"Allow": allowed})
    if error.status == 404:
        return Problem(404, "Nothing is at this path.")
    if error.status == 413:
        return Problem(413, "The body is too large.")
    return Problem(error.status, error.text or "")
