"""The bell's connection: tokens that end, many tabs, offline and back."""

import asyncio
import time
from pathlib import Path

from tests.agents.names import unique
from tests.patience import until_told
from tests.web.api.routes.test_inbox import filled
from tests.web.api.routes.test_sending import notification
from tests.web.gateway.test_gateway import token_of
from tests.web.pages.bell.site import COUNT, ROWS, Shop
from web.gateway.token import Subscriber, make_token, subscriber_secret


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
