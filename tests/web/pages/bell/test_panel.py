"""The bell and its panel: live, by keyboard, wholly in the window, in light and dark."""

import asyncio
from itertools import product
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.agents.names import unique
from tests.web.api.routes.test_inbox import filled
from tests.web.api.routes.test_sending import notification, person
from tests.web.pages.bell.site import BOTH, COUNT, ROWS, Shop


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


PLACES = {
    "right": "",
    "left": "nav { justify-content: flex-start; }",
    "bottom": "nav { position: fixed; bottom: 8px; left: 8px; } html { overflow: hidden; }",
    "rtl": "html { direction: rtl; }",
    "clipped": "nav { height: 60px; overflow: hidden; transform: scale(1); }",
}


async def test_who_goes_on_by_keyboard_loses_their_place_to_nothing(shop: Shop) -> None:
    """Not to what comes meanwhile, to what they put off, nor to a button that has done its work."""
    user = await person(shop.api)
    body = {"users": [user], "channels": ["inapp"], "priority": "critical", "body": "Hello"}
    for number in range(22):
        await shop.api.done("POST", "/v1/notifications", {**body, "title": f"Number {number}"})
    await shop.visit(user)
    await shop.until(COUNT, "22")
    await asyncio.to_thread(shop.part("bell").click)
    await shop.until(ROWS, 20)
    focused = "root.activeElement?.closest('li')?.querySelector('b').textContent"
    second = "root.querySelectorAll('li')[1]"
    await shop.ask(f"void ({second}.querySelector('details').open = true)")
    await shop.until(f"{second}.querySelectorAll('.later button').length > 1", wanted=True)
    await shop.ask(f"void {second}.querySelector('[data-until=hour]').focus()")
    await shop.api.done("POST", "/v1/notifications", {**body, "title": "Newest"})
    await shop.until(COUNT, "23")
    await shop.until("root.querySelector('li b').textContent", "Newest")
    assert await shop.ask("root.activeElement.dataset.until") == "hour"
    await shop.press(Keys.ENTER)
    await shop.until(COUNT, "22")
    await shop.until(focused, "Number 19")
    await shop.ask("void root.querySelector('#more').focus()")
    await shop.press(Keys.ENTER)
    await shop.until(ROWS, 22)
    # One of those that are new by that, and not the page around it.
    await shop.until(f"['Number 1', 'Number 0'].includes({focused})", wanted=True)
    await shop.ask("void root.querySelector('#all').focus()")
    await shop.press(Keys.ENTER)
    await shop.until("root.activeElement?.id", "close")


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
