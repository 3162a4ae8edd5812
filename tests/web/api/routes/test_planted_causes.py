"""What support is asked, with causes planted in a running house: a row each has the answer."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from click.testing import CliRunner

from cli.main import tocsin
from schemas.encoding import encode
from tests.agents.names import unique
from tests.patience import until_told
from tests.web.api.routes.test_sending import notification, person, shipped
from tests.web.house import Api


async def rows_of(api: Api, user: str, count: int, *words: str) -> dict[str, dict[str, Any]]:
    """A user's rows by event, once there are so many and they say these words."""

    async def ask() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = await api.done(
            "GET", "/v1/notifications", params={"by": "user", "what": user}
        )
        return found

    def is_it(found: list[dict[str, Any]]) -> bool:
        said = json.dumps(found)
        return len(found) >= count and all(word in said for word in words)

    found = await until_told(ask, is_it, pause=0.2)
    return {row["event_id"]: row for row in found}


async def test_i_got_no_mail_or_push(api: Api) -> None:
    night = [{"start": "00:00", "end": "23:59"}]
    asleep = await person(api, quiet_hours=night)
    amount = {"invoice_id": "I-7", "amount": "12.50", "currency": "EUR", "due_on": "2026-03-31"}
    invoice = {
        "id": unique("invoice"), "type": "invoice.due", "actor": "shop",
        "data": {"customer_id": asleep, **amount},
    }  # fmt: skip
    await api.done("POST", "/v1/events", invoice)
    # Nobody works on mail in this house.
    awake = await person(api)
    order = shipped(awake)
    old = shipped(awake, occurred_at=(datetime.now(UTC) - timedelta(days=9)).isoformat())
    for event in (order, old):
        await api.done("POST", "/v1/events", event)
    said = await api.done("POST", "/v1/notifications", notification(awake, actor=unique("bo")))
    # One that the API would refuse comes from another producer.
    lame = shipped(awake)
    lame["data"] = {"customer_id": awake, "order_id": "7"}
    lame["occurred_at"] = datetime.now(UTC).isoformat()
    lame["tenant"] = "acme"
    producer = AIOKafkaProducer(bootstrap_servers=api.house.kafka.address)
    await producer.start()
    await producer.send_and_wait("events", encode(lame), b"shop")
    await producer.stop()

    (row,) = (await rows_of(api, asleep, 1, "quiet hours")).values()
    assert row["state"] == "waits"
    assert "quiet hours: " in row["why"]
    rows = await rows_of(api, awake, 4, "dead letter", "no worker", "expired", "digest")
    found = rows[order["id"]]
    assert found["state"] in ("sent", "delivered"), "by push"
    assert "email: handed to the channel's workers" in found["why"]
    assert "no worker of this channel answers" in found["why"]
    assert rows[old["id"]]["state"] == "not told"
    assert "expired 9d" in rows[old["id"]]["why"]
    assert rows[lame["id"]]["state"] == "failed"
    assert "carrier" in rows[lame["id"]]["why"]
    assert "dead letter" in rows[lame["id"]]["why"]
    names = set(said["notifications"].values())
    (comment,) = (row for row in rows.values() if row.get("notification_id") in names)
    assert "push: digest: due at " in comment["why"]


async def test_i_got_it_twice_and_still_get_it(api: Api) -> None:
    user = await person(api)
    order = shipped(user)
    for _ in range(2):
        await api.done("POST", "/v1/events", order)
    row = (await rows_of(api, user, 1, "came again"))[order["id"]]
    assert "its event came again, first at " in row["why"]
    wishes = {"categories": {"billing": {"push": False}, "orders": {"push": False}}}
    await api.done("PUT", f"/v1/users/{user}/preferences", wishes)
    rows = await rows_of(api, user, 3, "unsubscribed")
    left = [row["why"] for row in rows.values() if row["state"] == "unsubscribed"]
    assert left == ["orders on push, by api"] or set(left) <= {
        "orders on push, by api", "billing on push, by api",
    }  # fmt: skip
    amount = {"invoice_id": "I-7", "amount": "12.50", "currency": "EUR", "due_on": "2026-03-31"}
    invoice: dict[str, Any] = {
        "id": unique("invoice"), "type": "invoice.due", "actor": "shop",
        "data": {"customer_id": user, **amount},
    }  # fmt: skip
    await api.done("POST", "/v1/events", invoice)
    rows = await rows_of(api, user, 4, "transactional")
    assert "sent though billing on push was left at " in rows[invoice["id"]]["why"]
    run = await asyncio.to_thread(
        CliRunner(env=api.house.environment).invoke, tocsin, ["find", user, "--tenant", "acme"]
    )
    assert run.exit_code == 0, run.output
    for words in ("its event came again", "unsubscribed", "transactional", "(billing)"):
        assert words in run.output.replace("\n  ", " "), run.output
