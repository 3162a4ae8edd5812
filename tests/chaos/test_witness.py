"""Faults planted in front of the judge of the chaos tests: each must be found."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from demo.produce.producer_log import Claims
from demo.verify.evidence import Evidence
from demo.verify.expected.type_spec import read_type_specs
from demo.verify.findings import Findings
from demo.verify.judge import expected_of
from embedded.local_stack import CATALOGUE
from embedded.simulators.accept_log import Accepted, data_digest_of, digest_of
from policy.identity import delivery_id
from schemas.vocabulary import Channel
from tests.chaos.findings import Finding, judged
from tests.chaos.script import Script, quiet_hours
from tests.chaos.witness import Key, Output, collapse, wasted_calls

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT = 1_772_366_400_000
SCRIPT = Script("plant", 50, NOW)
EVENTS = [SCRIPT.claim(number, NOW.isoformat(), AT) for number in range(50)]
CLAIMS = Claims({event.id: event for event in EVENTS})


@dataclass
class Scene:
    """What providers accepted of the orders, which concern nobody's wishes."""

    lines: list[Accepted]

    def change(self, channel: str, **fields: Any) -> None:
        """Alter the first line of a channel."""
        at = next(n for n, line in enumerate(self.lines) if line.channel == channel)
        self.lines[at] = msgspec.structs.replace(self.lines[at], **fields)

    def first(self, channel: str) -> Accepted:
        """The first line of a channel."""
        return next(line for line in self.lines if line.channel == channel)

    def judge(self) -> Findings:
        """The verdict on the orders alone."""
        events = {name: it for name, it in CLAIMS.events.items() if it.type == "order.shipped"}
        evidence = Evidence(ended_at=AT + 60_000, partitions=1, accepted=self.lines)
        return judged(SCRIPT.world, replace(CLAIMS, events=events), evidence)


def _orders() -> Scene:
    lines = []
    for it in expected_of(SCRIPT.world, read_type_specs(CATALOGUE), CLAIMS):
        if it.spec.name != "order_shipped":
            continue
        name, number = it.claim.data["order_id"], it.claim.data["tracking_number"]
        contacts = SCRIPT.world.contacts[it.user]
        beside = data_digest_of({"order_id": name, "tracking_number": number})
        push = (f"DHL has picked up order {name}.", "Your order is on its way", beside)
        body = f"Good news: order {name} has left our warehouse.\n\n"
        mail = (f"{body}Carrier: DHL\nTracking number: {number}", f"Order {name} is on its way", "")
        text = (f"Order {name} is on its way: DHL {number}", "", "")
        told = [(Channel.PUSH, device["token"], push) for device in contacts["devices"]]
        told += [(Channel.EMAIL, contacts["email"], mail), (Channel.SMS, contacts["phone"], text)]
        lines += [
            Accepted(
                at=AT / 1000 + 1,
                provider="x",
                channel=channel,
                notification_id=it.id,
                delivery_id=delivery_id(it.id, channel, address),
                address=address,
                title=title,
                digest=digest_of(body),
                reference=f"{it.id}-{channel}-{address}",
                data=data,
            )
            for channel, address, (body, title, data) in told
        ]
    return Scene(lines)


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Everything as it should be, and nobody in quiet hours."""
    world = replace(SCRIPT.world, preferences={})
    monkeypatch.setitem(SCRIPT.__dict__, "world", world)
    return _orders()


def test_nothing_planted_nothing_found(scene: Scene) -> None:
    assert scene.judge().is_right
    assert len(scene.lines) == 60


PLANTS: dict[str, tuple[Callable[[Scene], object], str]] = {
    "dropped": (lambda scene: scene.lines.pop(0), "lost"),
    "twice": (lambda scene: scene.lines.append(scene.lines[0]), "duplicates"),
    "push: wrong body": (lambda scene: scene.change("push", digest="0" * 16), "wrong content"),
    "push: wrong title": (lambda scene: scene.change("push", title="Bo"), "wrong content"),
    "push: wrong data": (lambda scene: scene.change("push", data="0" * 16), "wrong content"),
    "e-mail: wrong body": (lambda scene: scene.change("email", digest="0" * 16), "wrong content"),
    "e-mail: wrong title": (lambda scene: scene.change("email", title="Bo"), "wrong content"),
    "SMS: wrong text": (lambda scene: scene.change("sms", digest="0" * 16), "wrong content"),
    "a day late": (lambda scene: scene.change("push", at=AT / 1000 + 86_401), "late"),
    "before its event": (lambda scene: scene.change("push", at=AT / 1000 - 9), "unexpected"),
    "another's address": (
        lambda scene: scene.change("sms", address=scene.lines[-1].address),
        "unexpected",
    ),
    "an SMS to a stranger, under an unknown id": (
        lambda scene: scene.lines.append(
            msgspec.structs.replace(
                scene.first("sms"),
                notification_id="f" * 32,
                delivery_id="f" * 32,
                address="+15005550001",
            )
        ),
        "unexpected",
    ),
    "a second push to the same person, under another id": (
        lambda scene: scene.lines.append(
            msgspec.structs.replace(scene.first("push"), delivery_id="f" * 32)
        ),
        "duplicates",
    ),
}


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_fault_is_found(scene: Scene, name: str) -> None:
    plant, kind = PLANTS[name]
    plant(scene)
    assert scene.judge().faults()[kind]


def _finding(**fields: Any) -> Finding:
    ends = ("sent", "opted_out", "held", "quiet_hours", "rate_limited", "offline")
    finding = Finding(
        world=SCRIPT.world,
        claims=CLAIMS,
        evidence=Evidence(ended_at=AT, partitions=1),
        findings=Findings(slots=Counter(ends)),
        wasted_calls=0,
        outputs=collapse([]),
        waits=[1.0] * 100,
        settled_after=1.0,
    )
    return replace(finding, **fields)


def _faulty(kind: str) -> Findings:
    found = _finding().findings
    getattr(found, kind).append("one")
    return found


def test_a_run_in_order_is_let_pass() -> None:
    _finding().assert_all_arrived()
    again = Evidence(ended_at=AT, partitions=1, accepted=[_call("d", "one"), _call("d", "two")])
    _finding(findings=_faulty("duplicates"), evidence=again).assert_all_arrived()


@pytest.mark.parametrize(
    "fields",
    [
        {"outputs": collapse([Output("id", Key("e", "u", "push"), "t-0", b"")])},
        {"findings": Findings(slots=Counter(["sent"]))},
        *(
            {"findings": _faulty(kind)}
            for kind in ("lost", "unexpected", "wrong_content", "late", "unexcused", "duplicates")
        ),
    ],
)
def test_a_run_out_of_order_is_not(fields: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        _finding(**fields).assert_all_arrived()


def test_most_messages_must_be_out_soon_after_healing() -> None:
    _finding(waits=[1.0] * 95 + [61.0] * 5).assert_soon_after_healing()
    with pytest.raises(AssertionError):
        _finding(waits=[1.0] * 94 + [61.0] * 6).assert_soon_after_healing()


def test_each_dropped_acceptance_is_one_loss(scene: Scene) -> None:
    for at in range(len(scene.lines)):
        rest = Scene(scene.lines[:at] + scene.lines[at + 1 :])
        assert len(rest.judge().lost) == 1


def _call(delivery: str, reference: str) -> Accepted:
    line = _orders().lines[0]
    return msgspec.structs.replace(line, delivery_id=delivery, reference=reference)


def test_a_call_with_many_messages_is_wasted_once() -> None:
    batch = [_call(f"d{number}", "batch") for number in range(5)]
    again = [_call(f"d{number}", f"call-{number}") for number in range(5)]
    assert wasted_calls(again) == 0
    assert wasted_calls([*batch, *again]) == 1
    assert wasted_calls([*again, *batch]) == 5


def test_a_doubled_line_counts_though_it_names_the_same_call() -> None:
    assert wasted_calls([_call("d", "one"), _call("d", "one")]) == 1


def _output(number: int = 0, value: bytes = b"{}", name: str = "") -> Output:
    return Output(name or f"id-{number}", Key("event", f"user-{number}", "push"), "topic-0", value)


def test_repeats_of_the_decider_are_counted_and_collapse() -> None:
    collapsed = collapse([_output(0), _output(1), _output(0), _output(0)])
    assert (collapsed.ids, collapsed.repeats) == (2, 2)
    assert not collapsed.altered and not collapsed.doubled


def test_an_id_with_two_contents_is_found() -> None:
    assert collapse([_output(0), _output(0, b"[]")]).altered == {"id-0"}


def test_a_message_with_two_ids_is_found() -> None:
    assert collapse([_output(0), _output(0, name="other")]).doubled == {_output(0).key}


def test_somebody_is_in_each_situation() -> None:
    world = Script("town", 4000, NOW).world
    wishes = list(world.preferences.values())
    assert sum("categories" in wish for wish in wishes) > 5
    assert sum("quiet_hours" in wish for wish in wishes) > 5
    assert len(world.unsubscribed) > 5
    follows = [follow["follower"] for follow in world.follows()]
    assert follows.count("town-fan-of-all") == len(world.followers) == 101


def test_quiet_hours_hold_the_present() -> None:
    assert quiet_hours(NOW) == {"start": "11:00", "end": "16:00"}
    late = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    assert quiet_hours(late) == {"start": "22:30", "end": "03:30"}


def test_the_script_says_the_same_each_time_and_every_event_once() -> None:
    again = Script("plant", 50, NOW)
    assert [again.event(n, "t") for n in range(50)] == [SCRIPT.event(n, "t") for n in range(50)]
    assert len({json.loads(SCRIPT.event(n, "t")[2])["id"] for n in range(50)}) == 50
