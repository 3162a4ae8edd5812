"""The pages, served by something that answers as a test wants, late, or not at all."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.web.pages.test_shop import until
from web.api.problem import Problem
from web.console.routes import console

AHEAD = "const now = Date.now; Date.now = () => now() + 60000"
"""The page's clock, a minute later: what is asked again after a time is asked again at once."""


class Server:
    """Serves the pages, and answers what they ask, or does not."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self.browser = browser
        self.url = ""
        self.answers: dict[str, Any] = {}
        self.asked: list[str] = []
        self.bodies: list[Any] = []
        self.hangs = False
        self.away = ""
        self.ending = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        name = request.path.removeprefix("/v1/")
        self.asked.append(name)
        if request.can_read_body:
            self.bodies.append(await request.json())
        if self.hangs:
            await self.ending.wait()
        if self.away:
            return Problem(503, self.away).response()
        found = self.answers.get(name, [])
        if callable(found):
            found = found(request.query)
        if isinstance(found, str):
            return Problem(403, found).response()
        return web.json_response(found)

    async def open(self, path: str) -> None:
        await asyncio.to_thread(self.browser.get, f"{self.url}/console/console.css")
        await self.run("sessionStorage.setItem('tocsin-key', 'any')")
        await asyncio.to_thread(self.browser.get, self.url + path)

    async def run(self, script: str) -> Any:
        return await asyncio.to_thread(self.browser.execute_script, script)

    async def told(self, where: str, text: str) -> None:
        found = f"document.querySelector({where!r})?.textContent"
        await until(self.browser, f"({found} ?? '').includes({json.dumps(text)})")

    async def press(self, where: str) -> None:
        found = await asyncio.to_thread(self.browser.find_element, By.CSS_SELECTOR, where)
        await asyncio.to_thread(found.click)

    async def shoot(self, path: Path) -> None:
        await asyncio.to_thread(self.browser.save_screenshot, str(path))

    async def size(self, width: int, height: int) -> None:
        """The inside of the window; 0 for its own."""
        command, said = "Emulation.clearDeviceMetricsOverride", {}
        if width:
            command = "Emulation.setDeviceMetricsOverride"
            said = {
                "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600,
            }  # fmt: skip
        await asyncio.to_thread(self.browser.execute_cdp_cmd, command, said)

    async def media(self, scheme: str) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}] if scheme else []
        command = "Emulation.setEmulatedMedia"
        await asyncio.to_thread(self.browser.execute_cdp_cmd, command, {"features": features})


@pytest.fixture
async def server(browser: webdriver.Chrome) -> AsyncIterator[Server]:
    made, app = Server(browser), web.Application()
    app.add_routes([*console(), web.route("*", "/v1/{name:.*}", made.answer)])
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    await asyncio.to_thread(browser.set_window_size, 1400, 1400)
    yield made
    await made.run("sessionStorage.clear()")
    await asyncio.to_thread(browser.get, "about:blank")
    await made.media("")
    await asyncio.to_thread(browser.set_window_size, 900, 700)
    made.ending.set()
    await runner.cleanup()


def figures(minutes: int) -> dict[str, Any]:
    at = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=minutes)
    rows = [[(at + timedelta(minutes=n)).isoformat(), "email", 5 + n] for n in range(2)]
    volume = {"columns": ["time", "channel", "messages"], "rows": rows, "step": 60}
    funnel = {"columns": ["stage", "messages"], "rows": [["queued", 9], ["sent", 7]], "step": 60}
    empty = {"columns": ["time", "priority", "p99", "target_ms"], "rows": [], "step": 60}
    names = ("told", "latency", "why_not", "providers", "types", "texts", "tenants")
    return {
        "figures/volume": volume,
        "figures/funnel": funnel,
        **{f"figures/{n}": empty for n in names},
    }
