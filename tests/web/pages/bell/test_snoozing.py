"""What is put off to see later, and where a press on an item leads."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By

from tests.agents.names import unique
from tests.web.api.routes.test_inbox import filled
from tests.web.pages.bell.site import COUNT, ROWS, Shop


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
