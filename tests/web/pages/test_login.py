"""Somebody logs in to the operator page at their company's provider, in a real browser."""

import asyncio
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By

from tests.web.login.pages import Pages, pages, provider
from tests.web.pages.test_console import open_, shoot, text_of
from tests.web.pages.test_shop import until

__all__ = ["pages", "provider"]


async def press(browser: webdriver.Chrome, where: str) -> None:
    """Press what is there, once it can be seen."""
    await until(browser, f"!!document.querySelector('{where}')?.checkVisibility()")
    found = await asyncio.to_thread(browser.find_element, By.CSS_SELECTOR, where)
    await asyncio.to_thread(found.click)


async def write(browser: webdriver.Chrome, field: str, text: str) -> None:
    """Fill a field in, once it is there."""
    await until(browser, f"!!document.querySelector('[name={field}]')")
    found = await asyncio.to_thread(browser.find_element, By.NAME, field)
    await asyncio.to_thread(found.send_keys, text)


async def test_a_person_logs_in_looks_a_user_up_and_logs_out(
    pages: Pages, browser: webdriver.Chrome, shots: Path
) -> None:
    await open_(browser, f"{pages.url}/operator?days=3")
    await until(browser, "!document.querySelector('#key').hidden")
    await shoot(browser, shots / "login.png")
    await press(browser, "#login a")
    await write(browser, "login", "ada")
    await write(browser, "password", "any")
    await press(browser, "button[type=submit]")
    await until(browser, "document.querySelector('#who')?.textContent === 'ada@example.com'")
    assert browser.current_url == f"{pages.url}/operator?days=3"
    await shoot(browser, shots / "logged-in.png")
    cookies = {each["name"]: each for each in await asyncio.to_thread(browser.get_cookies)}
    assert cookies["tocsin-session"]["httpOnly"]
    assert cookies["tocsin-session"]["sameSite"] == "Strict"

    # What changes something brings the proof; what is refused then is the scope.
    script = (
        "const done = arguments[0]; import('/console/console.js').then((console) => console.ask("
        "'/v1/users/ada', { method: 'DELETE' })).catch((error) => done(error.message))"
    )
    said = await asyncio.to_thread(browser.execute_async_script, script)
    assert said == "It needs the scope erase."

    await press(browser, "#leave")
    await until(browser, f"location.href.startsWith('{pages.provider.issuer}/session/end')")
    await open_(browser, f"{pages.url}/operator")
    await until(browser, "!document.querySelector('#key').hidden")
    assert await text_of(browser, "#who") == ""
    deeds = [(each.who, each.deed) for each in pages.on_record if each.deed.startswith("logged")]
    assert deeds == [
        ("login:ada@example.com", "logged in"),
        ("login:ada@example.com", "logged out"),
    ]
    await asyncio.to_thread(browser.get, "about:blank")
