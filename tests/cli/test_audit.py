"""Whoever looks at others' data by a command is on record before the command shows any."""

import asyncio
import getpass
import json
import socket
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from analytics.clickhouse import ClickHouse
from analytics.erasure import hash_of
from cli.audit import login_of, whose
from cli.main import tocsin
from embedded.kafka import Kafka
from embedded.process import free_port
from pipeline.kafka.topic_reading import read_newest
from pipeline.settings import Settings
from schemas.audit import Audit
from schemas.errors import BadInput, NotPermitted, WrongUsage
from schemas.naming import LONGEST_NAME, is_name
from schemas.topics import AUDIT
from tests.agents.line import PARTITIONS
from tests.agents.names import unique

HERE = f"shell:{login_of(getpass.getuser(), {})}@{socket.gethostname()}"
TENANT = "acme"
SOURCE = """
event = "erp.shipped"
[types.shipped]
time_to_live = "2h"
category = "orders"
priority = "high"
channels = ["push"]
users = "who"
templates.push = { body = "x" }
[sources.erp]
topics = ["nowhere.erp"]
into = "events"
[sources.erp.set]
type = "erp.shipped"
actor = "{{ shop }}"
"""


async def newest(kafka: str, count: int) -> list[Audit]:
    """The last that were put on record by a shell, the first of these first."""
    records = await read_newest(Settings(kafka=kafka).brokers, [AUDIT.name], 1000)
    found = [msgspec.json.decode(each.value or b"", type=Audit) for each in records]
    return [each for each in found if each.who.startswith("shell:")][-count:]


async def test_each_command_that_shows_or_sends_others_data_is_on_record(
    kafka_with_topics: Kafka, database: ClickHouse, tmp_path: Path
) -> None:
    settings, user = database._settings, unique("ada")
    event = {"id": "e", "type": "nothing.like.it", "actor": "shop", "tenant": TENANT, "data": {}}
    event["occurred_at"] = "2026-03-14T12:00:00Z"
    (tmp_path / "event.json").write_text(json.dumps(event))
    hashed = hash_of(TENANT, user)
    as_tenant = ("--tenant", TENANT)
    found = {
        ("day", "--user", user, *as_tenant): ("looked up", TENANT, hashed, ""),
        ("find", user, *as_tenant): ("looked up", TENANT, hashed, ""),
        ("find", "a@b.c", "--by", "address", *as_tenant): ("looked up", TENANT, "", ""),
        ("timeline", "n1", *as_tenant): ("looked up", TENANT, "", "n1"),
        ("export", "funnel", "--to", str(tmp_path / "f.parquet")): (
            *("exported", "default", "", "funnel"),
        ),
        ("dead-letters", "list", "--topic", "nowhere"): ("looked up", "default", "", ""),
        ("dead-letters", "show", "none"): ("looked up", "default", "", "none"),
        ("dead-letters", "replay", "--topic", "nowhere"): ("replayed", "default", "", ""),
        ("explain", "--event", str(tmp_path / "event.json"), "--user", user): (
            *("looked up", TENANT, hashed, ""),
        ),
        ("sources", "infer", "nowhere"): ("looked up", "default", "", "nowhere"),
        ("reconcile", "--from", "1h"): ("looked up", "default", "", ""),
        ("analyst", "ann_of_finance", *as_tenant): ("granted", TENANT, "", "ann_of_finance"),
        ("keys", "create", "shop", *as_tenant): ("granted", TENANT, "", "shop"),
        ("keys", "subscriber-secret", *as_tenant): ("granted", TENANT, "", ""),
        ("sources", "try", "erp"): ("looked up", "default", "", "erp"),
        ("sources", "replay", "erp", "--from", "1h", "--dry-run"): (
            *("looked up", "default", "", "erp"),
        ),
        ("sources", "replay", "erp", "--from", "1h"): ("replayed", "default", "", "erp"),
    }
    (tmp_path / "erp.toml").write_text(SOURCE)
    environment = {
        "TOCSIN_CATALOGUE": str(tmp_path),
        "TOCSIN_API_KEYS": str(tmp_path / "keys"),
        "TOCSIN_SIGNING_KEY": "s" * 32,
        "TOCSIN_WEB_PORT": str(free_port()),
        "TOCSIN_KAFKA": kafka_with_topics.address,
        "TOCSIN_PARTITIONS": str(PARTITIONS),
        "TOCSIN_CLICKHOUSE_PORT": str(settings.clickhouse_port),
        "TOCSIN_CLICKHOUSE_DATABASE": settings.clickhouse_database,
    }
    for argv in found:
        done = await asyncio.to_thread(CliRunner(env=environment).invoke, tocsin, argv)
        # Of some of these nothing is stored, which shows only once it was looked for.
        may_end = WrongUsage | BadInput | NotPermitted | SystemExit | None
        assert isinstance(done.exception, may_end), (argv, done.exception)
    rows = await newest(kafka_with_topics.address, len(found))
    said = [(each.deed, each.tenant, each.user_hash, each.thing) for each in rows]
    assert dict(zip(found, said, strict=True)) == found
    assert [each.route for each in rows] == [
        *("tocsin day", "tocsin find", "tocsin find", "tocsin timeline", "tocsin export"),
        *("tocsin dead-letters list", "tocsin dead-letters show", "tocsin dead-letters replay"),
        "tocsin explain",
        *("tocsin sources infer", "tocsin reconcile", "tocsin analyst", "tocsin keys create"),
        *("tocsin keys subscriber-secret", "tocsin sources try", "tocsin sources replay"),
        "tocsin sources replay",
    ]
    assert {each.who for each in rows} == {HERE}
    assert user not in str(rows)


async def test_what_needs_nobodys_data_is_not(kafka_with_topics: Kafka) -> None:
    before = await newest(kafka_with_topics.address, 1)
    await asyncio.to_thread(
        CliRunner(env={"TOCSIN_KAFKA": kafka_with_topics.address}).invoke,
        tocsin,
        ["explain", "--event", "schemas/examples/events.json", "--user", "ann", "--offline"],
    )
    assert await newest(kafka_with_topics.address, 1) == before


@pytest.mark.parametrize(
    ("login", "principal", "who"),
    [
        ("ada", "", "shell:ada@desk-1"),
        ("ada", "tocsin", "shell:ada@desk-1 as tocsin"),
        (login_of("root", {"SUDO_USER": "ada"}), "", "shell:ada by root@desk-1"),
        (login_of("root", {}), "", "shell:root@desk-1"),
        ("a\nb", "", "shell:ab@desk-1"),
    ],
)
def test_who_it_was(login: str, principal: str, who: str) -> None:
    assert whose(login, "desk-1", principal) == who
    assert is_name(who)


def test_who_it_was_is_a_name_however_long() -> None:
    assert len(whose("a" * 300, "desk", "tocsin")) == LONGEST_NAME
