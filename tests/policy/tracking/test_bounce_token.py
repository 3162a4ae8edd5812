"""The address that a mail's bounces go to: short enough, and of nobody's making but ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.tracking.bounce_token import BOUNCE, LENGTH, read_token, token_of
from policy.tracking.reference import Reference
from schemas.vocabulary import Channel
from tests.sinks.requests.recorder import delivery

KEY = b"a key to sign with"
ADA = delivery(Channel.EMAIL, "ada@example.com", expires_at=1_795_000_000_000)
TOKEN = token_of(ADA, 7, KEY)


def test_it_fits_into_an_address() -> None:
    """64 characters before the @ (RFC 5321, 4.5.3.1.1)."""
    assert len(BOUNCE) + len(TOKEN) <= 64
    assert len(TOKEN) == LENGTH
    assert TOKEN.isalnum()
    assert TOKEN.lower() == TOKEN


def test_it_says_where_the_ticket_is() -> None:
    # 1,795,000,000,000 ms are 20,775 days and some hours.
    assert read_token(TOKEN, KEY) == Reference(ADA.delivery_id, 7, 20_775)


@pytest.mark.parametrize("written", [str.lower, str.upper, str.title])
def test_servers_may_lose_its_case(written: object) -> None:
    assert callable(written)
    assert read_token(written(TOKEN), KEY) == read_token(TOKEN, KEY)


@given(
    st.integers(0, (1 << 128) - 1), st.integers(0, 4095), st.integers(0, (1 << 24) * 86_400_000 - 1)
)
def test_any_is_read_again(number: int, partition: int, ends: int) -> None:
    said = delivery(Channel.EMAIL, "a@b.c", number, expires_at=ends, notification_id="0" * 32)
    found = read_token(token_of(said, partition, KEY), KEY)
    assert found == Reference(said.delivery_id, partition, ends // 86_400_000)


def test_nobody_else_can_issue_one() -> None:
    assert read_token(TOKEN, b"another key") is None
    assert read_token(token_of(ADA, 7, b""), b"") is None
    for place in range(LENGTH - 1):  # of the last character three bits are none of it
        other = "b" if TOKEN[place] == "a" else "a"
        assert read_token(TOKEN[:place] + other + TOKEN[place + 1 :], KEY) is None


@pytest.mark.parametrize(
    "text", ["", "a" * LENGTH, TOKEN[:-1], TOKEN + "a", "1" * LENGTH, "ä" * 53]
)
def test_what_is_none_is_none(text: str) -> None:
    assert read_token(text, KEY) is None
