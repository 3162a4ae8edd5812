"""The dashboard and the operator page, in a real browser against a running house."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from aiokafka import AIOKafkaProducer
from selenium import webdriver
from selenium.webdriver.common.by import By

from schemas.encoding import encode
from schemas.question import CircuitState, Owner, SourceState
from tests.agents.names import unique
from tests.patience import until_told
from tests.web.api.routes.test_history import until as told
from tests.web.api.routes.test_sending import notification, person
from tests.web.house import Api
from tests.web.pages.test_shop import until

PHONE = (390, 800)


@pytest.fixture
async def page(api: Api, browser: webdriver.Chrome) -> AsyncIterator[webdriver.Chrome]:
    """A browser whose tab knows a key."""
    await asyncio.to_thread(browser.get, f"{api.url}/dashboard")
    script = f"sessionStorage.setItem('tocsin-key', '{api.keys['acme']}')"
    await asyncio.to_thread(browser.execute_script, script)
    yield browser
    await asyncio.to_thread(browser.execute_script, "sessionStorage.clear()")
    await asyncio.to_thread(browser.set_window_size, 900, 700)
    await asyncio.to_thread(browser.get, "about:blank")


async def open_(page: webdriver.Chrome, url: str) -> None:
    await asyncio.to_thread(page.get, url)


async def shoot(page: webdriver.Chrome, path: Path) -> None:
    await asyncio.to_thread(page.save_screenshot, str(path))


async def text_of(page: webdriver.Chrome, where: str) -> str:
    found = await asyncio.to_thread(page.find_element, By.CSS_SELECTOR, where)
    return found.text


async def happen(api: Api) -> str:
    """A user was told in-app, and not by push; the notification's id."""
    user = await person(api, categories={"comments": {"push": False}})
    said = await api.done("POST", "/v1/notifications", notification(user))
    name: str = said["notifications"][user]
    await told(api, f"/v1/notifications/{name}", 4)
    return name


@asynccontextmanager
async def answering(api: Api, role: str, said: object) -> AsyncIterator[None]:
    """A process of a role that says this, whatever it is asked, until the block ends.

    Its partition is one that no worker of this house holds.
    """

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=encode(said))

    app = web.Application()
    app.add_routes([web.post(f"/{role}/99", answer)])
    async with TestServer(app) as server:
        owner = Owner(role=role, partition=99, url=str(server.make_url(f"/{role}")))
        producer = AIOKafkaProducer(bootstrap_servers=api.house.kafka.address)
        await producer.start()
        await producer.send_and_wait("owners", encode(owner), f"{role}/99".encode())
        await producer.stop()
        yield


async def test_a_key_is_asked_for_and_kept_in_no_link(
    api: Api, browser: webdriver.Chrome, shots: Path
) -> None:
    await happen(api)
    await open_(browser, f"{api.url}/dashboard?range=7d")
    await until(browser, "!document.querySelector('#key').hidden")
    await asyncio.to_thread(browser.set_window_size, *PHONE)
    await until(browser, "document.documentElement.scrollWidth <= window.innerWidth")
    await shoot(browser, shots / "dashboard-key-phone.png")
    await asyncio.to_thread(browser.set_window_size, 900, 700)
    field = await asyncio.to_thread(browser.find_element, By.CSS_SELECTOR, "#key input")
    for key, shows in (("wrong", "#refused"), (api.keys["acme"], "#funnel .chart")):
        await asyncio.to_thread(field.send_keys, key)
        await asyncio.to_thread(field.submit)
        await until(browser, f"!!document.querySelector('{shows}')?.textContent")
        if key == "wrong":
            assert "This key is not known here" in await text_of(browser, "#refused")
            assert "Authorization" not in await text_of(browser, "#refused")
        await shoot(browser, shots / f"dashboard-{'key' if key == 'wrong' else 'opened'}.png")
    assert api.keys["acme"] not in browser.current_url
    assert "range=7d" in browser.current_url
    await asyncio.to_thread(browser.execute_script, "sessionStorage.clear()")


async def test_the_dashboard_shows_what_happened(
    api: Api, page: webdriver.Chrome, shots: Path
) -> None:
    await happen(api)
    await asyncio.to_thread(page.set_window_size, 1400, 1500)
    await open_(page, f"{api.url}/dashboard?range=1h")
    await until(page, "document.querySelectorAll('.js-plotly-plot').length >= 4")
    await until(page, "!document.querySelector('#tenants').hidden")
    label = "document.querySelector('#why_not .chart').getAttribute('aria-label')"
    await until(page, f"{label}.includes('opted_out')")
    assert "comment_added" in await text_of(page, "#types")
    await asyncio.sleep(0.5)
    await shoot(page, shots / "dashboard.png")
    await asyncio.to_thread(page.set_window_size, *PHONE)
    await until(page, "document.body.scrollWidth <= window.innerWidth")
    await shoot(page, shots / "dashboard-phone.png")


async def test_the_filters_are_in_the_link(api: Api, page: webdriver.Chrome) -> None:
    await happen(api)
    await open_(page, f"{api.url}/dashboard?range=6h&channel=inapp&type=nothing_like_it")
    await until(page, "document.querySelector('#volume').textContent.includes('Nothing in')")
    field = await asyncio.to_thread(page.find_element, By.NAME, "type")
    await asyncio.to_thread(field.clear)
    await asyncio.to_thread(field.submit)
    await until(page, "!!document.querySelector('#volume .chart')")
    assert "channel=inapp" in page.current_url
    assert "nothing_like_it" not in page.current_url


async def test_a_provider_in_trouble_is_shown_with_what_it_said_and_who_is_called_instead(
    api: Api, page: webdriver.Chrome, shots: Path
) -> None:
    """By a push worker that says so; its partition is one that no worker of this house holds."""
    circuits = [
        CircuitState(
            provider="fcm",
            state="open",
            free_in=7.2,
            failing_since=1_772_366_400_000,
            last_error="provider_error: 503 <b>overloaded</b>",
            last_error_at=1_772_366_460_000,
            instead=["spare"],
        ),
        CircuitState(provider="spare", state="closed"),
    ]

    async with answering(api, "push", circuits):
        await asyncio.to_thread(page.set_window_size, 1400, 900)
        await open_(page, f"{api.url}/operator")
        await until(page, "document.querySelector('#circuits').textContent.includes('spare')")
        shown = await text_of(page, "#circuits")
        await shoot(page, shots / "operator-providers.png")
    assert "open: asked again in 8 s; spare instead" in shown
    assert "nothing succeeds since" in shown
    assert "provider_error: 503 <b>overloaded</b>" in shown
    assert "closed: all is sent" in shown


async def test_sources_are_shown_with_what_is_wrong_with_them(
    api: Api, page: webdriver.Chrome, shots: Path
) -> None:
    """By an intake worker that says so."""
    states = [
        SourceState(
            source="invoices",
            lag=41_200,
            dead=120,
            last_error="billing.invoices/3/77: set.id: id is missing",
            last_error_at=1_772_366_460_000,
            waits="refuses 120 of the last 200 records <b>",
        ),
        SourceState(source="orders", lag=3, per_second=101.5, moved=81_204, skipped=12_000),
    ]
    async with answering(api, "intake", states):
        await asyncio.to_thread(page.set_window_size, 1400, 900)
        await open_(page, f"{api.url}/operator")
        await until(page, "document.querySelector('#sources').textContent.includes('orders')")
        shown = await text_of(page, "#sources")
        await shoot(page, shots / "operator-sources.png")
    rows = dict(line.split(" ", 1) for line in shown.splitlines() if " " in line)
    assert rows["orders"] == "3 101.5 81,204 12,000 0 reads –"  # noqa: RUF001
    assert rows["invoices"].startswith("41,200 0 0 0 120 refuses 120 of the last 200 records <b> ")
    assert rows["invoices"].endswith("billing.invoices/3/77: set.id: id is missing")


async def test_empty_and_broken_are_told_in_words(
    api: Api, page: webdriver.Chrome, shots: Path
) -> None:
    between = "range=between&from=2020-01-01T00:00&to=2020-01-02T00:00"
    await open_(page, f"{api.url}/dashboard?{between}")
    await until(page, "document.querySelector('#funnel').textContent.includes('Nothing in')")
    await shoot(page, shots / "dashboard-empty.png")
    await open_(page, f"{api.url}/dashboard?{between.replace('2020-01-02', '2019-01-02')}")
    await until(page, "!!document.querySelector('#funnel .broken')")
    assert "to must be after from" in await text_of(page, "#funnel")
    await shoot(page, shots / "dashboard-broken.png")


async def test_a_time_between_whose_end_is_not_said_is_until_now(
    api: Api, page: webdriver.Chrome
) -> None:
    await happen(api)
    month_ago = datetime.now(UTC) - timedelta(days=30)
    for begin in ("", f"&from={month_ago:%Y-%m-%dT%H:%M}"):
        await open_(page, f"{api.url}/dashboard?range=between{begin}")
        await until(page, "document.querySelector('#fresh').textContent !== ''")
        for panel in ("funnel", "volume"):
            await until(page, f"!!document.querySelector('#{panel} .chart')")
        assert await text_of(page, "#fresh") != "not all could be shown"


async def test_a_link_to_a_time_between_shows_the_same_in_another_zone(
    api: Api, page: webdriver.Chrome
) -> None:
    zone = "Emulation.setTimezoneOverride"
    begin = "return document.querySelector('#filters').elements.from.value"
    page.execute_cdp_cmd(zone, {"timezoneId": "Europe/Berlin"})
    try:
        await open_(page, f"{api.url}/dashboard?range=between&from=2026-03-01T12:00:00.000Z")
        assert page.execute_script(begin).startswith("2026-03-01T13:00")
        field = await asyncio.to_thread(page.find_element, By.NAME, "type")
        await asyncio.to_thread(field.submit)
        await until(page, "location.search.includes('from=2026-03-01T12%3A00%3A00.000Z')")
        page.execute_cdp_cmd(zone, {"timezoneId": "Asia/Tokyo"})
        await open_(page, page.current_url)
        assert page.execute_script(begin).startswith("2026-03-01T21:00")
    finally:
        page.execute_cdp_cmd(zone, {"timezoneId": ""})


async def test_the_operator_page_shows_lag_letters_and_a_timeline(
    api: Api, page: webdriver.Chrome, shots: Path
) -> None:
    name = await happen(api)
    producer = AIOKafkaProducer(bootstrap_servers=api.house.kafka.address)
    await producer.start()
    await producer.send_and_wait("presence", b"{not json", unique("user").encode())
    await producer.stop()
    await asyncio.to_thread(page.set_window_size, 1400, 1500)
    await open_(page, f"{api.url}/operator?id={name}")
    await until(page, "document.querySelectorAll('#lag tbody tr').length >= 10")
    await until(page, "document.querySelector('#timeline').textContent.includes('opted_out')")
    await until(page, "document.querySelector('#found').textContent.includes('opted out')")
    script = "document.querySelector('#filter').topic.value = 'presence'"

    async def letters() -> str:
        await asyncio.to_thread(page.execute_script, script)
        button = await asyncio.to_thread(page.find_element, By.CSS_SELECTOR, "#filter button")
        await asyncio.to_thread(button.click)
        await asyncio.sleep(0.2)
        return await text_of(page, "#letters")

    await until_told(letters, lambda shown: "undecodable" in shown)
    again = await asyncio.to_thread(page.find_element, By.CSS_SELECTOR, "#letters td button")
    await asyncio.to_thread(again.click)
    await until(page, "document.querySelector('#letters').textContent.includes('sent again')")
    user = await asyncio.to_thread(page.find_element, By.CSS_SELECTOR, "#explain input")
    await asyncio.to_thread(user.send_keys, "user-1")
    await asyncio.to_thread(user.submit)
    await until(page, "document.querySelector('#explained').textContent.includes('no_address')")
    await shoot(page, shots / "operator.png")


async def test_a_page_never_asks_again_before_it_was_answered(
    api: Api, page: webdriver.Chrome
) -> None:
    """Its clock is ours, and nothing is answered."""
    script = """
        window.ticks = []; window.asked = [];
        window.setInterval = (tick) => window.ticks.push(tick);
        window.fetch = (path) => { window.asked.push(String(path)); return new Promise(() => {}); };
    """
    command = "Page.addScriptToEvaluateOnNewDocument"
    added = page.execute_cdp_cmd(command, {"source": script})
    try:
        pages = (("operator", "/v1/operations"), ("dashboard?range=1h", "/v1/figures/funnel"))
        for name, path in pages:
            await open_(page, f"{api.url}/{name}")
            await until(page, "window.ticks.length === 1 && window.asked.length > 1")
            page.execute_script("for (let n = 0; n < 3; n++) window.ticks[0]()")
            asked = page.execute_script("return window.asked")
            (only,) = (each for each in asked if each.startswith(path))
        # Whole minutes, which are rolled up.
        times = parse_qs(urlsplit(only).query)
        moments = [datetime.fromisoformat(times[name][0]) for name in ("from", "to")]
        assert [(each.second, each.microsecond) for each in moments] == [(0, 0)] * 2
        assert moments[1] - moments[0] == timedelta(hours=1)
    finally:
        page.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
