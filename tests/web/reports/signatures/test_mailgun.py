"""Mailgun's signature, of a time and a token that counts once."""

import hmac
from hashlib import sha256

import msgspec
import pytest

from tests.web.reports.signatures.verifying import NOW, REFUSED, verified
from tests.web.signing import (
    SCHEMES,
    SETTINGS,
    URL,
    mailgun,
)
from web.reports.incoming import BadSignature, Incoming


async def test_mailgun_takes_a_token_once_until_it_is_released_or_long_past() -> None:
    reporter = SCHEMES["mailgun"].reporter(SETTINGS)
    window = SETTINGS.report_window
    assert window == 300
    first, other = (
        mailgun({"event": "x", "timestamp": 1}, NOW, ""),
        mailgun({"event": "y", "timestamp": 1}, NOW + 1000, ""),
    )
    await reporter.verify(first, NOW)
    await reporter.verify(other, NOW)
    for incoming in (first, other):
        with pytest.raises(BadSignature, match="its token was used before"):
            await reporter.verify(incoming, NOW + 1)
    reporter.release(first)  # type: ignore[attr-defined]
    await reporter.verify(first, NOW + 2)
    with pytest.raises(BadSignature, match="its token was used before"):
        await reporter.verify(other, NOW + 2)
    reporter.release(mailgun({"event": "z", "timestamp": 1}, NOW + 5000, ""))  # type: ignore[attr-defined]
    # What was signed ahead by all of the window may come again for two of them.
    ahead = mailgun({"event": "a", "timestamp": 1}, NOW + 1000 * window, "")
    await reporter.verify(ahead, NOW)
    with pytest.raises(BadSignature, match="its token was used before"):
        await reporter.verify(ahead, NOW + 2 * 1000 * window - 1)
    # Twice the window after it was seen, its signature has ended whatever clocks say.
    with pytest.raises(BadSignature, match="signed too long ago"):
        await reporter.verify(first, NOW + 2 + 2 * 1000 * window)


async def test_mailguns_token_is_kept_for_as_long_as_its_signature_is_taken() -> None:
    """At most twice the window: it may be signed that much ahead by our clock."""
    reporter = SCHEMES["mailgun"].reporter(SETTINGS)
    ahead = mailgun({"event": "x", "timestamp": 1}, NOW + 300_000, "")
    await reporter.verify(ahead, NOW)
    with pytest.raises(BadSignature, match="its token was used before"):
        await reporter.verify(ahead, NOW + 600_000)
    with pytest.raises(BadSignature, match="signed too long ago"):
        await reporter.verify(ahead, NOW + 600_001)


@pytest.mark.parametrize(
    ("timestamp", "said"),
    [
        ("1795000000", ""),
        ("", "it has no time"),
        ("soon", "it has no time"),
        ("-5", "it has no time"),
    ],
)
async def test_mailguns_signature_is_of_a_time_and_a_token(timestamp: str, said: str) -> None:
    def request(signature: str) -> Incoming:
        signed = {"timestamp": timestamp, "token": "tok", "signature": signature}
        body = {"signature": signed, "event-data": {"event": "x", "timestamp": 1}}
        return Incoming(method="POST", url=URL, headers={}, body=msgspec.json.encode(body))

    good = hmac.new(b"mailgun key", f"{timestamp}tok".encode(), sha256).hexdigest()
    assert await verified("mailgun", request(good)) == said
    assert await verified("mailgun", request("0" * 64)) == REFUSED
    assert await verified("mailgun", request("é")) == REFUSED
