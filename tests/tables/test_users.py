"""Profiles and ledgers, under tenant and user."""

from hypothesis import given
from hypothesis import strategies as st

from policy.user.ledger import Ledger, Waiting
from policy.user.profile import Profile
from schemas.vocabulary import Channel, Stage
from tables.storage.table import key_of, parts_of
from tables.users import LEDGERS, PROFILES, user_key
from tests.tables.stored import bytes_read_again, known, read, written

names = st.text(max_size=5)
NOTHING_KNOWN = [[], "", "", "", "", [], {}, {}, [], {}, 0, {}, 0, {}, None, {}, [], {}, [], [],
                 None, {}, {}]  # fmt: skip


def test_a_profile_is_stored_as_the_last_release_stores_it() -> None:
    ann = Profile(devices=("ios:x",), email="a@example.com", channels={Channel.SMS: False})
    plain = [["ios:x"], "a@example.com", "", "", "", [], {"sms": False}, *NOTHING_KNOWN[7:]]
    assert known(written(PROFILES, ann), plain) == {b"pkey": plain}
    assert read(PROFILES, b"p", plain) == ann
    assert read(PROFILES, b"p", plain[:7]) == ann


def test_a_ledger_is_stored_as_the_last_release_stores_it() -> None:
    ledger = Ledger(b"m" * 47, waiting={"n.0": Waiting(5)}, heard={b"h" * 8: Stage.SEEN})
    plain = [b"m" * 47, {}, {"n.0": [5, None, [], False]}, {}, {b"h" * 8: "seen"}]
    assert known(written(LEDGERS, ledger), plain) == {b"lkey": plain}
    assert read(LEDGERS, b"l", plain) == ledger
    full = Ledger(b"m" * 47, spilled_until=7)
    assert written(LEDGERS, full) == {b"lkey": [b"m" * 47, {}, {}, {}, {}, {}, 7]}
    assert read(LEDGERS, b"l", plain[:3]) == Ledger(b"m" * 47, waiting={"n.0": Waiting(5)})


def test_of_whom_nothing_is_said_the_defaults_hold() -> None:
    assert read(PROFILES, b"p", []) == Profile()
    assert read(LEDGERS, b"l", []) == Ledger()


@given(names, names, names, names)
def test_a_user_has_one_key_whoever_asks_and_however_often(
    tenant: str, user: str, other: str, name: str
) -> None:
    assert parts_of(user_key(tenant, user)) == [tenant, user]
    assert (user_key(tenant, user) == user_key(other, name)) == ((tenant, user) == (other, name))
    # What is kept for a user elsewhere begins with it.
    assert key_of(tenant, user, name).startswith(user_key(tenant, user))


async def test_who_was_decided_for_lately_is_at_hand() -> None:
    assert await bytes_read_again(PROFILES, Profile(email="a@example.com")) == 0
    assert await bytes_read_again(LEDGERS, Ledger(b"m" * 47)) == 0
