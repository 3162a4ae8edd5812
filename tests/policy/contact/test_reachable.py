"""Contacts as they are kept, and what bars an address that is written another way now."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from policy.contact.reachable import plain, usable_contacts, with_rewritten
from policy.user.profile import Profile
from policy.user.suppression import usable, with_suppression
from policy.user.suppression_reason import Barred
from schemas.feedback import Suppression
from schemas.profile import Contacts, Device
from schemas.vocabulary import Channel, SuppressionReason

NOW = 1_795_000_000_000
IDN, PUNYCODE = "ada@bücher.example", "ada@xn--bcher-kva.example"
WITH_1, WITHOUT = "+5215512345678", "+525512345678"


def test_addresses_are_kept_in_one_way() -> None:
    said = Contacts(
        user="ada", email=f" {IDN}", phone="+52 1 55 1234 5678", suppressed=(IDN, WITH_1, "token")
    )
    kept = Contacts(
        user="ada", email=PUNYCODE, phone=WITHOUT, suppressed=(PUNYCODE, WITHOUT, "token")
    )
    assert usable_contacts(said, ()) == (kept, None)


def test_what_is_blank_is_as_absent_and_what_is_plain_stays() -> None:
    blank = Contacts(user="ada", email="  ", phone="")
    assert usable_contacts(blank, ()) == (Contacts(user="ada"), None)
    for said in (Contacts(user="ada"), Contacts(user="ada", email=PUNYCODE, phone=WITHOUT)):
        assert usable_contacts(said, ())[0] is said


@pytest.mark.parametrize(
    ("field", "address"),
    [("email", "a@x,b@y"), ("email", "not-an-email"), ("phone", "015112345"), ("phone", "call me")],
)
def test_what_is_no_address_is_left_out_and_told_and_the_others_stay(
    field: str, address: str
) -> None:
    good = Contacts(user="ada", email=PUNYCODE, phone=WITHOUT, devices=(Device(token="t"),))
    kept, wrong = usable_contacts(replace(good, **{field: address}), ())
    assert kept == replace(good, **{field: None})
    assert wrong is not None
    assert str(wrong).startswith(f"invalid: {field} is no ")
    assert address not in str(wrong)


def test_all_that_is_wrong_is_told_at_once() -> None:
    kept, wrong = usable_contacts(Contacts(user="ada", email="x", phone="y"), ())
    assert kept == Contacts(user="ada")
    assert wrong is not None
    assert wrong.detail.startswith("email is no ")
    assert "; phone is no " in wrong.detail


def test_only_e_mail_and_numbers_have_several_ways() -> None:
    assert plain(Channel.EMAIL, IDN) == PUNYCODE
    assert plain(Channel.SMS, WITH_1) == WITHOUT
    for channel, address in ((Channel.PUSH, IDN), (Channel.EMAIL, "odd"), (Channel.SMS, "odd")):
        assert plain(channel, address) == address


@pytest.mark.parametrize(
    ("channel", "field", "old", "new"),
    [(Channel.SMS, "phone", WITH_1, WITHOUT), (Channel.EMAIL, "email", IDN, PUNYCODE)],
)
def test_what_barred_an_address_bars_it_as_it_is_written_now(
    channel: Channel, field: str, old: str, new: str
) -> None:
    others = (
        Barred(Channel.PUSH, old, SuppressionReason.UNREGISTERED, NOW),
        Barred(channel, "x", SuppressionReason.STOP, NOW),
    )
    bars = (Barred(channel, old, SuppressionReason.STOP, NOW), *others)
    before = replace(Profile(barred=bars), **{field: old})
    after = with_rewritten(before, replace(before, **{field: new}))
    assert usable(after, channel, (new,), NOW + 1) == ()
    assert after.barred[1:] == others
    # Another address is another one.
    elsewhere = replace(before, **{field: "+4915112345"})
    assert with_rewritten(before, elsewhere) is elsewhere
    assert with_rewritten(before, before) is before


@pytest.mark.parametrize("kept", [IDN, PUNYCODE])
@pytest.mark.parametrize("said", [IDN, PUNYCODE])
def test_a_report_bars_the_address_however_it_writes_it(kept: str, said: str) -> None:
    """Also where it was kept before there was one way."""
    report = Suppression(
        user="ada",
        channel=Channel.EMAIL,
        reason=SuppressionReason.UNREGISTERED,
        at=datetime.fromtimestamp(NOW / 1000, UTC),
        address=said,
    )
    profile = with_suppression(Profile(email=kept), report)
    assert usable(profile, Channel.EMAIL, (kept,), NOW + 1) == ()
