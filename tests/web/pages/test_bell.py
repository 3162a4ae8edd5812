"""The bell, in a page of another origin: live, read by keyboard, and harmless."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
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
from tests.web.api.routes.test_inbox import filled
from tests.web.api.routes.test_sending import notification, person
from tests.web.gateway.test_gateway import token_of
from tests.web.house import Api
from web.gateway.token import Subscriber, make_token, subscriber_secret

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
        await until_told(partial(self.ask, what), lambda found: found == wanted)

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
    links = "[...root.querySelectorAll('li div a')]"
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
    shop.tokens = [await token_of(shop.api, user)]
    await shop.visit(user, token="ended")
    await shop.until(COUNT, "1")


async def test_eight_tabs_share_a_socket_and_one_of_them_asks_for_another_token(shop: Shop) -> None:
    """Of a token that holds for six seconds; when the tab with the socket goes, another has it."""
    path, _ = await filled(shop.api, 1)
    user = path.split("/")[3]
    fresh, browser = await token_of(shop.api, user), shop.browser
    now, key = int(time.time()), shop.api.house.settings.signing_key.get_secret_value().encode()
    short = make_token(subscriber_secret(key, "acme"), Subscriber("acme", user), now, 6)
    shop.tokens = [fresh]
    await shop.visit(user, token=short)
    first = browser.current_window_handle
    try:
        for _ in range(7):
            await asyncio.to_thread(browser.switch_to.new_window, "tab")
            await asyncio.to_thread(browser.get, shop.url)
        tabs = browser.window_handles
        for tab in tabs:
            await asyncio.to_thread(browser.switch_to.window, tab)
            await shop.until(COUNT, "1")
        assert await shop.sockets(tabs) == [1, *[0] * 7]
        asking = shop.api.session.get

        async def status() -> int:
            async with asking(f"{shop.api.url}/inbox/counts?token={short}") as answer:
                return answer.status

        await until_told(status, lambda said: said == 401, pause=0.5)
        for tab in tabs[2:5]:
            await asyncio.to_thread(browser.switch_to.window, tab)
            await asyncio.to_thread(shop.part("bell").click)
            await shop.until(ROWS, 1)
        assert shop.asked == 1
        for tab in tabs:
            await asyncio.to_thread(browser.switch_to.window, tab)
            await shop.until("bell.getAttribute('token')", fresh)
        # Six connections of this origin would be all that a browser makes.
        ask = "return fetch(arguments[0] + '/health').then((said) => said.status)"
        assert await asyncio.to_thread(browser.execute_script, ask, shop.api.url) == 200
        await asyncio.to_thread(browser.switch_to.window, tabs[0])
        await asyncio.to_thread(browser.close)
        await shop.api.done("POST", "/v1/notifications", notification(user, actor=unique("a")))
        for tab in tabs[1:]:
            await asyncio.to_thread(browser.switch_to.window, tab)
            await shop.until(COUNT, "2")
        assert sum(await shop.sockets(tabs[1:])) == 1
        first = tabs[1]
    finally:
        for tab in browser.window_handles:
            if tab != first:
                await asyncio.to_thread(browser.switch_to.window, tab)
                await asyncio.to_thread(browser.close)
        await asyncio.to_thread(browser.switch_to.window, first)


LONG = f"{chr(0x627) * 3} {'Donaudampfschiff' * 12} " + "One line of many. " * 60


async def test_who_reads_keeps_their_place_and_what_is_long_is_cut(shop: Shop, shots: Path) -> None:
    user = await person(shop.api)
    for number in range(45):
        text = {"title": f"Number {number}", "body": LONG if number == 24 else "Hello"}
        # What is critical passes over limits.
        body = {"users": [user], "channels": ["inapp"], "priority": "critical", **text}
        await shop.api.done("POST", "/v1/notifications", body)
    await shop.visit(user)
    await shop.until(COUNT, "45")
    await asyncio.to_thread(shop.part("bell").click)
    for rows in (20, 40, 45):
        await shop.until(ROWS, rows)
        await shop.until("root.querySelector('#panel').hasAttribute('aria-busy')", wanted=False)
        if rows < 45:
            await asyncio.to_thread(shop.part("more").click)
    row = "[...root.querySelectorAll('li')].find((row) => row.textContent.includes('Number 24'))"
    panel = "root.querySelector('#panel')"
    await shop.ask(f"void {row}.scrollIntoView()")
    assert await shop.ask(f"{panel}.scrollWidth <= {panel}.clientWidth")
    both = f"[...{row}.querySelectorAll('[dir=auto]')].map((each) => each.tagName)"
    await shop.until(both, ["B", "SPAN"])
    await shop.until(f"getComputedStyle({row}.querySelector('.body')).direction", "rtl")
    top = await shop.ask(f"{row}.getBoundingClientRect().top")
    cut = await shop.ask(f"{row}.querySelector('.body').clientHeight")
    await shop.shoot(shots / "bell-long.png")
    assert cut < 120
    await shop.api.done("POST", "/v1/notifications", {**body, "title": "Newest"})
    await shop.until(ROWS, 46)
    path = f"/v1/users/{user}/inbox/changes"
    newest = await shop.ask("root.querySelector('li').dataset.id")
    await shop.api.done("POST", path, {"kind": "archived", "item": newest})
    await shop.until(ROWS, 45)
    assert abs(await shop.ask(f"{row}.getBoundingClientRect().top") - top) < 2
    await shop.ask(f"{row}.querySelector(':scope > div button').click()")
    assert await shop.ask(f"{row}.querySelector('.body').clientHeight") > cut
    assert await shop.ask(f"{panel}.scrollWidth <= {panel}.clientWidth")


PLACES = {
    "right": "",
    "left": "nav { justify-content: flex-start; }",
    "bottom": "nav { position: fixed; bottom: 8px; left: 8px; } html { overflow: hidden; }",
    "clipped": "nav { height: 60px; overflow: hidden; transform: scale(1); }",
}


async def test_the_panel_is_wholly_in_the_window_and_looks_as_the_site_does(
    shop: Shop, shots: Path
) -> None:
    path, _ = await filled(shop.api, 8)
    user = path.split("/")[3]
    inside = """(() => {
      const box = root.querySelector('#panel').getBoundingClientRect();
      const window_ = document.documentElement;
      const top = document.elementFromPoint(box.left + 20, box.bottom - 20);
      return [box.left >= 0, box.top >= 0, box.right <= window_.clientWidth,
        box.bottom <= window_.clientHeight, box.height > 200, top === bell];
    })()"""
    sizes = {"desk": (1400, 900), "phone": (390, 800)}
    try:
        for scheme, places in (("light", ["right", "bottom"]), ("dark", PLACES)):
            await shop.scheme(scheme)
            for (kind, size), where in product(sizes.items(), places):
                style = PLACES[where]
                await shop.size(*size)
                # A site that is always light has a dark icon, on a dark system too.
                await shop.visit(user, style=style if where == "left" else f"{BOTH}\n{style}")
                await shop.until(COUNT, "8")
                icon = "getComputedStyle(root.querySelector('#bell svg')).stroke"
                await shop.until(f"{icon} === getComputedStyle(document.body).color", wanted=True)
                await asyncio.to_thread(shop.part("bell").click)
                await shop.until(ROWS, 8)
                assert await shop.ask(inside) == [True] * 6, (scheme, kind, where)
                ground = await shop.ask(
                    "getComputedStyle(root.querySelector('#panel')).backgroundColor"
                )
                is_dark = scheme == "dark" and where != "left"
                assert ground == ("rgb(30, 30, 36)" if is_dark else "rgb(255, 255, 255)")
                await shop.shoot(shots / f"bell-{kind}-{where}-{scheme}.png")
    finally:
        await shop.scheme("")
        await shop.size(0, 0)


async def test_what_is_done_offline_is_kept_told_and_sent(shop: Shop, shots: Path) -> None:
    path, _ = await filled(shop.api, 3)
    user, note = path.split("/")[3], "root.querySelector('#note').textContent"
    await shop.visit(user)
    await shop.until(COUNT, "3")
    await asyncio.to_thread(shop.part("bell").click)
    await shop.until(ROWS, 3)
    await shop.offline(True)
    try:
        await shop.until(f"{note}.startsWith('Not connected')", wanted=True)
        await shop.ask("root.querySelectorAll('.item')[1].click()")
        await shop.until(COUNT, "2")
        await shop.until("root.querySelectorAll('li.unread').length", 2)
        await shop.shoot(shots / "bell-offline.png")
        await shop.counts(path, 3)
    finally:
        await shop.offline(False)
    await shop.counts(path, 2)
    await shop.until(note, "")
    await shop.until(COUNT, "2")
    assert await shop.ask("localStorage.length") == 0
    # As it would be if the page were closed before: the next one sends it.
    await shop.offline(True)
    await shop.ask("root.querySelectorAll('li.unread .item')[0].click()")
    await shop.until(COUNT, "1")
    await asyncio.to_thread(shop.browser.execute_script, "document.body.replaceChildren()")
    await shop.offline(False)
    await shop.visit(user)
    await shop.counts(path, 1)


async def test_what_is_pressed_is_gone_to_and_what_is_snoozed_can_be_had_back(
    shop: Shop, shots: Path
) -> None:
    path, items = await filled(shop.api, 2)
    user = path.split("/")[3]
    page = f"{shop.url}#there"
    body: dict[str, Any] = {"users": [user], "title": "Go", "body": "there"}
    body["channels"], body["actions"] = ["inapp"], [{"label": "Open", "url": page}]
    await shop.api.done("POST", "/v1/notifications", body)
    until_ = "2099-01-01T00:00:00Z"
    said = {"kind": "snoozed", "item": items[0]["id"], "until": until_}
    await shop.api.done("POST", f"{path}/changes", said)
    await shop.visit(user)
    await shop.until(COUNT, "2")
    await asyncio.to_thread(shop.part("bell").click)
    await shop.until(ROWS, 2)
    await asyncio.to_thread(shop.part("snoozed").click)
    await shop.until("root.querySelector('li')?.textContent.includes('comes back')", wanted=True)
    await shop.shoot(shots / "bell-snoozed.png")
    await asyncio.to_thread(shop.bell.find_element(By.CSS_SELECTOR, "li div button").click)
    await shop.until(COUNT, "3")
    await asyncio.to_thread(shop.part("snoozed").click)
    await shop.until(ROWS, 3)
    item = shop.bell.find_element(By.CSS_SELECTOR, ".item[href]")
    keep = "(event) => event.preventDefault(), { once: true }"
    await shop.ask(f"bell.addEventListener('tocsin-open', {keep})")
    for place in (shop.url, page):
        await asyncio.to_thread(item.click)
        assert shop.browser.current_url == place
    await shop.counts(path, 2)


async def test_an_item_is_snoozed_until_a_moment_of_ones_choice(shop: Shop, shots: Path) -> None:
    path, items = await filled(shop.api, 2)
    await shop.visit(path.split("/")[3])
    await shop.until(COUNT, "2")
    await asyncio.to_thread(shop.part("bell").click)
    await shop.until(ROWS, 2)
    newest = max(items, key=lambda each: each["number"])
    summary = shop.bell.find_element(By.CSS_SELECTOR, f"[data-id='{newest['id']}'] summary")
    await asyncio.to_thread(summary.click)
    await shop.until("root.querySelectorAll('.later button').length >= 2", wanted=True)
    try:
        for scheme, (kind, size) in product(
            ("light", "dark"), {"phone": (390, 800), "desk": (1400, 900)}.items()
        ):
            await shop.scheme(scheme)
            await shop.size(*size)
            panel = "root.querySelector('#panel')"
            await shop.until(f"{panel}.scrollWidth <= {panel}.clientWidth", wanted=True)
            await shop.shoot(shots / f"bell-later-{kind}-{scheme}.png")
    finally:
        await shop.scheme("")
        await shop.size(0, 0)
    before = datetime.now(UTC)
    choice = shop.bell.find_element(By.CSS_SELECTOR, "[data-until='hour']")
    await asyncio.to_thread(choice.click)
    await shop.until(ROWS, 1)
    await shop.until(COUNT, "1")
    await asyncio.to_thread(shop.part("snoozed").click)
    await shop.until("root.querySelector('li')?.textContent.includes('comes back')", wanted=True)
    (kept,) = (await shop.api.done("GET", path, params={"which": "snoozed"}))["items"]
    until_ = datetime.fromisoformat(kept["snoozed_until"])
    after = datetime.now(UTC) + timedelta(hours=1, seconds=1)
    assert kept["id"] == newest["id"]
    assert before + timedelta(hours=1) - timedelta(seconds=1) <= until_ <= after


async def test_the_choices_are_mornings_by_the_calendar(shop: Shop) -> None:
    """Worked out by hand: of a Wednesday, a Saturday, a Sunday and a Monday, and a month's end."""
    await shop.visit(unique("user"))
    wanted = {
        "2026-03-04T22:30": ["2026-03-04T23:30", "2026-03-05T09:00", "2026-03-09T09:00"],
        "2026-03-07T12:00": ["2026-03-07T13:00", "2026-03-08T09:00", "2026-03-09T09:00"],
        "2026-03-08T12:00": ["2026-03-08T13:00", "2026-03-09T09:00"],
        "2026-03-30T08:00": ["2026-03-30T09:00", "2026-03-31T09:00", "2026-04-06T09:00"],
        "2026-12-31T20:00": ["2026-12-31T21:00", "2027-01-01T09:00", "2027-01-04T09:00"],
    }
    script = """
      const [address, moments, done] = arguments;
      const two = (n) => String(n).padStart(2, "0");
      const local = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
        + `T${two(at.getHours())}:${two(at.getMinutes())}`;
      import(address).then(({ choices }) => done(
        moments.map((each) => choices(new Date(each)).map(([, at]) => local(at)))));
    """
    address = f"{shop.api.url}/inbox/bell/later.js"
    run = shop.browser.execute_async_script
    found = await asyncio.to_thread(run, script, address, list(wanted))
    assert found == list(wanted.values())


async def test_one_that_is_taken_away_does_not_come_back(shop: Shop) -> None:
    """Though it was about to ask whether its token holds when it went."""
    await shop.visit(unique("user"))
    await shop.until("!!root", True)
    script = """
      window.opened = 0;
      window.WebSocket = class {
        constructor() { window.opened += 1; setTimeout(() => this.onclose?.({ reason: "" })); }
        close() { this.onclose = null; }
      };
      window.fetch = () => new Promise((done) => { window.answer = () => done({ status: 200 }); });
      const claims = btoa(JSON.stringify({ iss: "acme", sub: "another" }));
      document.querySelector('tocsin-bell').setAttribute('token', `e30.${claims}.x`);
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
