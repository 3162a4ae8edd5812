"""A page with a bell, at an origin of its own, that hands out tokens."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.shadowroot import ShadowRoot

from tests.patience import until_told
from tests.web.gateway.test_gateway import token_of
from tests.web.house import Api
from tests.web.pages.test_shop import LOOK

PAGE = """<!doctype html><html lang="en"><title>Shop</title>
<meta name="viewport" content="width=device-width">
<style>body {{ margin: 24px; font: 15px system-ui; }} nav {{ display: flex; gap: 24px;
  justify-content: flex-end; }}
{style}</style>
<nav><a href="#">Orders</a> <tocsin-bell server="{server}" token="{token}"></tocsin-bell></nav>
<script>
  window.sockets = 0;
  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {{
    constructor(url) {{ super(url); window.sockets += 1; }}
  }};
  document.addEventListener("tocsin-token", async (event) => {{
    const answer = await fetch("/token");
    if (answer.ok) event.detail.give(await answer.text());
  }});
</script>
<script src="{server}/inbox/bell.js"></script></html>"""

BELL = "document.querySelector('tocsin-bell')"

BOTH = """:root { color-scheme: light dark; }
  @media (prefers-color-scheme: dark) { body { background: #121216; color: #eee; } }"""


class Shop:
    """A page with a bell, at an origin of its own, that hands out tokens."""

    def __init__(self, api: Api, browser: webdriver.Chrome) -> None:
        self.api = api
        self.browser = browser
        self.url = ""
        self.tokens: list[str] = []
        """To hand out; the last one again and again."""
        self.asked = 0
        self._html = ""

    async def page(self, _: web.Request) -> web.Response:
        return web.Response(text=self._html, content_type="text/html")

    async def token(self, _: web.Request) -> web.Response:
        self.asked += 1
        if not self.tokens:
            return web.Response(status=404)
        return web.Response(text=self.tokens[0] if len(self.tokens) == 1 else self.tokens.pop(0))

    async def visit(self, user: str, token: str = "", style: str = BOTH) -> None:
        token = token or await token_of(self.api, user)
        self._html = PAGE.format(server=self.api.url, token=token, style=style)
        await asyncio.to_thread(self.browser.get, self.url)
        await self.until("!!root", True)

    @property
    def bell(self) -> ShadowRoot:
        return self.browser.find_element(By.TAG_NAME, "tocsin-bell").shadow_root

    def part(self, name: str) -> Any:
        return self.bell.find_element(By.CSS_SELECTOR, f"#{name}")

    async def until(self, what: str, wanted: object) -> None:
        """Until the script's value is as wanted."""
        await until_told(partial(self.ask, what), lambda found: found == wanted, pause=LOOK)

    async def ask(self, what: str) -> Any:
        """The script's value."""
        script = f"const bell = {BELL}, root = bell.shadowRoot; return {what}"
        return await asyncio.to_thread(self.browser.execute_script, script)

    async def sockets(self, tabs: list[str]) -> list[int]:
        """How many each of these tabs has opened."""
        found = []
        for tab in tabs:
            await asyncio.to_thread(self.browser.switch_to.window, tab)
            found.append(
                await asyncio.to_thread(self.browser.execute_script, "return window.sockets")
            )
        return found

    async def _devtools(self, command: str, **said: Any) -> None:
        await asyncio.to_thread(self.browser.execute_cdp_cmd, command, said)

    async def scheme(self, value: str) -> None:
        """The system's theme; empty for its own."""
        features = [{"name": "prefers-color-scheme", "value": value}] if value else []
        await self._devtools("Emulation.setEmulatedMedia", features=features)

    async def size(self, width: int, height: int) -> None:
        """The inside of the window; 0 for its own."""
        phone = {"deviceScaleFactor": 1, "mobile": 0 < width < 600}
        if width:
            await self._devtools(
                "Emulation.setDeviceMetricsOverride", width=width, height=height, **phone
            )
        else:
            await self._devtools("Emulation.clearDeviceMetricsOverride")

    async def offline(self, is_so: bool) -> None:
        """Whether the browser has no network."""
        await self._devtools("Network.enable")
        speed = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        await self._devtools("Network.emulateNetworkConditions", offline=is_so, **speed)

    async def counts(self, path: str, unread: int) -> None:
        """Until so many are unread for all who ask: what is live is told a moment before."""
        await until_told(
            lambda: self.api.done("GET", f"{path}/counts"), lambda said: said["unread"] == unread
        )

    async def press(self, *keys: str) -> None:
        for key in keys:
            active = self.browser.switch_to.active_element
            await asyncio.to_thread(active.send_keys, key)

    async def shoot(self, path: Path) -> None:
        await asyncio.to_thread(self.browser.save_screenshot, str(path))


COUNT = "root.querySelector('#count').textContent"

ROWS = "root.querySelectorAll('li').length"


@pytest.fixture
async def shop(api: Api, browser: webdriver.Chrome) -> AsyncIterator[Shop]:
    here = Shop(api, browser)
    app = web.Application()
    app.add_routes([web.get("/", here.page), web.get("/token", here.token)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    here.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield here
    await asyncio.to_thread(browser.get, "about:blank")
    await runner.cleanup()
