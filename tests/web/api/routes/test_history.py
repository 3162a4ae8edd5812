"""What happened is told by HTTP and by command, to the tenant whose it is."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaProducer
from click.testing import CliRunner

from cli.main import tocsin
from tests.agents.names import unique
from tests.patience import PATIENCE, to_tomorrow, until_told
from tests.web.api.routes.test_sending import notification, person
from tests.web.house import Api


async def until(api: Api, path: str, count: int) -> list[dict[str, Any]]:
    """What is told there, once it is as much."""
    _, said = await until_told(
        lambda: api.call("GET", path),
        lambda told: told[0] == 200 and len(told[1]) >= count,
        pause=0.1,
    )
    return list(said)


async def test_a_notifications_timeline_and_a_users_day(api: Api) -> None:
    await asyncio.sleep(to_tomorrow(within=PATIENCE))
    user = await person(api, categories={"comments": {"push": False}})
    said = await api.done("POST", "/v1/notifications", notification(user))
    name = said["notifications"][user]
    path = f"/v1/notifications/{name}"
    told = await until(api, path, 4)
    stages = {(row.get("channel"), row["stage"], row.get("reason", "")) for row in told}
    assert stages >= {
        ("inapp", "queued", ""),
        ("inapp", "sent", ""),
        ("push", "suppressed", "opted_out"),
    }
    assert [row["at"] for row in told] == sorted(row["at"] for row in told)
    assert (await api.call("GET", path, key="globex"))[0] == 404
    day = await until(api, f"/v1/users/{user}/day", 5)
    # Beside it stands what they left, which is of no notification.
    assert {row["notification_id"] for row in day} == {"", name}
    (gone,) = [row for row in day if not row["notification_id"]]
    assert (gone["stage"], gone["channel"], gone["detail"]) == ("unsubscribed", "push", "api")
    assert await api.done("GET", f"/v1/users/{user}/day", params={"date": "2020-01-01"}) == []
    assert await api.done("GET", f"/v1/users/{user}/day", key="globex") == []
    export = await api.done("GET", f"/v1/users/{user}/export")
    assert export["known"]["contacts"]["email"] == f"{user}@example.com"
    assert [item["notification_id"] for item in export["inbox"]] == [name]
    assert [row for row in export["happenings"] if row["notification_id"]] == told
    others = await api.done("GET", f"/v1/users/{user}/export", key="globex")
    assert (others["inbox"], others["happenings"]) == ([], [])
    environment = api.house.environment
    for arguments in (["timeline", name], ["day", "--user", user]):
        run = await asyncio.to_thread(
            CliRunner(env=environment).invoke, tocsin, [*arguments, "--tenant", "acme", "--json"]
        )
        assert run.exit_code == 0, run.output
        shown = [json.loads(line) for line in run.output.splitlines()]
        assert [row for row in shown if row["notification_id"]] == told
    asked = {"by": "address", "what": f" {user.upper()}@example.com", "days": 2}
    row, left = await api.done("GET", "/v1/notifications", params=asked)
    assert (row["notification_id"], row["user"], row["state"]) == (name, user, "sent")
    assert "push: opted out" in row["why"]
    assert (left["state"], left["why"]) == ("unsubscribed", "comments on push, by api")
    for by, what in (("user", user), ("notification", name), ("event", row["event_id"])):
        arguments = ["find", what, "--by", by, "--tenant", "acme"]
        runner = CliRunner(env=environment)
        run = await asyncio.to_thread(runner.invoke, tocsin, [*arguments, "--json"])
        shown = [json.loads(line) for line in run.output.splitlines()]
        assert shown == ([row, left] if by == "user" else [row]), run.output
        run = await asyncio.to_thread(runner.invoke, tocsin, arguments)
        assert "opted out" in run.output
    others = await api.done("GET", "/v1/notifications", params=asked, key="globex")
    assert others == []


async def test_dead_letters_are_listed_and_sent_again(api: Api) -> None:
    user = unique("user")
    producer = AIOKafkaProducer(bootstrap_servers=api.house.kafka.address)
    await producer.start()
    await producer.send_and_wait("contacts", b"{not json", user.encode())
    await producer.stop()
    (letter,) = await until_told(
        lambda: api.done("GET", "/v1/dead-letters", params={"topic": "contacts"}), bool
    )
    assert letter["reason"] == "undecodable"
    path = f"/v1/dead-letters/{letter['id']}/replay"
    assert await api.done("POST", path) == {"replayed": 1, "gone": 0}
    assert (await api.call("POST", "/v1/dead-letters/none/replay"))[0] == 404


async def test_an_erased_user_is_nowhere_and_may_come_back(api: Api) -> None:
    user = await person(api, categories={"comments": {"push": False}})
    said = await api.done("POST", "/v1/notifications", notification(user))
    await until(api, f"/v1/notifications/{said['notifications'][user]}", 4)
    assert (await api.call("DELETE", f"/v1/users/{user}", key="sender"))[0] == 403
    await api.done("DELETE", f"/v1/users/{user}", key="globex")
    erased = await api.done("DELETE", f"/v1/users/{user}")
    known = await api.done("GET", f"/v1/users/{user}", params={"after": erased["position"]})
    assert "email" not in known["contacts"]
    assert not known.get("preferences", {}).get("categories")
    await until_told(
        lambda: api.done("GET", f"/v1/users/{user}/export"),
        lambda export: (export["inbox"], export["happenings"]) == ([], []),
        pause=0.1,
    )
    await api.done("PUT", f"/v1/users/{user}/contacts", {"email": f"{user}@example.com"})
    again = await api.done("POST", "/v1/notifications", notification(user))
    assert await until(api, f"/v1/notifications/{again['notifications'][user]}", 1)


async def test_figures_are_by_the_minute_for_as_long_as_minutes_are_kept(api: Api) -> None:
    for days, step in ((13, 60), (15, 3600)):
        start = datetime.now(UTC) - timedelta(days=days)
        span = {"from": start.isoformat(), "to": (start + timedelta(hours=2)).isoformat()}
        assert (await api.done("GET", "/v1/figures/volume", params=span))["step"] == step
