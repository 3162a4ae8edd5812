"""Addresses that must not be used: from when until when, and what says so."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from policy.decision.decide import decide
from policy.identity import delivery_id
from policy.user.ledger import Ledger
from policy.user.profile import Profile
from policy.user.state import UserState
from policy.user.suppression import (
    MOST_BARRED,
    unregistered,
    usable,
    why_barred,
    with_bar,
    with_stop,
    with_suppression,
)
from policy.user.suppression_reason import NO_END, Barred
from schemas.feedback import Stop, Suppression
from schemas.vocabulary import Channel, Reason, SuppressionReason
from tests.policy.samples import EVERYWHERE, NOON, request, variant

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ADDRESS = "ann@example.com"
ANN = Profile(email=ADDRESS)


def moment(at: int) -> datetime:
    return EPOCH + timedelta(milliseconds=at)


def report(at: int = 10, **fields: Any) -> Suppression:
    """A hard bounce at so many milliseconds, unless it is said to be something else."""
    said: dict[str, Any] = {
        "user": "ann",
        "channel": Channel.EMAIL,
        "reason": SuppressionReason.HARD_BOUNCE,
        "address": ADDRESS,
        "at": moment(at),
    }
    return Suppression(**{**said, **fields})


def bar(at: int = 10, until: int = NO_END, **fields: Any) -> Barred:
    """What is stored of it."""
    said: dict[str, Any] = {
        "channel": Channel.EMAIL,
        "address": ADDRESS,
        "reason": SuppressionReason.HARD_BOUNCE,
    }
    return Barred(**{**said, **fields}, at=at, until=until)


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        (report(), bar()),
        (report(until=moment(50)), bar(until=50)),
        # An end at the very beginning of time is an end, and not NO_END.
        (report(until=moment(0)), bar(until=1)),
        (report(lifted=True), bar(until=10)),
        (report(0, lifted=True), bar(0, until=1)),
        (report(lifted=True, until=moment(50)), bar(until=10)),
        (report(reason=SuppressionReason.COMPLAINT), bar(reason=SuppressionReason.COMPLAINT)),
        (report(address="old@example.com"), bar(address="old@example.com")),
        (
            report(channel=Channel.SMS, address="+49", reason=SuppressionReason.STOP),
            bar(channel=Channel.SMS, address="+49", reason=SuppressionReason.STOP),
        ),
    ],
)
def test_what_a_report_bars(said: Suppression, stored: Barred) -> None:
    profile = with_suppression(ANN, said)
    assert profile == msgspec.structs.replace(ANN, barred=(stored,))
    assert with_suppression(profile, said) is profile, "told again, it is no news"


@pytest.mark.parametrize(
    ("message", "said", "barred"),
    [
        (ADDRESS, "ANN@EXAMPLE.COM", ADDRESS),
        ("was@example.com", "was@example.com", "was@example.com"),
        ("was@example.com", "Was@example.com", "Was@example.com"),
        (ADDRESS, "", ADDRESS),
        ("was@example.com", "", None),
    ],
)
def test_an_address_is_found_by_its_message_however_the_provider_writes_it(
    message: str, said: str, barred: str | None
) -> None:
    name = "0" * 32
    found = with_suppression(
        ANN,
        report(
            address=said,
            notification_id=name,
            delivery_id=delivery_id(name, Channel.EMAIL, message),
        ),
    )
    assert [each.address for each in found.barred] == ([barred] if barred else [])


def test_a_report_that_names_nobody_bars_nothing() -> None:
    assert with_suppression(ANN, report(address="")) is ANN


@pytest.mark.parametrize(
    ("before", "told", "after"),
    [
        (bar(10), bar(20), [bar(20)]),
        (bar(20), bar(10), [bar(20)]),
        (bar(20), bar(20), [bar(20)]),
        # Of the same moment, what is told last counts.
        (bar(20), bar(20, until=90), [bar(20, until=90)]),
        # Each reason, address and channel has a bar of its own.
        (
            bar(20),
            bar(10, reason=SuppressionReason.COMPLAINT),
            [bar(10, reason=SuppressionReason.COMPLAINT), bar(20)],
        ),
        (bar(20), bar(30, address="b@x"), [bar(20), bar(30, address="b@x")]),
        (bar(20), bar(30, channel=Channel.PUSH), [bar(20), bar(30, channel=Channel.PUSH)]),
    ],
)
def test_the_later_bar_of_the_same_kind_counts(
    before: Barred, told: Barred, after: list[Barred]
) -> None:
    assert list(with_bar(Profile(barred=(before,)), told).barred) == after


def test_of_very_many_bars_the_newest_are_kept() -> None:
    assert MOST_BARRED == 100
    profile = Profile()
    for at in range(101, 0, -1):
        profile = with_bar(profile, bar(at, address=f"{at}@x"))
    assert [each.at for each in profile.barred] == list(range(2, 102))


@pytest.mark.parametrize(
    ("said", "stored"),
    [
        (Stop(phone="+49", at=moment(10)), bar(10)),
        (Stop(phone="+49", at=moment(10), stopped=False), bar(10, until=10)),
        (Stop(phone="+49", at=moment(0), stopped=False), bar(0, until=1)),
    ],
)
def test_stop_bars_a_number_until_start(said: Stop, stored: Barred) -> None:
    found = with_stop(Profile(phone="+49"), said).barred
    kind: dict[str, Any] = {
        "channel": Channel.SMS,
        "address": "+49",
        "reason": SuppressionReason.STOP,
    }
    assert found == (msgspec.structs.replace(stored, **kind),)


@pytest.mark.parametrize(
    ("barred", "now", "is_usable"),
    [
        (bar(), 1 << 50, False),
        (bar(until=50), 49, False),
        (bar(until=50), 50, True),
        (bar(address="b@x"), 20, True),
        (bar(channel=Channel.PUSH), 20, True),
    ],
)
def test_a_bar_holds_until_its_end(barred: Barred, now: int, is_usable: bool) -> None:
    profile = Profile(email=ADDRESS, barred=(barred,))
    assert usable(profile, Channel.EMAIL, (ADDRESS,), now) == ((ADDRESS,) if is_usable else ())
    assert bool(why_barred(profile, Channel.EMAIL, (ADDRESS,), now)) is not is_usable


def test_one_bar_of_several_is_enough_and_each_reason_is_said_once() -> None:
    barred = (
        bar(until=5),
        bar(address="b@x"),
        bar(reason=SuppressionReason.COMPLAINT, until=86_400_000),
        bar(address="c@x"),
    )
    profile = Profile(barred=barred)
    known = (ADDRESS, "free@x", "b@x", "c@x")
    assert usable(profile, Channel.EMAIL, known, 5) == ("free@x",)
    said = why_barred(profile, Channel.EMAIL, known, 5)
    assert said == "complaint until 1970-01-02T00:00:00Z, hard_bounce"
    assert why_barred(profile, Channel.EMAIL, ("free@x",), 5) == ""


@pytest.mark.parametrize(
    ("channel", "address", "reason"),
    [
        (Channel.SMS, "gone", SuppressionReason.STOP),
        (Channel.PUSH, "gone", SuppressionReason.UNREGISTERED),
        (Channel.CHAT, "telegram:7", SuppressionReason.UNREGISTERED),
        (Channel.CHAT, "whatsapp:+4915112345", SuppressionReason.STOP),
    ],
)
def test_what_a_provider_says_is_gone_is_remembered_of_that_address(
    channel: Channel, address: str, reason: SuppressionReason
) -> None:
    decision = decide(request(), variant(), UserState(EVERYWHERE, Ledger()), NOON)
    told = msgspec.structs.replace(
        decision.deliveries[0], channel=channel, address=address, user="bob", tenant="acme"
    )
    assert unregistered(told, NOON) == Suppression(
        user="bob",
        tenant="acme",
        channel=channel,
        reason=reason,
        at=moment(NOON),
        address=address,
        accepted_at=told.accepted_at,
    )


@pytest.mark.parametrize(
    ("until", "sent"),
    [(NO_END, ["tablet"]), (NOON + 1, ["tablet"]), (NOON, ["phone", "tablet"])],
)
def test_what_is_barred_is_not_decided_to_be_used(until: int, sent: list[str]) -> None:
    gone = bar(
        5, until, channel=Channel.PUSH, address="phone", reason=SuppressionReason.UNREGISTERED
    )
    profile = msgspec.structs.replace(EVERYWHERE, barred=(gone,))
    decision = decide(request(), variant(), UserState(profile, Ledger()), NOON)
    assert [d.address for d in decision.deliveries if d.channel is Channel.PUSH] == sent


def test_where_all_is_barred_it_says_what_bars_it() -> None:
    barred = tuple(
        bar(5, NO_END, channel=Channel.PUSH, address=device, reason=SuppressionReason.UNREGISTERED)
        for device in EVERYWHERE.devices
    )
    profile = msgspec.structs.replace(EVERYWHERE, barred=barred)
    decision = decide(request(), variant(), UserState(profile, Ledger()), NOON)
    (found,) = [each for each in decision.outcomes if each.channel is Channel.PUSH]
    assert (found.reason, found.detail) == (Reason.SUPPRESSED_ADDRESS, "unregistered")
