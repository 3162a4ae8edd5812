import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from analytics.panels import PANELS
from bench.analytics.analytics import AnalyticsFound
from bench.analytics.questions import QuestionsFound
from bench.analytics.stored import TABLES
from bench.contestants.equipment import Equipment
from bench.contestants.work import work
from bench.decide.decide import Decide
from bench.decide.restore import Restore, state
from bench.decide.workload import TYPE, profile, record_number, requests, user_name
from bench.gateway.gateway import GatewayFound
from bench.intake.intake import IntakeFound
from bench.report import (
    analytics_table,
    decide_table,
    gateway_table,
    intake_table,
    poison_table,
    questions_table,
    restore_table,
    sinks_table,
)
from bench.sinks.poison import Poison
from bench.sinks.sinks import Sinks
from bench.vendors import VENDORS
from policy.user.profile import Profile
from schemas.delivery import Delivery
from schemas.delivery_event import DeliveryEvent
from schemas.request import Request
from schemas.vocabulary import Reason
from sinks.registry import PROVIDERS
from tables.followers import FOLLOWERS
from tables.storage.table import checker
from tables.users import LEDGERS, PROFILES

ROOT = Path(__file__).parent.parent.parent


def bench(*options: str, **environment: str) -> dict[str, object]:
    command = [sys.executable, "-m", "bench", *options, "--json"]
    env = {**os.environ, **environment}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    found: dict[str, object] = json.loads(line)
    return found


def decided(count: int) -> tuple[list[bytes], list[DeliveryEvent]]:
    """Deliveries and events of the first requests, on state kept in a dict."""
    now = datetime.now(UTC)
    encode = msgspec.msgpack.Encoder().encode
    ledgers: dict[str, bytes] = {}
    deliveries: list[bytes] = []
    events: list[DeliveryEvent] = []
    for user, value in requests(count, now):
        request = msgspec.json.decode(value, type=Request)
        assert request.user == user
        outcome = work(request, encode(profile(int(user[-6:]))), ledgers.get(user))
        ledgers[user] = outcome.ledger or ledgers[user]
        deliveries += outcome.deliveries
        events += [msgspec.json.decode(event, type=DeliveryEvent) for event in outcome.events]
    return deliveries, events


def test_requests_are_the_same_however_many() -> None:
    now = datetime.now(UTC)
    assert list(requests(300, now)) == list(requests(1000, now))[:300]


def test_every_request_makes_one_event_and_every_reason_is_met() -> None:
    deliveries, events = decided(20_000)
    reasons = Counter(event.reason for event in events)
    assert len(events) == 20_000
    assert reasons[Reason.NONE] == len(deliveries)
    assert set(reasons) == {
        Reason.NONE,
        Reason.DUPLICATE,
        Reason.OPTED_OUT,
        Reason.NO_ADDRESS,
        Reason.RATE_LIMITED,
    }
    assert min(reasons.values()) > 20


def test_deliveries_tell_the_record_that_they_come_from() -> None:
    deliveries, _ = decided(50)
    numbers = [record_number(msgspec.json.decode(d, type=Delivery).event_id) for d in deliveries]
    assert numbers == sorted(numbers)
    assert numbers[-1] < 50


def test_profiles_fit_the_type() -> None:
    assert TYPE.users == ("customer_id",)
    assert isinstance(profile(7), Profile)
    assert profile(0).devices == ()
    assert user_name(7) == "user-000007"


def test_restored_state_is_what_the_tables_hold() -> None:
    entries = dict(state(100))
    check = checker(PROFILES, LEDGERS, FOLLOWERS)
    for key, value in entries.items():
        check(key, value)
    assert len(entries) == 100


def test_restore_prints_its_figures() -> None:
    found = bench("restore", "--records", "2000", "--pairs", "1")
    assert found.keys() == set(Restore.__struct_fields__)
    restored = msgspec.convert(found, Restore)
    assert restored.stock_faust > 0
    assert restored.equipment == {
        name: Equipment("uvloop", (50_000, 20, 100))
        for name in ("tocsin_recovery", "faust_recovery")
    }
    assert restore_table(restored).row_count == 2


def test_sinks_prints_its_figures() -> None:
    found = bench("sinks", "--calls", "100", "--pairs", "2")
    sinks = msgspec.convert(found, Sinks).sinks
    assert sinks.keys() == PROVIDERS.keys()
    # 64 calls of the one that carries most were compared, message by message.
    assert {name: sink.compared for name, sink in sinks.items() if sink.compared} == {
        **dict.fromkeys(VENDORS, 64),
        **dict.fromkeys(("mailgun", "postmark", "resend", "sendgrid"), 6400),
        "ses": 3200,
    }
    assert min(sink.ours.calls_per_second for sink in sinks.values()) > 0
    bounded = {name for name, sink in sinks.items() if sink.bounded}
    assert bounded == ({"smtp"} if shutil.which("node") else {"apns", "smtp"})
    assert sinks_table(Sinks(sinks)).row_count == 2 * len(sinks) + len(VENDORS)


def test_poison_prints_its_figures_for_every_provider() -> None:
    found = msgspec.convert(bench("poison", "--seconds", "1", "--pairs", "1"), Poison)
    assert found.providers.keys() == PROVIDERS.keys()
    assert found.median_ratio > 0
    for each in found.providers.values():
        assert (each.good, each.bad) == (2 * 27, 3)
        assert (each.opened, each.not_sent) == (0, 0)
        assert 0 < each.with_poison.p50_ms <= each.with_poison.p99_ms
    assert poison_table(found).row_count == len(PROVIDERS)


@pytest.mark.chaos
def test_gateway_prints_its_figures_and_why_none_of_centrifugo() -> None:
    options = ("--sockets", "20", "--rate", "50", "--seconds", "2", "--pairs", "2")
    figures = msgspec.convert(bench("gateway", *options, PATH=""), GatewayFound)
    assert (figures.arrived, figures.missing) == (100, 0)
    assert figures.centrifugo is None
    assert "no `go`" in figures.centrifugo_left_out
    assert gateway_table(figures).row_count == 6


@pytest.mark.chaos
@pytest.mark.skipif(shutil.which("go") is None, reason="Centrifugo is built with Go")
def test_gateway_prints_centrifugos_figures() -> None:
    options = ("--sockets", "20", "--rate", "1000", "--seconds", "1", "--pairs", "1")
    figures = msgspec.convert(bench("gateway", *options), GatewayFound)
    assert figures.centrifugo is not None
    assert figures.centrifugo.version.startswith("v")
    assert figures.centrifugo.tried.keys() == {"centrifugo", "tocsin"}
    assert gateway_table(figures).row_count == 10


@pytest.mark.chaos
def test_decide_prints_its_figures() -> None:
    found = bench("decide", "--records", "2000", "--pairs", "1")
    assert found.keys() == set(Decide.__struct_fields__)
    decided_alike = msgspec.convert(found, Decide)
    assert decided_alike.same_decisions_on == 300  # of 500, the first that all have in full
    tuned = (50_000, 20, 100)
    assert decided_alike.equipment == {
        **dict.fromkeys(("tocsin", "aiokafka", "faust"), Equipment("uvloop", tuned)),
        "quix": Equipment("no event loop", tuned),
    }
    assert decide_table(decided_alike).row_count == 4


@pytest.mark.chaos
def test_questions_print_their_figures() -> None:
    """It compares what the views say with what was put in, too."""
    found = bench("questions", "--rows", "20000")
    figures = msgspec.convert(found, QuestionsFound, strict=False)
    assert figures.took.keys() == figures.stored.keys() == {2000, 20000}
    assert {len(questions) for questions in figures.took.values()} == {4 + 2 * len(PANELS)}
    assert {len(tables) for tables in figures.stored.values()} == {len(TABLES)}
    assert questions_table(figures).row_count == 4 + 2 * len(PANELS) + len(TABLES)


@pytest.mark.chaos
def test_analytics_prints_its_figures() -> None:
    found = bench("analytics", "--rows", "100000", "--pairs", "1")
    assert found.keys() == set(AnalyticsFound.__struct_fields__)
    assert analytics_table(msgspec.convert(found, AnalyticsFound)).row_count == 3 + len(TABLES)


@pytest.mark.chaos
def test_intake_prints_its_figures() -> None:
    found = bench("intake", "--records", "4000", "--pairs", "1", "--seconds", "2")
    figures = msgspec.convert(found, IntakeFound)
    assert figures.forms.keys() == {"json", "avro"}
    assert {loop for form in figures.forms.values() for loop in form.bare} == {
        "aiokafka",
        "batched",
    }
    assert figures.added.records == 200
    assert figures.equipment["intake"] == figures.equipment["rekey"]
    assert intake_table(figures).row_count == 6
