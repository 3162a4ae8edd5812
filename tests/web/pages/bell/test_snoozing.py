"""What is put off to see later, and where a press on an item leads."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

from selenium.webdriver.common.by import By

from tests.agents.names import unique
from tests.web.api.routes.test_inbox import filled
from tests.web.api.routes.test_sending import notification, person
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
        # The site may go there by itself: nothing lies over what is there.
        await shop.until("root.querySelector('#panel').hidden", wanted=True)
        await asyncio.to_thread(shop.part("bell").click)
        await shop.until(ROWS, 3)
        item = shop.bell.find_element(By.CSS_SELECTOR, ".item[href]")
    await shop.counts(path, 2)


async def test_a_comment_leads_to_where_it_can_be_read(shop: Shop, shots: Path) -> None:
    """By the shipped type: its event's `url`, by the item and by its button, in a row of long words
    that are written from right to left."""
    user = await person(shop.api)
    url = "https://127.0.0.1:9/posts/7"
    words = "\u0627\u0644\u0633\u0644\u0627\u0645 " * 4 + "Donaudampfschifffahrtsgesellschaft" * 3
    data = {"commenter_name": "\u0644\u064a\u0644\u0649", "post_id": "p", "post_title": words}
    data |= {"text": words, "url": url}
    await shop.api.done("POST", "/v1/notifications", notification(user, data=data, actor="bo"))
    try:
        for scheme, (kind, size) in product(
            ("light", "dark"), {"phone": (390, 800), "desk": (1400, 900)}.items()
        ):
            await shop.scheme(scheme)
            await shop.size(*size)
            await shop.visit(user)
            await shop.until("root.querySelector('#count').textContent", "1")
            await asyncio.to_thread(shop.part("bell").click)
            await shop.until(ROWS, 1)
            panel = "root.querySelector('#panel')"
            assert await shop.ask(f"{panel}.scrollWidth <= {panel}.clientWidth")
            await shop.shoot(shots / f"bell-comment-{kind}-{scheme}.png")
    finally:
        await shop.scheme("")
        await shop.size(0, 0)
    await shop.until("root.querySelector('.item').href", url)
    await shop.until("root.querySelector('li div a').href", url)
    await shop.until("root.querySelector('li div a').textContent", "Answer")
    await shop.until("getComputedStyle(root.querySelector('li b')).direction", "rtl")
    opened = """bell.addEventListener('tocsin-open', (event) => {
      event.preventDefault(); document.title = event.detail.data?.post_id ?? 'none'; })"""
    await shop.ask(f"void {opened}")
    await asyncio.to_thread(shop.bell.find_element(By.CSS_SELECTOR, ".item").click)
    await shop.until("document.title", "p")


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
