"""Addresses with a scheme: whatever a platform calls a device, it can be told whose it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.contact.address import BARE, SCHEMES, push_address, split_address
from schemas.profile import Device

FCM_TOKEN = "dZ9x:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx"


@given(st.sampled_from(SCHEMES), st.text(min_size=1, max_size=50))
def test_a_scheme_and_its_token_come_back(scheme: str, token: str) -> None:
    device = Device(token=token, platform=scheme)  # type: ignore[arg-type]
    assert split_address(push_address(device)) == (scheme, token)


@pytest.mark.parametrize("address", [FCM_TOKEN, "ada@example.com", "+4930123456", "", "x:y", "web"])
def test_what_has_no_scheme_stands_bare(address: str) -> None:
    assert split_address(address) == (BARE, address)


def test_fcm_tokens_stand_as_they_are() -> None:
    assert push_address(Device(token=FCM_TOKEN)) == FCM_TOKEN
