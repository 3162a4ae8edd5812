"""What each rule looked at, in words, for whoever asks why somebody was told or not."""

from typing import Any

import pytest
from msgspec.structs import replace

from policy.decision.builder import Draft, draft_of
from policy.decision.rule_explanations import (
    counted,
    shown_addresses,
    shown_digest,
    shown_mutes,
    shown_needless,
    shown_preferences,
    shown_presence,
    shown_quiet_hours,
)
from policy.digest.windows import DigestWindow
from policy.notification_type import NotificationType
from policy.time.wall_clock import EVERY_DAY
from policy.user.profile import Profile
from policy.user.state import UserState
from policy.user.suppression_reason import Barred
from policy.user.tenant import Tenant
from schemas.vocabulary import Channel, Frequency, SuppressionReason
from tests.policy.person import kind
from tests.policy.samples import HOUR, NOON, request

MINUTE = 60_000
PUSH, EMAIL, SMS = Channel.PUSH, Channel.EMAIL, Channel.SMS


def draft(
    channel: Channel = PUSH,
    spec: NotificationType | None = None,
    tenant: Tenant | None = None,
    **profile: Any,
) -> Draft:
    """A draft that looks at this channel of a type."""
    spec = spec or kind("", "push email sms inapp")
    state = UserState(Profile(**profile), tenant=tenant or Tenant())
    made = draft_of("n", request(), spec, state, NOON, NOON, NOON, NOON + HOUR)
    plan = spec.plan_of(channel)
    assert plan is not None
    made.look_at(plan)
    return made


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [
        (0, "device", "no devices"),
        (1, "device", "1 device"),
        (2, "device", "2 devices"),
        (0, "inbox", "no inboxes"),
        (1, "inbox", "1 inbox"),
        (2, "e-mail address", "2 e-mail addresses"),
    ],
)
def test_numbers_in_words(number: int, noun: str, text: str) -> None:
    assert counted(number, noun) == text


GONE = Barred(PUSH, "a", SuppressionReason.UNREGISTERED, 1)


@pytest.mark.parametrize(
    ("channel", "profile", "text"),
    [
        (PUSH, {}, "no devices"),
        (PUSH, {"devices": ("a", "b")}, "2 devices"),
        (PUSH, {"devices": ("a", "b"), "suppressed": ("a",)}, "2 devices, 1 suppressed"),
        (
            PUSH,
            {"devices": ("a", "b"), "suppressed": ("b",), "barred": (GONE,)},
            "2 devices, 2 suppressed (unregistered)",
        ),
        (EMAIL, {"email": "a@x"}, "1 e-mail address"),
        (SMS, {"phone": "+49"}, "1 phone number"),
        (Channel.INAPP, {}, "1 inbox"),
    ],
)
def test_addresses(channel: Channel, profile: dict[str, Any], text: str) -> None:
    assert shown_addresses(draft(channel, **profile)) == text


ON, OFF = {PUSH: True}, {PUSH: False}


@pytest.mark.parametrize(
    ("channel", "profile", "tenant", "text"),
    [
        (PUSH, {}, {}, "not set; on by default"),
        (SMS, {}, {}, "not set; off by default"),
        (PUSH, {"channels": OFF}, {}, "user: off for the channel; on by default"),
        (PUSH, {"categories": {"things": ON}}, {}, "user: on for things; on by default"),
        (PUSH, {"categories": {"other": ON}}, {}, "not set; on by default"),
        (EMAIL, {"channels": OFF}, {}, "not set; on by default"),
        (
            PUSH,
            {"channels": ON, "categories": {"things": OFF}},
            {"channels": OFF},
            "user: off for things and on for the channel; tenant: off for the channel; "
            "on by default",
        ),
        (
            PUSH,
            {"subscriptions": {"things": {PUSH: 5}}, "channels": ON},
            {},
            "unsubscribed from things; user: on for the channel; on by default",
        ),
        (PUSH, {"subscriptions": {"things": {PUSH: -5}}}, {}, "not set; on by default"),
    ],
)
def test_preferences(
    channel: Channel, profile: dict[str, Any], tenant: dict[str, Any], text: str
) -> None:
    assert shown_preferences(draft(channel, tenant=Tenant(**tenant), **profile)) == text


def test_mutes() -> None:
    looked_at = draft(mutes={"things/a": 0, "things/b": 0})
    assert shown_mutes(looked_at, "a") == "about things/a; 2 topics muted"
    assert shown_mutes(looked_at, "") == "no topic named; 2 topics muted"
    assert shown_mutes(draft(), "a") == "about things/a; no topics muted"


def test_channels_that_come_first() -> None:
    spec = kind('fallback = { sms = ["push", "email"] }', "push email sms")
    looked_at = draft(SMS, spec)
    assert shown_needless(looked_at) == ("stands by: push does not go out, email does not go out")
    looked_at.sent, looked_at.waits = (EMAIL,), (PUSH,)
    assert shown_needless(looked_at) == "stands by: push waits, email goes out"


@pytest.mark.parametrize(
    ("window", "key", "text"),
    [
        (None, (), "does not gather"),
        (None, ("order",), "does not gather"),
        (DigestWindow(length=10 * MINUTE), (), "gathers for 10m"),
        (DigestWindow(length=HOUR), ("order", "id"), "gathers for 1h, by order.id"),
        (
            DigestWindow(pause=2 * MINUTE, longest=HOUR),
            (),
            "gathers until nothing comes for 2m, 1h at most",
        ),
        (DigestWindow(times=(485, 1110)), (), "gathers until 08:05 or 18:30"),
        (DigestWindow(times=(0,), days=0b100_0001), (), "gathers until 00:00 on Mon Sun"),
        (DigestWindow(times=(1439,), days=0), (), "gathers until 23:59"),
    ],
)
def test_digests(window: DigestWindow | None, key: tuple[str, ...], text: str) -> None:
    looked_at = draft()
    looked_at.plan = replace(looked_at.plan, digest=window, digest_key=key)
    assert (
        shown_digest(looked_at, Frequency.INSTANTLY) == f"things wanted instantly; the type {text}"
    )
    said = f"things wanted daily, all of it in one message; the type {text}"
    assert shown_digest(looked_at, Frequency.DAILY) == said
    looked_at.closing = True
    assert shown_digest(looked_at, Frequency.DAILY) == "this is the digest"


SPAN = (EVERY_DAY, 1325, 420)


@pytest.mark.parametrize(
    ("profile", "tenant", "text"),
    [
        # The first of March 2026 is a Sunday.
        ({}, {}, "Sun 12:00 in UTC; quiet never"),
        ({"zone": "Asia/Kathmandu"}, {}, "Sun 17:45 in Asia/Kathmandu; quiet never"),
        (
            {"zone": "Pacific/Auckland", "quiet_hours": (SPAN,)},
            {},
            "Mon 01:00 in Pacific/Auckland; quiet 22:05 to 07:00",
        ),
        (
            {"quiet_hours": (SPAN, (0b010_0010, 60, 61))},
            {"quiet_hours": ((EVERY_DAY, 0, 1),)},
            "Sun 12:00 in UTC; quiet 22:05 to 07:00, 01:00 to 01:01 on Tue Sat",
        ),
        (
            {},
            {"quiet_hours": (SPAN,)},
            "Sun 12:00 in UTC; quiet 22:05 to 07:00 by the tenant",
        ),
        (
            {"zone": "Mars/Base"},
            {"zone": "Europe/Berlin"},
            "Sun 13:00 in Europe/Berlin, as 'Mars/Base' is no known zone; quiet never",
        ),
        (
            {"snoozed_until": NOON + 1000},
            {},
            "Sun 12:00 in UTC; quiet never; snoozed until 2026-03-01T12:00:01Z",
        ),
        ({"snoozed_until": NOON}, {}, "Sun 12:00 in UTC; quiet never"),
    ],
)
def test_quiet_hours(profile: dict[str, Any], tenant: dict[str, Any], text: str) -> None:
    assert shown_quiet_hours(draft(tenant=Tenant(**tenant), **profile)) == text


@pytest.mark.parametrize(
    ("profile", "text"),
    [
        ({}, "unknown: push comes first"),
        ({"left_at": NOON - HOUR}, "offline: push comes first"),
        ({"online": {"app": NOON}}, "offline: push comes first"),
        (
            {"online": {"app": NOON + 1000, "web": NOON + 2000}},
            "online, 2026-03-01T12:00:02Z at the latest: inapp comes first",
        ),
    ],
)
def test_presence(profile: dict[str, Any], text: str) -> None:
    spec = kind("", "push inapp")
    (step,) = spec.steps
    both = replace(step, online_plans=step.plans[::-1])
    assert shown_presence(draft(spec=replace(spec, steps=(both,)), **profile)) == text
