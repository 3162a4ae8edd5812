"""Plivo's two signatures, and every part of them that can be wrong."""

import base64
import hmac
from hashlib import sha256
from urllib.parse import urlencode

import msgspec
import pytest
from plivo.utils.signature_v3 import construct_post_url, get_signature_v3

from tests.web.reports.signatures.verifying import FIELDS, NOW, REFUSED, verified
from tests.web.signing import (
    SCHEMES,
    SETTINGS,
    URL,
)
from web.reports.incoming import BadSignature, Incoming

PLIVO = f"{URL}/webhooks/plivo?ticket=t"

GROUPED = {"Text": "STOP", "From": "4930123456", "Twice": ["b", "a"], "Empty": ""}

TOKEN = "plivo token"


def plivo(headers: dict[str, str], url: str = PLIVO) -> Incoming:
    body = urlencode(FIELDS).encode()
    return Incoming(method="POST", url=url, headers=headers, body=body)


def second(url: str = PLIVO, nonce: str = "12345", token: str = TOKEN) -> str:
    """Plivo's V2: HMAC-SHA256 of the URL without its query, and the nonce."""
    text = url.partition("?")[0] + nonce
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), sha256)).decode()


def third(nonce: str = "nonce", token: str = TOKEN) -> str:
    base = construct_post_url(PLIVO, GROUPED)
    signature = get_signature_v3(token, base.decode(), nonce)
    return signature.decode() if isinstance(signature, bytes) else str(signature)


V2, V2_NONCE = "X-Plivo-Signature-V2", "X-Plivo-Signature-V2-Nonce"

V3, V3_NONCE = "X-Plivo-Signature-V3", "X-Plivo-Signature-V3-Nonce"


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({V2: second(), V2_NONCE: "12345"}, ""),
        ({V3: third(), V3_NONCE: "nonce"}, ""),
        # Of several signatures one must be ours: tokens change.
        ({V3: f"AAAA,{third()}", V3_NONCE: "nonce"}, ""),
        ({V2: second(nonce="1"), V2_NONCE: "12345"}, REFUSED),
        ({V2: second(token="x"), V2_NONCE: "12345"}, REFUSED),
        ({V2: second(f"{URL}/webhooks/other"), V2_NONCE: "12345"}, REFUSED),
        ({V2: second(nonce=""), V2_NONCE: ""}, REFUSED),
        ({V2: second(nonce="")}, REFUSED),
        ({V2: "", V2_NONCE: "12345"}, REFUSED),
        ({V2_NONCE: "12345"}, REFUSED),
        ({V3: third("x"), V3_NONCE: "nonce"}, REFUSED),
        ({V3: third(token="x"), V3_NONCE: "nonce"}, REFUSED),
        ({V3: third()}, REFUSED),
        # The third counts where it is there, whatever the second says.
        ({V3: "AAAA", V3_NONCE: "nonce", V2: second(), V2_NONCE: "12345"}, REFUSED),
        ({}, REFUSED),
        *(({V2: second(), V2_NONCE: "12345", name: "é"}, "the signature is none")
          for name in (V2, V2_NONCE, V3, V3_NONCE)),
    ],
)  # fmt: skip
async def test_plivos_two_signatures(headers: dict[str, str], said: str) -> None:
    assert await verified("plivo", plivo(headers)) == said


def test_the_second_signature_is_the_librarys() -> None:
    from plivo.utils import validate_signature

    assert validate_signature(PLIVO, "12345", second(), "plivo token")


@pytest.mark.parametrize(
    "headers", [{V2: second(), V2_NONCE: "12345"}, {V3: third("12345"), V3_NONCE: "12345"}]
)
async def test_a_signature_of_plivos_counts_once_whatever_it_is_said_to_be_of(
    headers: dict[str, str],
) -> None:
    """The second signs neither fields nor a time: whoever saw one could say STOP for anybody."""
    reporter = SCHEMES["plivo"].reporter(SETTINGS)
    await reporter.verify(plivo(headers), NOW)
    other = msgspec.structs.replace(plivo({V2: second(), V2_NONCE: "12345"}), body=b"Text=STOP")
    for again in (plivo(headers), other):
        with pytest.raises(BadSignature, match="used before"):
            await reporter.verify(again, NOW + 86_400_000)
    # What could not be stored may come again, once.
    reporter.release(plivo(headers))  # type: ignore[attr-defined]
    await reporter.verify(plivo(headers), NOW)
    with pytest.raises(BadSignature, match="used before"):
        await reporter.verify(plivo(headers), NOW)
    reporter.release(plivo({V2_NONCE: "unknown"}))  # type: ignore[attr-defined]


async def test_of_many_nonces_of_plivos_the_newest_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("web.reports.plivo.MOST_NONCES", 2)
    reporter = SCHEMES["plivo"].reporter(SETTINGS)

    async def said(nonce: str) -> None:
        await reporter.verify(plivo({V2: second(nonce=nonce), V2_NONCE: nonce}), NOW)

    for nonce in "abc":
        await said(nonce)
    for nonce in "bc":
        with pytest.raises(BadSignature):
            await said(nonce)
    await said("a")
