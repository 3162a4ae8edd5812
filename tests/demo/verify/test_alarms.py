"""An on-call ladder that is judged: each call that is due has come, and nothing else has."""

from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from demo.dataset.world import World
from demo.produce.producer_log import Claim, Claims
from demo.verify.alarms import CALLED, WAITING
from demo.verify.evidence import Evidence, Excuse
from demo.verify.findings import Findings
from demo.verify.judge import judge
from embedded.simulators.accept_log import Accepted, data_digest_of, digest_of
from policy.identity import notification_id
from schemas.vocabulary import Channel
from tests.demo.verify.town import AT, MINUTE, SPECS

WORLD = World(
    ("ann", "bo", "cy", "di"),
    {
        "ann": {"devices": [{"token": "a"}], "phone": "+491", "zone": "UTC", "locale": "de-DE"},
        "bo": {"devices": [], "phone": "+492", "zone": "UTC", "locale": "en-GB"},
        "cy": {"devices": [{"token": "c"}], "zone": "UTC", "locale": "en-GB"},
        "di": {"devices": [], "zone": "UTC", "locale": "en-GB"},
    },
    {},
    followers={},
)
DATA = {"incident_id": "i", "title": "No orders", "url": "https://s.example/i"}
PUSHED = {"incident_id": "i", "url": "https://s.example/i"}
ANN = ("Störung: No orders", "Bestätigen Sie i, sonst wird jemand anderes gerufen.", PUSHED)
CY = ("Incident: No orders", "Acknowledge i, or the next person is told.", PUSHED)
CALLS = [
    # From the comments in the catalogue: an SMS 2 minutes after the push, and both again after 6,
    # 10 and 14; after 18, whoever is next. Bo has no device, so his SMS does not wait for one.
    *((minute, "ann", Channel.PUSH, "a", ANN) for minute in (0, 6, 10, 14)),
    *((m, "ann", Channel.SMS, "+491", ("", "Störung i: No orders", {})) for m in (2, 6, 10, 14)),
    *((m, "bo", Channel.SMS, "+492", ("", "Incident i: No orders", {})) for m in (18, 22, 26, 30)),
    *((minute, "cy", Channel.PUSH, "c", CY) for minute in (36, 42, 46, 50)),
]


def claim(name: str, kind: str, at: int, **data: object) -> Claim:
    moment = datetime.fromtimestamp(at / 1000, UTC).isoformat()
    return Claim(id=name, type=kind, actor="monitor", occurred_at=moment, at=at, data=data)


OPENED = claim(
    "e", "incident.opened", AT, **DATA, on_call="ann", backup="bo", manager=["ann", "cy"]
)


def named(user: str) -> str:
    return notification_id("default", "e", user, "on_call")


def accepted() -> list[Accepted]:
    return [
        Accepted(
            at=(AT + minute * MINUTE) / 1000 + 0.5,
            provider="any",
            channel=channel,
            notification_id=named(user),
            delivery_id=f"{user}{channel}{minute}",
            address=address,
            title=title,
            digest=digest_of(body),
            reference="",
            data=data_digest_of(data),
        )
        for minute, user, channel, address, (title, body, data) in CALLS
    ]


def row(user: str, channel: str, reason: str, stage: str = "suppressed") -> Excuse:
    return Excuse(
        notification_id=named(user),
        event_id="e",
        user=user,
        type="on_call",
        category="incidents",
        priority="critical",
        channel=channel,
        stage=stage,
        reason=reason,
    )


def whole() -> Evidence:
    return Evidence(ended_at=AT + 60 * MINUTE, partitions=1, accepted=accepted())


def found(evidence: Evidence, *more: Claim, opened: Claim = OPENED) -> Findings:
    events = {each.id: each for each in (opened, *more)}
    return judge(WORLD, SPECS, Claims(events=events), evidence)


def faults(evidence: Evidence, *more: Claim, opened: Claim = OPENED) -> dict[str, int]:
    all_of_them = found(evidence, *more, opened=opened).faults()
    return {kind: len(cases) for kind, cases in all_of_them.items() if cases}


def test_a_ladder_that_was_climbed_as_it_should_be() -> None:
    verdict = found(whole())
    assert verdict.is_right, verdict.faults()
    assert verdict.checked[CALLED] == len(CALLS)
    assert verdict.decisions == 3
    assert verdict.sent == {"push": 8, "sms": 8}
    assert verdict.latencies == {"critical": [500.0]}


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_each_call_that_is_missing_early_or_late_is_found(number: int) -> None:
    good = whole()
    rest = [each for at, each in enumerate(good.accepted) if at != number]
    assert faults(replace(good, accepted=rest))["lost"]
    for minutes in (-1.5, 1.5):
        moved = msgspec.structs.replace(
            good.accepted[number], at=good.accepted[number].at + minutes * 60
        )
        assert faults(replace(good, accepted=[*rest, moved])) == {"lost": 1, "unexpected": 1}


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"title": "Incident: No orders"}, "wrong content"),
        ({"digest": digest_of("x")}, "wrong content"),
        ({"address": "c"}, "lost"),
        ({"notification_id": named("cy")}, "lost"),
    ],
)
def test_a_call_to_another_person_or_in_other_words_is_found(
    change: dict[str, str], kind: str
) -> None:
    good = whole()
    first = msgspec.structs.replace(good.accepted[0], **change)
    assert kind in faults(replace(good, accepted=[first, *good.accepted[1:]]))


def test_nobody_is_called_twice_for_one_step() -> None:
    good = whole()
    assert faults(replace(good, accepted=[*good.accepted, good.accepted[3]])) == {"unexpected": 1}


def test_the_answer_of_anybody_ends_it_for_all() -> None:
    """Bo answered after 20 minutes: his second call, and all of Cy's, are to stay out."""
    answer = claim("a", "incident.acknowledged", AT + 20 * MINUTE, incident_id="i")
    good = whole()
    before = [each for each in good.accepted if each.at * 1000 < answer.at]
    ended = replace(
        good,
        accepted=before,
        excuses=[row("bo", "sms", "cancelled"), row("cy", "push", "scheduled", "held")],
    )
    assert found(ended, answer).is_right
    assert faults(good, answer) == {"unexpected": len(good.accepted) - len(before)}
    late = replace(ended, held={(named("bo"), "sms"): {AT + 22 * MINUTE}})
    assert faults(late, answer) == {"unexpected": 1}
    other = claim("a", "incident.acknowledged", AT + 20 * MINUTE, incident_id="j")
    assert faults(ended, other)["lost"]


def test_what_is_still_to_come_is_stored_for_then() -> None:
    """Half an hour after it was opened, Bo's last call and Cy's turn are to come."""
    good = whole()
    now = AT + 29 * MINUTE
    waits = {(named("bo"), "sms"): {AT + 30 * MINUTE}, (named("cy"), "push"): {AT + 36 * MINUTE}}
    half = replace(
        good,
        ended_at=now,
        accepted=[each for each in good.accepted if each.at * 1000 < now],
        excuses=[row("cy", "push", "scheduled", "held")],
        held=waits,
    )
    verdict = found(half)
    assert verdict.is_right, verdict.faults()
    assert verdict.checked[WAITING] == 1
    assert faults(replace(half, held={})) == {"lost": 1}
    wrong = waits | {(named("cy"), "push"): {AT + 31 * MINUTE}}
    assert faults(replace(half, held=wrong)) == {"unexpected": 1}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (row("ann", "sms", "rate_limited"), "unexcused"),
        (row("ann", "sms", "quiet_hours", "held"), "unexcused"),
        (row("ann", "sms", "scheduled", "held"), "unexcused"),
        (replace(row("ann", "sms", "escalation", "held"), user="bo"), "unexcused"),
    ],
)
def test_reasons_that_no_alarm_has_are_found(said: Excuse, kind: str) -> None:
    assert faults(replace(whole(), excuses=[said])) == {kind: 1}
    fine = [row("ann", "sms", "escalation", "held"), row("bo", "push", "no_address")]
    assert found(replace(whole(), excuses=fine)).is_right


def test_a_step_that_reaches_nobody_waits_for_its_time_all_the_same() -> None:
    """Cy has no phone: after two minutes that is found."""
    opened = claim("e", "incident.opened", AT, **DATA, on_call="cy")
    first = msgspec.structs.replace(accepted()[-4], at=AT / 1000)
    waits = Evidence(
        ended_at=AT + MINUTE,
        partitions=1,
        accepted=[first],
        held={(named("cy"), "sms"): {AT + 2 * MINUTE}},
    )
    verdict = found(waits, opened=opened)
    assert verdict.is_right, verdict.faults()
    assert verdict.checked[WAITING] == 1


def test_of_whom_nothing_can_reach_something_is_said() -> None:
    opened = claim("e", "incident.opened", AT, **DATA, on_call="di")
    nothing = Evidence(ended_at=AT + 60 * MINUTE, partitions=1)
    assert faults(nothing, opened=opened) == {"lost": 1}
    said = [row("di", channel, "no_address") for channel in ("push", "sms")]
    assert found(replace(nothing, excuses=said), opened=opened).is_right
