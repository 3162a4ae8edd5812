"""The pages for operators and analysts, and what they load: with headers that keep them safe."""

import gzip
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import pytest
from aiohttp import web

from tests.web.caller import Caller, calling
from web.console.routes import console

PAGES = Path(__file__).parents[2] / "web" / "pages"
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; frame-ancestors 'none'"
)


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    app = web.Application()
    app.add_routes(console())
    async with calling(app) as made:
        yield made


@pytest.mark.parametrize(
    ("path", "file", "kind"),
    [
        ("/dashboard", "dashboard.html", "text/html"),
        ("/operator", "operator.html", "text/html"),
        ("/console/console.css", "console.css", "text/css"),
        ("/console/console.js", "console.js", "text/javascript"),
        ("/console/dashboard.js", "dashboard.js", "text/javascript"),
        ("/console/letters.js", "letters.js", "text/javascript"),
        ("/console/operator.js", "operator.js", "text/javascript"),
    ],
)
async def test_a_page_and_what_it_loads(caller: Caller, path: str, file: str, kind: str) -> None:
    answer = await caller.get(path)
    assert (answer.status, answer.body) == (200, (PAGES / file).read_bytes())
    names = (
        "Content-Type",
        "Cache-Control",
        "X-Content-Type-Options",
        "Referrer-Policy",
        "Content-Security-Policy",
    )
    assert [answer.headers[name] for name in names] == [
        f"{kind}; charset=utf-8",
        "no-cache",
        "nosniff",
        "no-referrer",
        POLICY,
    ]


async def test_the_chart_library_travels_packed_and_is_kept_for_a_day(caller: Caller) -> None:
    path = "/console/plotly.js"
    async with caller.session.get(caller.url + path, auto_decompress=False) as answer:
        body = await answer.read()
        assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
        assert answer.headers["Cache-Control"] == "max-age=86400"
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    library = files("plotly") / "package_data" / "plotly.min.js"
    assert gzip.decompress(body) == library.read_bytes()


@pytest.mark.parametrize("path", ["/console/", "/console/routes.py", "/console/../app.py"])
async def test_nothing_else_is_served(caller: Caller, path: str) -> None:
    assert (await caller.get(path)).status == 404
