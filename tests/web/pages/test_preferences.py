"""The preference centre: a person changes what they hear, in a real browser and without scripts."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from policy.tracking.ticket import Purpose, issue_ticket
from schemas.vocabulary import Channel
from tests.agents.names import unique
from tests.patience import PATIENCE, until_told
from tests.sinks.rig import delivery
from tests.sinks.test_sendgrid import SENDGRID
from tests.web.api.routes.test_sending import person
from tests.web.gateway.test_gateway import token_of
from tests.web.house import Api


class Person:
    """Somebody with the page open."""

    def __init__(self, browser: webdriver.Chrome) -> None:
        self._browser = browser

    def opens(self, url: str) -> None:
        self._browser.get(url)

    def box(self, cell: str) -> Any:
        return self._browser.find_element(By.CSS_SELECTOR, f"input[name=on][value='{cell}']")

    def fills(self, start: str, end: str, zone: str) -> None:
        for name, text in (("start", start), ("end", end)):
            field = self._browser.find_element(By.NAME, name)
            self._browser.execute_script("arguments[0].value = arguments[1]", field, text)
        Select(self._browser.find_element(By.NAME, "zone")).select_by_visible_text(zone)

    def picks(self, name: str, value: str) -> None:
        Select(self._browser.find_element(By.NAME, name)).select_by_value(value)

    def presses(self, button: str) -> None:
        self._browser.find_element(By.CSS_SELECTOR, f"button[value={button}]").click()

    def said(self) -> str:
        # Once it is there: a click may return before the page that follows it.
        waiting = WebDriverWait(self._browser, PATIENCE)
        place = By.CSS_SELECTOR, "[role=status]"
        return str(waiting.until(expected_conditions.presence_of_element_located(place)).text)

    def shoot(self, path: Path) -> None:
        self._browser.save_screenshot(str(path))


async def test_a_person_says_what_they_want(
    api: Api, browser: webdriver.Chrome, shots: Path
) -> None:
    user, ann = await person(api), Person(browser)
    url = f"{api.url}/preferences/{await token_of(api, user)}"

    def play() -> None:
        ann.opens(url)
        assert ann.box("comments.push").is_selected()
        ann.shoot(shots / "preferences.png")
        ann.box("comments.push").click()
        ann.picks("frequency.comments", "daily")
        ann.fills("22:00", "07:00", "Europe/Berlin")
        ann.presses("save")
        assert ann.said() == "Saved."
        assert not ann.box("comments.push").is_selected()

    await asyncio.to_thread(play)
    known = await api.done("GET", f"/v1/users/{user}")
    said = known["preferences"]
    assert said["categories"]["comments"]["push"] is False
    assert said["categories"]["comments"]["inapp"] is True
    assert said["frequency"]["comments"] == "daily"
    assert said["quiet_hours"] == [{"start": "22:00", "end": "07:00"}]
    assert known["contacts"]["zone"] == "Europe/Berlin"
    assert known["contacts"]["email"] == f"{user}@example.com"


async def test_a_zone_that_nobody_touched_stays_unsaid_or_odd(
    api: Api, browser: webdriver.Chrome
) -> None:
    for zone in (None, "Etc/GMT+3"):
        user, ann = unique("user"), Person(browser)
        contacts = {"email": "a@example.com", **({"zone": zone} if zone else {})}
        said = await api.done("PUT", f"/v1/users/{user}/contacts", contacts)
        await api.done("GET", f"/v1/users/{user}", params={"after": said["position"]})
        url = f"{api.url}/preferences/{await token_of(api, user)}"
        await asyncio.to_thread(ann.opens, url)
        await asyncio.to_thread(ann.presses, "save")
        assert await asyncio.to_thread(ann.said) == "Saved."
        known = await api.done("GET", f"/v1/users/{user}")
        assert known["contacts"].get("zone") == zone
        assert known["preferences"]["categories"]


async def test_everything_can_be_turned_off_and_receipts_are_not_asked_about(
    api: Api, browser: webdriver.Chrome
) -> None:
    user, ann = await person(api), Person(browser)
    url = f"{api.url}/preferences/{await token_of(api, user)}"

    def play() -> str:
        ann.opens(url)
        ann.presses("off")
        assert ann.said() == "Saved."
        assert not ann.box("comments.inapp").is_selected()
        return browser.page_source

    page = await asyncio.to_thread(play)
    assert "<script" not in page
    known = await api.done("GET", f"/v1/users/{user}")
    off = known["preferences"]["categories"]
    assert not any(on for channels in off.values() for on in channels.values())
    assert "orders" not in off


async def test_what_was_left_by_one_click_comes_back(api: Api, browser: webdriver.Chrome) -> None:
    user, ann = await person(api), Person(browser)
    key = api.house.settings.signing_key.get_secret_value().encode()
    mail = delivery(SENDGRID, user=user, tenant="acme", category="comments", channel=Channel.EMAIL)
    ticket = issue_ticket(mail, Purpose.UNSUBSCRIBE, key)
    async with api.session.post(f"{api.url}/unsubscribe/{ticket}", data={}) as answer:
        assert answer.status == 200
    await until(api, user, {"comments": ["email"]})
    token = await token_of(api, user)

    def play() -> None:
        ann.opens(f"{api.url}/preferences/{token}")
        assert not ann.box("comments.email").is_selected()
        ann.box("comments.email").click()
        ann.presses("save")
        assert ann.said() == "Saved."

    await asyncio.to_thread(play)
    await until(api, user, {})


async def until(api: Api, user: str, unsubscribed: dict[str, list[str]]) -> None:
    await until_told(
        lambda: api.done("GET", f"/v1/users/{user}"),
        lambda known: known["unsubscribed"] == unsubscribed,
    )


async def test_it_speaks_the_users_language(
    api: Api, browser: webdriver.Chrome, shots: Path
) -> None:
    user, ann = unique("user"), Person(browser)
    said = await api.done("PUT", f"/v1/users/{user}/contacts", {"locale": "de-AT"})
    await api.done("GET", f"/v1/users/{user}", params={"after": said["position"]})
    url = f"{api.url}/preferences/{await token_of(api, user)}"
    await asyncio.to_thread(ann.opens, url)
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "de"
    assert browser.title == "Deine Benachrichtigungen"
    await asyncio.to_thread(ann.shoot, shots / "preferences-de.png")
    # On a phone: nothing beside the screen, and each box with its channel's name.
    size = {"width": 390, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        await asyncio.to_thread(ann.opens, url)
        await asyncio.to_thread(ann.shoot, shots / "preferences-phone.png")
        end = "window.scrollTo(0, document.body.scrollHeight)"
        browser.execute_script(end)
        await asyncio.to_thread(ann.shoot, shots / "preferences-phone-end.png")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
        shown = browser.find_element(By.TAG_NAME, "table").text
        assert {"Kommentare", "Neuigkeiten", "Mitteilungen", "E-Mail"} <= {*shown.splitlines()}
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


async def test_what_can_not_be_used_is_marked_and_the_rest_of_the_form_stays(
    api: Api, browser: webdriver.Chrome, shots: Path
) -> None:
    user, ann = await person(api), Person(browser)
    url = f"{api.url}/preferences/{await token_of(api, user)}"

    def play() -> None:
        ann.opens(url)
        ann.box("comments.push").click()
        ann.picks("frequency.comments", "daily")
        ann.fills("22:00", "22:00", "Europe/Berlin")
        ann.presses("save")
        found = browser.find_element(By.CSS_SELECTOR, "#wrong-quiet")
        assert found.text == "Give both times, and two that differ, or leave both empty."
        ann.shoot(shots / "preferences-wrong.png")
        marked = browser.find_elements(By.CSS_SELECTOR, "[aria-invalid=true]")
        assert [each.get_attribute("name") for each in marked] == ["start", "end"]
        assert not ann.box("comments.push").is_selected()
        ann.fills("22:00", "07:00", "Europe/Berlin")
        ann.presses("save")
        assert ann.said() == "Saved."

    await asyncio.to_thread(play)
    said = (await api.done("GET", f"/v1/users/{user}"))["preferences"]
    assert said["categories"]["comments"]["push"] is False
    assert said["frequency"]["comments"] == "daily"
    assert said["quiet_hours"] == [{"start": "22:00", "end": "07:00"}]


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"start": "22:00", "end": ""}, 400),
        ({"start": "22:00", "end": "22:00"}, 400),
        ({"start": "99:00", "end": "07:00"}, 400),
        ({"zone": "<script>"}, 400),
        ({"frequency.comments": "never"}, 303),
        ({"on": "orders.email", "shown": "orders.email"}, 303),
    ],
)
async def test_what_can_not_be_changes_nothing(api: Api, form: dict[str, str], status: int) -> None:
    user = await person(api)
    before = await api.done("GET", f"/v1/users/{user}")
    url = f"{api.url}/preferences/{await token_of(api, user)}"
    async with api.session.post(url, data=form, allow_redirects=False) as answer:
        assert answer.status == status
        assert "<script>" not in await answer.text()
    after = await api.done("GET", f"/v1/users/{user}")
    assert after["contacts"] == before["contacts"]
    assert "orders" not in after["preferences"].get("categories", {})
    assert "never" not in str(after)


@pytest.mark.parametrize("link", ["x", "a.b.c", "../health", "%00"])
async def test_a_link_that_is_not_ours(api: Api, link: str) -> None:
    for method in ("GET", "POST"):
        async with api.session.request(method, f"{api.url}/preferences/{link}") as answer:
            assert answer.status in (404, 405) or link == "../health"
