"""Every page by axe's rules (WCAG 2.2 A and AA), in light and dark, wide and narrow."""

import asyncio
import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver

from policy.tracking.ticket import Purpose, issue_ticket
from schemas.vocabulary import Channel
from tests.sinks.rig import delivery
from tests.sinks.test_sendgrid import SENDGRID
from tests.web.api.routes.test_sending import notification, person
from tests.web.gateway.test_gateway import token_of
from tests.web.house import Api
from tests.web.pages.answering import Server, figures
from tests.web.pages.bell.site import COUNT, ROWS, Shop
from tests.web.pages.bell.site import shop as shop
from tests.web.pages.test_hanging import EXPLAINED, FOUND, LETTER, OTHER, operations
from tests.web.pages.test_questions import RATES

AXE = Path(__file__).parents[3] / ".venv/axe/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """
  const [rules, done] = arguments;
  axe.run(document, { runOnly: rules, resultTypes: ["violations"] }).then(({ violations }) => done(
    violations.flatMap(({ id, impact, nodes }) => nodes.map((node) =>
      [impact, id, JSON.stringify(node.target), node.failureSummary]))));
"""
needs_axe = pytest.mark.skipif(
    not AXE.exists(), reason="axe-core is not installed, see the Makefile"
)
pytestmark = needs_axe
SIZES = ((1400, 1000), (390, 800))


async def violations(browser: webdriver.Chrome) -> list[Any]:
    """What axe finds on the page as it is shown."""
    await asyncio.to_thread(browser.execute_script, AXE.read_text())
    found = await asyncio.to_thread(browser.execute_async_script, RUN, RULES)
    return [each for each in found if each[0] in ("serious", "critical", "moderate")]


def listed(found: list[Any]) -> str:
    return json.dumps(found, indent=1)


async def test_what_is_wrong_is_found(browser: webdriver.Chrome) -> None:
    """Or else nothing that follows would say anything."""
    page = "data:text/html,<html lang=en><title>x</title><main><h1>x</h1><img src=x><input>"
    await asyncio.to_thread(browser.get, page)
    assert {each[1] for each in await violations(browser)} == {"image-alt", "label"}


async def test_the_dashboard(server: Server) -> None:
    server.answers = {**figures(20), "figures/opt_outs": RATES, "figures/providers": RATES}
    for scheme, size in product(("light", "dark"), SIZES):
        await server.media(scheme)
        await server.size(*size)
        await server.open("/dashboard?range=between&open=opt_outs")
        await server.told("#fresh", "as of")
        await server.told("#opt_outs", "0.2%")
        found = await violations(server.browser)
        assert not found, listed(found)
    await server.size(0, 0)


async def test_the_operator_page(server: Server) -> None:
    server.answers = {
        "operations": operations(3),
        "dead-letters": [LETTER, OTHER],
        "notifications": [FOUND],
        "notifications/n-1": [{"at": FOUND["at"], "channel": "email", "stage": "queued"}],
        "explain": [EXPLAINED],
    }
    for scheme, size in product(("light", "dark"), SIZES):
        await server.media(scheme)
        await server.size(*size)
        await server.open("/operator?by=notification&what=n-1")
        await server.told("#found", "circuit is open")
        await server.told("#timeline", "queued")
        await server.told("#letters", "ann")
        await server.run("document.querySelector('#explain').user.value = 'ann'")
        await server.press("#explain button")
        await server.told("#explained", "no phone")
        await server.run(
            "for (const each of document.querySelectorAll('details')) each.open = true"
        )
        found = await violations(server.browser)
        assert not found, listed(found)
    await server.size(0, 0)


@pytest.mark.parametrize("page", ["dashboard", "operator"])
async def test_whoever_has_no_key_yet(server: Server, page: str) -> None:
    await server.open(f"/{page}")
    await server.run("sessionStorage.clear()")
    await asyncio.to_thread(server.browser.refresh)
    await server.told("label", "API key")
    found = await violations(server.browser)
    assert not found, listed(found)


async def test_the_bell(shop: Shop) -> None:
    user = await person(shop.api)
    actions = [{"label": "Open", "url": "https://127.0.0.1:9/7"}]
    body = {"users": [user], "title": "Hi", "body": "Hello", "channels": ["inapp"]}
    await shop.api.done("POST", "/v1/notifications", {**body, "actions": actions})
    await shop.api.done("POST", "/v1/notifications", notification(user, actor=user + "x"))
    try:
        for scheme, size in product(("light", "dark"), SIZES):
            await shop.scheme(scheme)
            await shop.size(*size)
            await shop.visit(user)
            await shop.until(f"{COUNT} > 0 || {ROWS} > 0", wanted=True)
            await asyncio.to_thread(shop.part("bell").click)
            await shop.until(ROWS, 2)
            await shop.ask("root.querySelector('summary').parentNode.open = true")
            # The site around it is the test's own.
            found = [each for each in await violations(shop.browser) if "tocsin-bell" in each[2]]
            assert not found, listed(found)
    finally:
        await shop.scheme("")
        await shop.size(0, 0)


@pytest.fixture
async def links(api: Api) -> dict[str, str]:
    """The pages that a person comes to by a link, which may have ended."""
    user = await person(api, quiet_hours=[{"start": "22:00", "end": "07:00"}])
    key = api.house.settings.signing_key.get_secret_value().encode()
    mail = delivery(SENDGRID, user=user, category="comments", channel=Channel.EMAIL)
    ticket = issue_ticket(mail, Purpose.UNSUBSCRIBE, key)
    return {
        "preferences": f"{api.url}/preferences/{await token_of(api, user)}",
        "ended": f"{api.url}/preferences/x",
        "unsubscribe": f"{api.url}/unsubscribe/{ticket}",
    }


async def test_a_persons_preferences(
    links: dict[str, str], server: Server, browser: webdriver.Chrome
) -> None:
    for page, scheme, size in product(links, ("light", "dark"), SIZES):
        await server.media(scheme)
        await server.size(*size)
        await asyncio.to_thread(browser.get, links[page])
        found = await violations(browser)
        assert not found, listed(found)
    await server.size(0, 0)
