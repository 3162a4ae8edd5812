"""Questions on the dashboard: asked when they are opened, seldom from then on, and in the link."""

from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.patience import until_told
from tests.web.pages.answering import AHEAD, Server, figures
from tests.web.pages.test_shop import until

RATES = {
    "columns": ["type", "channel", "sent", "unsubscribed", "unsubscribe_rate", "complaint_rate"],
    "rows": [
        ["order_shipped", "email", 12345, 25, 0.002025, None],
        ["news", "email", 8, 2, 0.25, 0],
    ],
    "step": 60,
}
RETENTION = {
    "columns": ["type", "holdout", "days", "told", "told_retention", "held_out_retention"],
    "rows": [["cart_reminder", "2026", days, 900, 0.31, 0.28] for days in (1, 7, 14, 30)],
    "step": 60,
}
OPENED = "document.querySelector('#opt_outs').open = true"
SIZES = {"desk": (1400, 900), "phone": (390, 800)}


@pytest.fixture
def full() -> dict[str, Any]:
    return {
        **figures(20),
        "figures/opt_outs": RATES,
        "figures/retention": RETENTION,
        "figures/costs": {"columns": ["type"], "rows": [], "step": 60},
    }


async def asked(server: Server, name: str) -> int:
    return server.asked.count(name)


async def test_a_question_is_asked_once_it_is_opened_and_seldom_again(
    server: Server, full: dict[str, Any]
) -> None:
    server.answers = full
    await server.open("/dashboard?range=1h")
    await server.told("#fresh", "as of")
    assert not {each for each in server.asked if "opt_outs" in each or "retention" in each}
    await server.run(OPENED)
    await server.told("#opt_outs", "0.2%")
    await server.told("#opt_outs", "25%")
    assert "open=opt_outs" in await server.run("return location.search")
    # A minute later all else is asked again, and the question six minutes later.
    await server.run(AHEAD)
    await until(server.browser, "document.querySelector('#volume .asof').textContent !== ''")
    await until_told(partial(asked, server, "figures/volume"), lambda found: found >= 2)
    assert server.asked.count("figures/opt_outs") == 1
    await server.run("const now = Date.now; Date.now = () => now() + 360000")
    await until_told(partial(asked, server, "figures/opt_outs"), lambda found: found >= 2)
    # With another filter its figures are others.
    await server.run("document.querySelector('#opt_outs').open = false")
    await server.run("document.querySelector('#filters').type.value = 'news'")
    await server.press("#filters button")
    await server.run(OPENED)
    await until_told(partial(asked, server, "figures/opt_outs"), lambda found: found >= 3)


async def test_a_link_has_the_questions_that_were_opened(
    server: Server, full: dict[str, Any], shots: Path
) -> None:
    server.answers = full
    try:
        for scheme, (kind, size) in product(("light", "dark"), SIZES.items()):
            await server.media(scheme)
            await server.size(*size)
            await server.open("/dashboard?range=1h&open=opt_outs,retention,costs")
            await server.told("#retention", "31%")
            await server.told("#opt_outs", "0.2%")
            await server.told("#costs", "Nothing in this time.")
            assert await server.run("return document.body.scrollWidth <= window.innerWidth")
            await server.run("document.querySelector('#questions').scrollIntoView()")
            await server.shoot(shots / f"dashboard-questions-{kind}-{scheme}.png")
    finally:
        await server.size(0, 0)


async def test_one_that_a_key_may_not_ask_says_so(server: Server, full: dict[str, Any]) -> None:
    server.answers = {**full, "figures/tenant_costs": "The key lacks the scope operate."}
    await server.open("/dashboard?range=1h&open=tenant_costs")
    await server.told("#tenant_costs", "lacks the scope operate")


async def test_who_scrolls_in_a_table_by_keyboard_stays_there(
    server: Server, full: dict[str, Any]
) -> None:
    server.answers = {**full, "figures/providers": RATES}
    await server.open("/dashboard?range=1h")
    await server.told("#providers", "0.2%")
    await server.run("document.querySelector('#providers .scroll').focus()")
    server.answers["figures/providers"] = {**RATES, "rows": [["news", "email", 8, 2, 0.25, 0]]}
    await server.run(AHEAD)
    await until(server.browser, "document.querySelectorAll('#providers tbody tr').length === 1")
    assert await server.run("return document.activeElement.matches('#providers .scroll')")
