"""The rows of the bell: images, buttons, long texts, and nothing harmful."""

import asyncio
from pathlib import Path

from tests.agents.names import unique
from tests.web.api.routes.test_inbox import filled
from tests.web.api.routes.test_sending import notification, person
from tests.web.pages.bell.site import COUNT, ROWS, Shop


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
    # Where the site's rows begin, all the same.
    await shop.until(f"getComputedStyle({row}.querySelector('.body')).textAlign", "left")
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
