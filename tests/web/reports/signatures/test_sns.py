"""What Amazon SNS signs, and by whose certificate."""

from typing import Any

import msgspec
import pytest

from schemas.errors import Unavailable
from tests.web.reports.signatures.verifying import NOW, REFUSED, verified
from tests.web.signing import (
    ARN,
    CERTIFICATE,
    FETCHED,
    SCHEMES,
    SETTINGS,
    URL,
    ses,
)
from web.reports.incoming import BadSignature, Incoming, Malformed
from web.reports.ses import SesReports, text_of

SIGNED = {
    "Type": "Notification",
    "Message": "m",
    "MessageId": "i",
    "Subject": "s",
    "Timestamp": "t",
    "TopicArn": "a",
    "Token": "k",
    "SubscribeURL": "u",
    "Unknown": "x",
}

CONFIRMATION = "SubscriptionConfirmation"


@pytest.mark.parametrize(
    ("values", "lines"),
    [
        (SIGNED, "Message m MessageId i Subject s Timestamp t TopicArn a Type Notification"),
        (
            {**SIGNED, "Subject": None},
            "Message m MessageId i Timestamp t TopicArn a Type Notification",
        ),
        (
            {**SIGNED, "Type": CONFIRMATION},
            "Message m MessageId i SubscribeURL u Timestamp t Token k TopicArn a Type "
            f"{CONFIRMATION}",
        ),
        (
            {"Message": "m", "Token": "k", "SubscribeURL": "u", "Subject": "s"},
            "Message m Subject s SubscribeURL u Token k",
        ),
    ],
)
def test_what_sns_signs(values: dict[str, Any], lines: str) -> None:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html"""
    assert text_of(values).decode() == lines.replace(" ", "\n") + "\n"


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"TopicArn": f"{ARN}x"}, BadSignature, "the topic is none of ours"),
        ({"SignatureVersion": "3"}, Malformed, "an unknown signature version"),
        ({"SignatureVersion": "1"}, BadSignature, REFUSED),
        ({"Message": "other"}, BadSignature, REFUSED),
        ({"Subject": "other"}, BadSignature, REFUSED),
        ({"Signature": "AAAA"}, BadSignature, REFUSED),
        ({"Signature": "AA!A"}, Malformed, "Error"),
        ({"Signature": "A"}, Malformed, "Error"),
        ({"SigningCertURL": ""}, BadSignature, "the address is none of Amazon's"),
        (
            {"SigningCertURL": "https://sns.eu-central-1.amazonaws.com/x"},
            BadSignature,
            "certificate",
        ),
        ({"SigningCertURL": "https://sns.eu-central-1.amazonaws.com/2.pem"}, Unavailable, "such"),
        *(
            ({"SigningCertURL": f"{CERTIFICATE}{more}"}, BadSignature, "the certificate is none")
            for more in ("?x.pem", "#x.pem", "?")
        ),
    ],
)
async def test_what_sns_did_not_sign(change: dict[str, str], error: type, said: str) -> None:
    good = ses({"eventType": "Delivery"}, NOW, "", Subject="s")
    reporter = SCHEMES["ses"].reporter(SETTINGS)
    await reporter.verify(good, NOW)
    body = msgspec.json.encode({**good.json(dict[str, Any]), **change})
    with pytest.raises(error, match=said):
        await reporter.verify(msgspec.structs.replace(good, body=body), NOW)


async def test_no_more_than_base64_stands_in_a_signature() -> None:
    good = ses({"eventType": "Delivery"}, NOW, "")
    values = good.json(dict[str, Any])
    for odd in ("!", " ", "\n"):
        body = msgspec.json.encode({**values, "Signature": odd + values["Signature"]})
        with pytest.raises(Malformed):
            changed = msgspec.structs.replace(good, body=body)
            await SCHEMES["ses"].reporter(SETTINGS).verify(changed, NOW)


async def test_sns_signs_by_the_first_version_where_it_names_none() -> None:
    first = ses({"eventType": "Delivery"}, NOW, "", SignatureVersion="1").json(dict[str, Any])
    del first["SignatureVersion"]
    incoming = Incoming(method="POST", url=URL, headers={}, body=msgspec.json.encode(first))
    assert await verified("ses", incoming) == ""


async def test_a_certificate_is_fetched_once() -> None:
    reporter = SCHEMES["ses"].reporter(SETTINGS)
    before = len(FETCHED)
    for _ in range(3):
        await reporter.verify(ses({"eventType": "Delivery"}, NOW, ""), NOW)
    assert len(FETCHED) == before + 1


@pytest.mark.parametrize("found", [b"", b"no certificate"])
async def test_a_certificate_that_can_not_be_read_is_asked_for_again(found: bytes) -> None:
    async def fetch(_: str) -> bytes:
        return found

    with pytest.raises(Unavailable, match="certificate can't be read"):
        await SesReports(SETTINGS, fetch).verify(ses({"eventType": "Delivery"}, NOW, ""), NOW)
