"""The bell, in a page of another origin: live, read by keyboard, and harmless."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.shadowroot import ShadowRoot

from tests.agents.names import unique
from tests.patience import until_told
from tests.web.api.test_inbox import filled
from tests.web.api.test_sending import notification, person
from tests.web.gateway.test_gateway import token_of
from tests.web.house import Api

PAGE = """<!doctype html><html lang="en"><title>Shop</title>
<style>body {{ margin: 24px; font: 15px system-ui; }} nav {{ display: flex; gap: 24px;
  justify-content: flex-end; }} @media (prefers-color-scheme: dark) {{
  body {{ background: #121216; color: #eee; }} }}</style>
<nav><a href="#">Orders</a> <tocsin-bell server="{server}" token="{token}"></tocsin-bell></nav>
<script src="{server}/inbox/bell.js"></script></html>"""


class Shop:
    """A page with a bell, at an origin of its own."""

    def __init__(self, api: Api, browser: webdriver.Chrome) -> None:
        self.api = api
        self.browser = browser
        self.url = ""
        self._html = ""

    async def page(self, _: web.Request) -> web.Response:
        return web.Response(text=self._html, content_type="text/html")

    async def visit(self, user: str, token: str = "") -> None:
        token = token or await token_of(self.api, user)
        self._html = PAGE.format(server=self.api.url, token=token)
        await asyncio.to_thread(self.browser.get, self.url)

    @property
    def bell(self) -> ShadowRoot:
        return self.browser.find_element(By.TAG_NAME, "tocsin-bell").shadow_root

    def part(self, name: str) -> Any:
        return self.bell.find_element(By.CSS_SELECTOR, f"#{name}")

    async def until(self, what: str, wanted: object) -> None:
        """Until the script's value is as wanted."""
        script = (
            "const bell = document.querySelector('tocsin-bell');"
            f"const root = bell.shadowRoot; return {what}"
        )
        ask = partial(asyncio.to_thread, self.browser.execute_script, script)
        await until_told(ask, lambda found: found == wanted)

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
    app.add_routes([web.get("/", here.page)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    here.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield here
    await asyncio.to_thread(browser.get, "about:blank")
    await runner.cleanup()


async def test_the_count_is_live_and_what_is_opened_is_read(shop: Shop, shots: Path) -> None:
    path, _ = await filled(shop.api, 2)
    user = path.split("/")[3]
    await shop.visit(user)
    await shop.until(COUNT, "2")
    await shop.api.done("POST", "/v1/notifications", notification(user, actor=unique("a")))
    await shop.until(COUNT, "3")
    await asyncio.to_thread(shop.part("bell").click)
    await shop.until(ROWS, 3)
    await shop.shoot(shots / "bell.png")
    row = shop.bell.find_elements(By.CSS_SELECTOR, "li button")[0]
    await asyncio.to_thread(row.click)
    await shop.until(COUNT, "2")
    await shop.counts(path, 2)
    await asyncio.to_thread(shop.part("all").click)
    await shop.until("root.querySelector('#count').hidden", wanted=True)
    await shop.counts(path, 0)


async def test_images_and_buttons_are_shown_and_a_press_opens_the_item(shop: Shop) -> None:
    user = await person(shop.api)
    body = {
        "users": [user],
        "title": "Hi",
        "body": "Hello",
        "channels": ["inapp"],
        "image": f"https://127.0.0.1:9/{unique('image')}.png",
        "actions": [
            {"label": "<b>Open</b>", "url": "https://127.0.0.1:9/7"},
            {"label": "Later", "url": "https://127.0.0.1:9/8"},
        ],
    }
    said = await shop.api.done("POST", "/v1/notifications", body)
    path, after = f"/v1/users/{user}/inbox", {"position": said["position"]}
    (item,) = (await shop.api.done("GET", path, params=after))["items"]
    assert (item["image"], item["actions"]) == (body["image"], body["actions"])
    await shop.visit(user)
    await shop.until(COUNT, "1")
    await asyncio.to_thread(shop.part("bell").click)
    await shop.until(ROWS, 1)
    links = "[...root.querySelectorAll('li a')]"
    await shop.until(f"{links}.map((a) => a.textContent)", ["<b>Open</b>", "Later"])
    await shop.until(f"{links}.map((a) => a.rel)", ["noopener noreferrer"] * 2)
    await shop.until(f"{links}[1].href", "https://127.0.0.1:9/8")
    # One that can't be fetched leaves no gap.
    await shop.until("root.querySelectorAll('li img').length", 0)
    script = "event => event.preventDefault()"
    await shop.until(
        f"{links}[0].addEventListener('click', {script}) ?? {links}[0].click() ?? 1", 1
    )
    await shop.counts(path, 0)


async def test_what_is_shown_open_is_replaced(shop: Shop) -> None:
    """While it is open, as the user looks: one ride is one row, which says what holds now."""
    path, _ = await filled(shop.api, 1)
    user, actor = path.split("/")[3], unique("driver")
    await shop.visit(user)
    await shop.until(COUNT, "1")
    await asyncio.to_thread(shop.part("bell").click)
    await shop.until(ROWS, 1)
    for ride, minutes, rows in (("r1", 5, 2), ("r2", 9, 3), ("r1", 2, 3)):
        data = {"ride_id": ride, "minutes": minutes, "driver": "Bo"}
        said = {"type": "ride_approaching", "users": [user], "data": data, "actor": actor}
        await shop.api.done("POST", "/v1/notifications", said)
        first = "root.querySelector('li').textContent.includes"
        await shop.until(f"{first}('{minutes} min away')", wanted=True)
        await shop.until(ROWS, rows)
    await shop.counts(path, 3)


async def test_it_is_used_by_keyboard_and_says_what_it_is(shop: Shop) -> None:
    path, _ = await filled(shop.api, 2)
    await shop.visit(path.split("/")[3])
    await shop.until(COUNT, "2")
    await shop.until("root.querySelector('#label').textContent", "Notifications, 2 unread")
    await shop.press(Keys.TAB, Keys.TAB)
    await shop.until("root.activeElement?.id", "bell")
    await shop.press(Keys.ENTER)
    focused = "[...root.querySelectorAll('li button')].indexOf(root.activeElement)"
    await shop.until(focused, 0)
    await shop.until("root.querySelector('#bell').getAttribute('aria-expanded')", "true")
    await shop.press(Keys.ARROW_DOWN)
    await shop.until(focused, 1)
    await shop.press(Keys.ENTER)
    await shop.until(COUNT, "1")
    await shop.press(Keys.ESCAPE)
    await shop.until("root.querySelector('#panel').hidden", wanted=True)
    await shop.until("root.activeElement?.id", "bell")


async def test_what_others_wrote_is_text(shop: Shop) -> None:
    path, _ = await filled(shop.api, 1)
    user = path.split("/")[3]
    harm = "<img src=x onerror=\"document.title='harmed'\"><script>document.title='harmed'</script>"
    data = {"commenter_name": harm, "post_id": "p", "post_title": harm, "text": harm}
    await shop.visit(user)
    await shop.api.done("POST", "/v1/notifications", notification(user, data=data, actor="bo"))
    await shop.until(COUNT, "2")
    await asyncio.to_thread(shop.part("bell").click)
    await shop.until(ROWS, 2)
    await shop.until("root.querySelectorAll('img, script').length", 0)
    await shop.until("root.querySelector('li b').textContent.includes('<img')", wanted=True)
    await shop.until("document.title", "Shop")


async def test_it_comes_back_by_itself_when_the_server_was_gone(shop: Shop) -> None:
    path, _ = await filled(shop.api, 1)
    user = path.split("/")[3]
    await shop.visit(user)
    await shop.until(COUNT, "1")
    await shop.api.house.workers["web"].kill()
    body = notification(user, actor=unique("a"), id=f"{user}-while-away")

    async def taken() -> bool:
        try:
            return (await shop.api.call("POST", "/v1/notifications", body))[0] == 202
        except OSError:
            return False

    await until_told(taken, bool, pause=0.1)
    await shop.until(COUNT, "2")


async def test_an_ended_token_is_asked_for_anew(shop: Shop) -> None:
    path, _ = await filled(shop.api, 1)
    user = path.split("/")[3]
    await shop.visit(user, token="ended")
    fresh = await token_of(shop.api, user)
    await asyncio.to_thread(
        shop.browser.execute_script,
        "document.addEventListener('tocsin-token', (event) => event.detail.give(arguments[0]))",
        fresh,
    )
    await shop.until(COUNT, "1")


async def test_one_that_is_taken_away_does_not_come_back(shop: Shop) -> None:
    """Though it was about to ask whether its token holds when it went."""
    await shop.visit(unique("user"))
    await shop.until("!!root", True)
    script = """
      window.opened = 0;
      window.EventSource = class {
        constructor() { window.opened += 1; setTimeout(() => this.onerror?.()); }
        close() { this.onerror = null; }
      };
      window.fetch = () => new Promise((done) => { window.answer = () => done({ status: 200 }); });
      document.querySelector('tocsin-bell').setAttribute('token', 'another');
    """
    await asyncio.to_thread(shop.browser.execute_script, script)
    await shop.until("!!window.answer", True)
    script = """
      const done = arguments[0];
      document.querySelector('tocsin-bell').remove();
      window.answer();
      setTimeout(() => done(window.opened), 100);
    """
    assert await asyncio.to_thread(shop.browser.execute_async_script, script) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_an_empty_one_in_light_and_dark(shop: Shop, shots: Path, scheme: str) -> None:
    user = unique("user")
    feature = [{"name": "prefers-color-scheme", "value": scheme}]
    emulate = {"features": feature}
    await asyncio.to_thread(shop.browser.execute_cdp_cmd, "Emulation.setEmulatedMedia", emulate)
    await shop.visit(user)
    await shop.until("root.querySelector('#label').textContent", "Notifications, none unread")
    await asyncio.to_thread(shop.part("bell").click)
    await shop.until("root.querySelector('#state').textContent", "Nothing here yet.")
    await shop.shoot(shots / f"bell-empty-{scheme}.png")
    await asyncio.to_thread(
        shop.browser.execute_cdp_cmd, "Emulation.setEmulatedMedia", {"features": []}
    )
