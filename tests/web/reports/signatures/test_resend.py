"""Resend's signature, by the scheme of Standard Webhooks."""

import base64
import hmac
from hashlib import sha256

import pytest

from tests.web.reports.signatures.verifying import REFUSED, verified
from tests.web.signing import (
    URL,
)
from web.reports.incoming import Incoming, Malformed


def svix(given: str, time: str = "1795000000", name: str = "msg_1") -> Incoming:
    headers = {"svix-id": name, "svix-timestamp": time, "svix-signature": given}
    return Incoming(method="POST", url=URL, headers=headers, body=b'{"a": 1}')


GOOD = (
    "v1,"
    + base64.b64encode(hmac.digest(b"resend secret", b'msg_1.1795000000.{"a": 1}', sha256)).decode()
)


@pytest.mark.parametrize(
    ("incoming", "said"),
    [
        (svix(GOOD), ""),
        (svix(f"v1,AAAA {GOOD}"), ""),  # while a secret is changed there are two
        (svix(f"v1a,{GOOD[3:]}"), REFUSED),
        (svix(GOOD[3:]), REFUSED),
        (svix("v1,"), REFUSED),
        (svix("v1,\udcff"), REFUSED),
        (svix(GOOD, time="1795000001"), REFUSED),
        (svix(GOOD, name="msg_2"), REFUSED),
        (svix(GOOD, time=""), "not signed"),
        (svix(GOOD, time="-1"), "not signed"),
        (svix(GOOD, time="\u0661"), "not signed"),
        (svix(GOOD, name=""), "not signed"),
        (svix(""), "not signed"),
    ],
)
async def test_resends_signature(incoming: Incoming, said: str) -> None:
    assert await verified("resend", incoming) == said


async def test_resends_time_that_no_calendar_holds() -> None:
    with pytest.raises(Malformed):
        await verified("resend", svix(GOOD, time="9" * 30))
