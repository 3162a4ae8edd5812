"""Vonage's signatures: of fields for texts, by a token for messages."""

import base64
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec
import pytest
from vonage_jwt import verify_signature

from tests.web.reports.signatures.verifying import NOW, REFUSED, verified
from tests.web.signing import (
    URL,
    VONAGE_SECRET,
    vonage,
    vonage_token,
)
from web.reports.incoming import Incoming


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"sig": None}, "not signed"),
        ({"sig": ""}, "not signed"),
        ({"timestamp": None}, "not signed"),
        ({"timestamp": "soon"}, "not signed"),
        ({"sig": "é"}, "the signature is none"),
        ({"sig": "0" * 64}, REFUSED),
        ({"status": "failed"}, REFUSED),
        ({"timestamp": "1795000001"}, REFUSED),
    ],
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json"])
async def test_vonage_signs_all_fields(change: dict[str, str | None], said: str, kind: str) -> None:
    fields = vonage({"status": "delivered", "err-code": "0"}, NOW, "").form()
    changed = {name: value for name, value in {**fields, **change}.items() if value is not None}
    body = msgspec.json.encode(changed) if "json" in kind else urlencode(changed).encode()
    incoming = Incoming(method="POST", url=URL, headers={"Content-Type": kind}, body=body)
    assert await verified("vonage", incoming) == said


BODY = b'{"message_uuid":"1","status":"delivered"}'


def bearer(body: bytes = BODY, secret: str = VONAGE_SECRET, **claims: Any) -> str:
    token = vonage_token(body, NOW, secret, **claims)
    # Vonage's own check: what it takes, we take, but for what it leaves to us.
    assert verify_signature(token, VONAGE_SECRET) is (secret == VONAGE_SECRET)
    return f"Bearer {token}"


UNSIGNED = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (bearer(), ""),
        (bearer(iat=NOW // 1000 - 300), ""),
        (bearer(secret="x" * 40), REFUSED),
        (bearer(BODY + b" "), "another body was signed"),
        (bearer(payload_hash="é"), "another body was signed"),
        (bearer(payload_hash=None), "it signs no body or no time"),
        (bearer(payload_hash=7), "it signs no body or no time"),
        (bearer(iat=NOW // 1000 - 301), "signed too long ago"),
        (bearer(iat=NOW // 1000 + 301), "signed too long ago"),
        (bearer().replace("Bearer ", ""), "not signed"),
        (bearer().replace("Bearer", "Basic"), "not signed"),
        ("", "not signed"),
        ("Bearer ", REFUSED),
        ("Bearer é", REFUSED),
        ("Bearer \udcff", REFUSED),
        (f"Bearer {UNSIGNED}.{bearer().split('.')[1]}.", REFUSED),
        (bearer()[:-3], REFUSED),
    ],
)
@pytest.mark.parametrize("name", ["vonagemessages", "vonagewhatsapp"])
async def test_vonages_messages_are_signed_by_a_token(name: str, given: str, said: str) -> None:
    headers = {"Authorization": given} if given else {}
    incoming = Incoming(method="POST", url=URL, headers=headers, body=BODY)
    assert await verified(name, incoming) == said


@pytest.mark.parametrize("iat", ["soon", 1.5, None])
async def test_a_token_without_a_time_is_refused(iat: Any) -> None:
    claims = {"payload_hash": sha256(BODY).hexdigest(), "iat": iat}
    token = jwt.api_jws.encode(msgspec.json.encode(claims), VONAGE_SECRET, algorithm="HS256")
    headers = {"Authorization": f"Bearer {token}"}
    incoming = Incoming(method="POST", url=URL, headers=headers, body=BODY)
    assert await verified("vonagemessages", incoming)
