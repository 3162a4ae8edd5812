"""The dashboard and the operator page while what they ask hangs, fails, or says something odd."""

import asyncio
import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.web.pages.answering import AHEAD, Server, figures
from tests.web.pages.test_shop import until

VALUE = {"user": "ann", "event": {"id": "e-1", "data": {"users": ["ann", 7], "text": "x"}}}

LETTER = {
    "id": "d-1", "reason": "invalid", "detail": "Expected `str` - at `$.event.data.users[1]`",
    "role": "decider", "topic": "requests.high", "partition": 0, "offset": 7,
    "at": "2026-03-14T09:00:00Z", "key": b64encode(b"ann").decode(),
    "value": b64encode(json.dumps(VALUE).encode()).decode(),
}  # fmt: skip

OTHER = {
    **LETTER, "id": "d-2", "detail": "JSON is malformed: invalid character (byte 6)",
    "reason": "undecodable", "value": b64encode(b'{"id":!}').decode(),
}  # fmt: skip

CIRCUIT = {
    "provider": "ses", "state": "closed", "free_in": 0, "failing_since": None, "last_error": "",
    "last_error_at": None, "instead": [],
}  # fmt: skip


def operations(lag: int) -> dict[str, Any]:
    roles = [{"role": "router", "lag": lag, "topics": {"events": lag} if lag else {}}]
    circuits = [{"role": "email", "process": "http://one", "circuits": [CIRCUIT]}]
    return {"roles": roles, "circuits": circuits}


async def test_the_operator_page_says_how_old_it_is_and_leaves_the_focus_alone(
    server: Server, shots: Path
) -> None:
    server.answers = {"operations": operations(0), "dead-letters": [LETTER]}
    await server.open("/operator")
    await server.told("#lag .asof", "as of")
    focused = "document.activeElement?.closest('tr, .scroll')?.textContent"
    await server.run("document.querySelector('#letters tbody summary').focus()")
    await server.run("document.querySelector('#letters details').open = true")
    before = await server.run(f"return {focused}")
    server.answers = {"operations": operations(12), "dead-letters": [LETTER, OTHER]}
    await server.run(AHEAD)
    await server.told("#lag .body", "events 12")
    await until(server.browser, "document.querySelectorAll('#letters tbody tr').length === 2")
    assert await server.run(f"return {focused}") == before
    assert await server.run("return document.activeElement.closest('details').open")
    green = "getComputedStyle(document.querySelector('#circuits .good')).color"
    plain = "getComputedStyle(document.body).color"
    assert await server.run(f"return {green} !== {plain}")
    server.hangs = True
    await server.told("#lag .asof", "No answer for")
    await server.shoot(shots / "operator-hanging.png")
    assert "as of" in await server.run(
        "return document.querySelector('#circuits .asof').textContent"
    )
    assert await server.run(f"return {green} === {plain}")
    asked = server.asked.count("operations")
    server.hangs = False
    server.away = "Kafka at k:9092 does not say how far it is."
    server.ending.set()
    await server.told("#lag .asof", "does not say how far")
    assert "events 12" in await server.run("return document.querySelector('#lag').textContent")
    assert server.asked.count("operations") <= asked + 1


async def test_a_dead_letter_shows_its_record_its_user_and_the_place_of_the_mistake(
    server: Server, shots: Path
) -> None:
    server.answers = {
        "operations": operations(0),
        "dead-letters": [LETTER, OTHER],
        "dead-letters/replay": {"replayed": 2, "gone": 1},
    }
    await server.open("/operator")
    await server.told("#letters", "ann")
    await server.run("for (const each of document.querySelectorAll('details')) each.open = true")
    marks = "[...document.querySelectorAll('#letters mark')]"
    # The newest first.
    assert await server.run(f"return {marks}.map((each) => each.textContent)") == ["!", "7"]
    await server.shoot(shots / "operator-letters.png")
    assert await server.run("return document.querySelector('#group').hidden")
    await server.run("document.querySelector('#filter').topic.value = 'requests.high'")
    await server.press("#filter button")
    await until(server.browser, "!document.querySelector('#group').hidden")
    # What is typed and not shown is not what is sent.
    await server.run("document.querySelector('#filter').topic.value = 'events'")
    await server.run("window.confirm = (text) => { window.asked = text; return true; }")
    await server.press("#group")
    await server.told("#group-said", "2 sent again, 1 are gone")
    assert "topic requests.high again: 2 records" in await server.run("return window.asked")
    assert server.bodies == [{"topic": "requests.high"}]


EXPLAINED = {
    "type": "order_shipped", "catalogue": "c",
    "membership": {"is_in": True, "why": "by customer_id"},
    "asked": [
        {"step": 0, "channel": "sms", "rule": "address", "looked_at": "no phone", "said": "none"},
    ],
    "sent": [{"channel": "email", "addresses": ["a…@example.com"]}],
    "waits": [
        {"channel": "push", "until": "2026-03-14T09:00:00Z", "reason": "digest", "gathered": 2},
    ],
    "silent": [{"channel": "sms", "reason": "no_address", "detail": "", "stage": "suppressed"}],
    "told_before": None, "refused": "", "variant": "",
}  # fmt: skip

FOUND = {
    "notification_id": "n-1", "event_id": "e-1", "type": "order_shipped", "user": "ann",
    "at": "2026-03-14T09:00:00Z", "state": "waits", "why": "sendgrid's circuit is open",
    "channels": [{"channel": "email", "state": "waits", "since": "2026-03-14T09:00:00Z"}],
}  # fmt: skip


async def test_support_reads_rows_and_rules_and_no_json(server: Server, shots: Path) -> None:
    server.answers = {
        "operations": operations(0),
        "notifications": [FOUND],
        "notifications/n-1": [{"at": FOUND["at"], "channel": "email", "stage": "queued"}],
        "explain": [EXPLAINED],
    }
    await server.open("/operator?by=address&what=ann%40example.com&days=30")
    await server.told("#found", "sendgrid's circuit is open")
    assert await server.run("return document.querySelector('#find').elements.by.value") == "address"
    await server.press("#found button")
    await server.told("#timeline", "queued")
    field = await asyncio.to_thread(server.browser.find_element, By.CSS_SELECTOR, "#explain input")
    await asyncio.to_thread(field.send_keys, "ann", Keys.ENTER)
    await server.told("#explained", "no phone")
    shown = await server.run("return document.querySelector('#explained').innerText")
    assert "{" not in shown
    rows = "[...document.querySelectorAll('#explained tbody tr')]"
    assert await server.run(f"return {rows}.map((row) => row.cells[0].innerText)") == [
        "1",
        "sent",
        "waits",
        "not sent",
    ]
    await server.shoot(shots / "operator-support.png")


@pytest.mark.parametrize(("minutes", "chosen"), [(20, "1h"), (200, "6h")])
async def test_the_first_view_is_as_long_as_there_is_something_to_see(
    server: Server, minutes: int, chosen: str
) -> None:
    server.answers = figures(minutes)
    await server.open("/dashboard")
    await server.told("#fresh", "as of")
    assert await server.run("return document.querySelector('#filters').range.value") == chosen


async def test_figures_stay_with_their_time_and_labels_with_the_theme(
    server: Server, shots: Path
) -> None:
    await server.media("light")
    server.answers = figures(20)
    await server.open("/dashboard?range=1h")
    await server.told("#volume .asof", "as of")
    fill = "getComputedStyle(document.querySelector('#volume .xtick text')).fill"
    text = "getComputedStyle(document.body).color"
    await until(server.browser, f"{fill} === {text}")
    await server.media("dark")
    await until(server.browser, f"{fill} === {text} && {text} === 'rgb(236, 238, 242)'")
    await server.shoot(shots / "dashboard-dark.png")
    server.away, before = "ClickHouse at c:8123 did not answer within 12 s.", len(server.asked)
    await server.run(AHEAD)
    await server.told("#volume .asof", "What is shown is as of")
    assert await server.run("return !!document.querySelector('#volume .xtick text')")
    await server.told("#fresh", "not all could be shown")
    await server.shoot(shots / "dashboard-stale.png")
    # Once one is told that nobody answers, the others are not asked.
    assert len(server.asked) - before <= 5
    # What another filter would show is not known.
    await server.run("document.querySelector('#filters').type.value = 'other'")
    await server.press("#filters button")
    await server.told("#volume .body", "did not answer")


async def test_of_two_questions_the_last_one_is_answered(server: Server) -> None:
    """Though the answer to the first one comes later; and with its time."""
    server.answers = {
        "operations": operations(0),
        "notifications": lambda query: [{**FOUND, "why": f"of {query['what']}"}],
    }
    await server.open("/operator")
    await server.told("#lag .asof", "as of")
    script = """
      const plain = window.fetch, slow = new Promise((done) => { window.go = done; });
      window.fetch = async (path, options) => {
        const answer = await plain(path, options);
        if (path.includes("what=slow")) await slow;
        return answer;
      };
    """
    await server.run(script)
    for what in ("slow", "ann"):
        await server.run(f"document.querySelector('#find').elements.what.value = '{what}'")
        await server.press("#find button")
    await server.told("#found", "of ann")
    await server.told("#found .asof", "as of")
    await server.run("window.go()")
    # Whatever the late answer sets off has happened by then.
    await server.run("return new Promise((done) => setTimeout(done, 50))")
    assert "of ann" in await server.run("return document.querySelector('#found').textContent")


async def test_sources_are_as_old_as_all_else_is(server: Server) -> None:
    source = {
        "source": "orders", "lag": 3, "per_second": 1, "moved": 8, "skipped": 0, "dead": 0,
        "waits": "", "last_error": "", "last_error_at": None,
    }  # fmt: skip
    server.answers = {"operations": {**operations(0), "sources": [source]}, "dead-letters": []}
    await server.open("/operator")
    await server.told("#sources .asof", "as of")
    server.away = "Kafka at k:9092 does not say how far it is."
    await server.run(AHEAD)
    await server.told("#sources .asof", "does not say how far")
    green = "getComputedStyle(document.querySelector('#sources .good')).color"
    assert await server.run(f"return {green} === getComputedStyle(document.body).color")
