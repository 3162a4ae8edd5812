"""What Twilio signs: the URL, and of a form all fields with all their values."""

import base64
import hmac
from urllib.parse import urlencode

import msgspec
import pytest

from policy.tracking.provider_report import Kind
from tests.web.reports.signatures.verifying import FIELDS, NOW, REFUSED, verified
from tests.web.signing import (
    SCHEMES,
    SETTINGS,
    URL,
)
from web.reports.incoming import Incoming


@pytest.mark.parametrize("change", ["", "&x=1"])
async def test_twilio_signs_the_url_alone_where_it_calls_by_get(change: str) -> None:
    """https://www.twilio.com/docs/usage/security: of a GET, the full URL with its query."""
    url = f"{URL}/webhooks/twilio?ticket=t&{urlencode(FIELDS)}&Body=STOP"
    signature = base64.b64encode(hmac.digest(b"twilio token", url.encode(), "sha1")).decode()
    incoming = Incoming(
        method="GET",
        url=url + change,
        headers={"X-Twilio-Signature": signature},
        body=(url + change).partition("?")[2].encode(),
    )
    assert await verified("twilio", incoming) == (REFUSED if change else "")
    found = SCHEMES["twilio"].reporter(SETTINGS).parse(incoming, NOW)
    assert [(each.kind, each.address) for each in found] == [(Kind.STOP, "+4930123456")]


@pytest.mark.parametrize(("header", "said"), [("X-Twilio-Signature", ""), ("X-Signature", REFUSED)])
async def test_twilio_signs_a_field_with_all_its_values(header: str, said: str) -> None:
    url = f"{URL}/webhooks/twilio?ticket=t"
    # By https://www.twilio.com/docs/usage/security: the URL, then each name and value, sorted.
    text = f"{url}EmptyFrom4930123456TextSTOPTwiceaTwiceb"
    digest = hmac.digest(b"twilio token", text.encode(), "sha1")
    signature = base64.b64encode(digest).decode()
    incoming = Incoming(
        method="POST", url=url, headers={header: signature}, body=urlencode(FIELDS).encode()
    )
    assert await verified("twilio", incoming) == said
    fewer = msgspec.structs.replace(incoming, body=urlencode(FIELDS[:3]).encode())
    assert await verified("twilio", fewer) == REFUSED
