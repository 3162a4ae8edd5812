"""`/dashboard` and `/operator`: pages that ask the API with a key that whoever looks has."""

import asyncio
import gzip
from functools import cache
from importlib.resources import files
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

FOLDER = Path(__file__).parents[1] / "pages"
_ALIKE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # Plotly writes the styles of its charts into the page, and draws icons from data.
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; frame-ancestors 'none'",
}
_KINDS = {".css": "text/css", ".html": "text/html", ".js": "text/javascript"}
SHARED = ("console.css", "console.js", "dashboard.js", "letters.js", "operator.js")


def console() -> list[web.RouteDef]:
    """The routes; the pages hold nothing secret, so they need no key themselves."""
    return [
        *(web.get(f"/{name}", _file(f"{name}.html")) for name in ("dashboard", "operator")),
        *(web.get(f"/console/{name}", _file(name)) for name in SHARED),
        web.get("/console/plotly.js", _plotly),
    ]


def _file(name: str) -> Handler:
    path = FOLDER / name

    async def serve(_: web.Request) -> web.StreamResponse:
        return web.FileResponse(path, headers=_headers(path.suffix, "no-cache"))

    return serve


async def _plotly(_: web.Request) -> web.StreamResponse:
    headers = _headers(".js", "max-age=86400") | {"Content-Encoding": "gzip"}
    return web.Response(body=await asyncio.to_thread(_compressed_plotly), headers=headers)


@cache
def _compressed_plotly() -> bytes:
    """The chart library as its package brings it: 4.8 MB, 1.4 compressed."""
    return gzip.compress((files("plotly") / "package_data" / "plotly.min.js").read_bytes())


def _headers(suffix: str, kept: str) -> dict[str, str]:
    return _ALIKE | {"Content-Type": f"{_KINDS[suffix]}; charset=utf-8", "Cache-Control": kept}
