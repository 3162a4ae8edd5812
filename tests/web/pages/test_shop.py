"""The page to play with: a button's event becomes a push, an e-mail and a bell, live."""

import asyncio
from functools import partial
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By

from demo.show.playground import EVENTS_OF, open_shop
from embedded.local_stack import TOGETHER, WEB, LocalStack
from tests.patience import until_told

ROLES = ("router", "decider", "push", "email", "inapp", "analytics")
LOOK = 0.1
"""Seconds between two looks at a page: each goes through three processes."""


async def test_an_event_becomes_a_push_a_mail_and_a_bell(
    browser: webdriver.Chrome, shots: Path, tmp_path: Path
) -> None:
    house = LocalStack(
        tmp_path,
        roles=(*ROLES, WEB),
        together={TOGETHER: ROLES},
        cors_origins='["*"]',
        partitions=2,
    )
    await house.start()
    try:
        async with open_shop(house) as url:
            await asyncio.to_thread(browser.get, url)
            await press(browser, "order")
            await until(browser, "document.querySelectorAll('#taken li').length >= 2")
            taken = await asyncio.to_thread(browser.find_element, By.ID, "taken")
            assert "push Your order is on its way" in taken.text
            assert "email Order 77 is on its way" in taken.text
            await until(browser, "!document.querySelector('#mail').hidden")
            frame = await asyncio.to_thread(browser.find_element, By.ID, "mail")
            await asyncio.to_thread(browser.switch_to.frame, frame)
            mail = await asyncio.to_thread(browser.find_element, By.TAG_NAME, "body")
            assert "1Z5" in mail.text or "77" in mail.text
            await asyncio.to_thread(browser.switch_to.default_content)
            await press(browser, "comment")
            count = "document.querySelector('tocsin-bell').shadowRoot.querySelector('#count')"
            await until(browser, f"{count}.textContent === '1'")
            await until(
                browser, "document.querySelector('#told').textContent.includes('no_address')"
            )
            await press(browser, "message")
            # In the bell alone if it was read by then that the page is open, and else by push.
            pushed = "document.querySelector('#taken').textContent.includes('push Bo')"
            await until(browser, f"{count}.textContent === '2' || {pushed}")
            await asyncio.to_thread(browser.save_screenshot, str(shots / "shop.png"))
            failed = "document.querySelector('#failed')"
            assert await asyncio.to_thread(browser.execute_script, f"return {failed}.hidden")
            before = dict(EVENTS_OF)
            label, kind, data = EVENTS_OF["message"]
            lacking = {name: said for name, said in data.items() if name != "conversation_id"}
            EVENTS_OF["message"] = label, kind, lacking
            try:
                await press(browser, "message")
                missing = "the variable \\'conversation_id\\' is missing"
                await until(browser, f"{failed}.textContent.includes('{missing}')")
            finally:
                EVENTS_OF.update(before)
            await asyncio.to_thread(browser.save_screenshot, str(shots / "shop-failed.png"))
    finally:
        await asyncio.to_thread(browser.get, "about:blank")
        await house.stop()


async def press(browser: webdriver.Chrome, name: str) -> None:
    button = browser.find_element(By.CSS_SELECTOR, f"[data-event={name}]")
    await asyncio.to_thread(button.click)


async def until(browser: webdriver.Chrome, what: str) -> None:
    look = partial(asyncio.to_thread, browser.execute_script, f"return {what}")
    await until_told(look, bool, pause=LOOK)
