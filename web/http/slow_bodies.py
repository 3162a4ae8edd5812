"""Bodies that do not come: each has so many seconds, whoever reads it and however."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from web.api.problem import Problem

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class SlowBody(Problem, TimeoutError):
    """Raised where a body is read that did not come in time.

    It is a TimeoutError as well, as then aiohttp closes the connection and logs nothing.
    """


def bound_bodies(app: web.Application, seconds: float) -> None:
    """Answer 408 to requests whose bodies are not there after so many seconds.

    The time of what is done with a body does not count.
    """

    @web.middleware
    async def bounded(request: web.Request, handler: Handler) -> web.StreamResponse:
        body = request.content
        if body.is_eof():
            return await handler(request)

        def give_up() -> None:
            if not body.is_eof():
                body.set_exception(SlowBody(408, f"The body did not come within {seconds:g} s."))

        timer = asyncio.get_running_loop().call_later(seconds, give_up)
        try:
            return await handler(request)
        finally:
            timer.cancel()

    app.middlewares.append(bounded)
