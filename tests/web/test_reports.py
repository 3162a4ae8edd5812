"""Each provider's reports: taken as signed, and refused when forged, changed or old."""

import time
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest

from pipeline.settings import Settings
from policy.tracking.provider_report import Kind, Report
from schemas.errors import Unavailable
from tests.web.dsn import complaint, dsn, failed
from tests.web.signing import ARN, FETCHED, SCHEMES, SETTINGS, Scheme, ses
from web.reports.incoming import BadSignature, Incoming, Malformed

NOW = time.time_ns() // 1_000_000
TICKET = "t" * 120
BOUNCED, OPENED, CLICKED = Kind.BOUNCED, Kind.OPENED, Kind.CLICKED
LEFT = Kind.UNSUBSCRIBED
LEFT_BY_HAND = {
    "RecordType": "SubscriptionChange",
    "SuppressSending": True,
    "SuppressionReason": "ManualSuppression",
    "Origin": "Recipient",
}


def resend(kind: str, **data: Any) -> dict[str, Any]:
    return {"type": kind, "created_at": "2026-09-21T14:13:20Z", "data": data}


each = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)


def signed(scheme: Scheme, values: Any = None, now: int = NOW) -> Incoming:
    return scheme.sign(scheme.delivered(TICKET) if values is None else values, now, TICKET)


async def reports(name: str, values: Any) -> list[Report]:
    scheme = SCHEMES[name]
    reporter, incoming = scheme.reporter(SETTINGS), signed(scheme, values)
    await reporter.verify(incoming, NOW)
    return list(reporter.parse(incoming, NOW))


@each
async def test_what_is_signed_is_taken_with_its_ticket(scheme: Scheme) -> None:
    reporter, incoming = scheme.reporter(SETTINGS), signed(scheme)
    assert reporter.is_set_up
    await reporter.verify(incoming, NOW)
    (report,) = reporter.parse(incoming, NOW)
    assert (report.kind, report.ticket or report.reference) == (Kind.DELIVERED, TICKET)
    assert not report.machine


@each
async def test_without_its_secret_a_reporter_is_not_set_up(scheme: Scheme) -> None:
    assert not scheme.reporter(Settings()).is_set_up


@each
async def test_any_byte_changed_is_refused(scheme: Scheme) -> None:
    reporter, incoming = scheme.reporter(SETTINGS), signed(scheme)
    if reporter.name in ("postmark", "smtp", "mailgun"):
        return  # some sign nothing, the last a time and a token alone
    for place in range(0, len(incoming.body), max(1, len(incoming.body) // 40)):
        changed = bytearray(incoming.body)
        changed[place] ^= 1
        with pytest.raises((BadSignature, Malformed, Unavailable)):
            await reporter.verify(msgspec.structs.replace(incoming, body=bytes(changed)), NOW)


@each
async def test_what_is_not_signed_is_refused(scheme: Scheme) -> None:
    reporter, incoming = scheme.reporter(SETTINGS), signed(scheme)
    for body in (incoming.body, b"", b"{}", b"[]", b"\xff", b"a=1"):
        with pytest.raises((BadSignature, Malformed)):
            bare = msgspec.structs.replace(incoming, headers={}, body=body)
            if reporter.name in ("mailgun", "ses", "vonage") and body == incoming.body:
                bare = msgspec.structs.replace(bare, body=b"{}")
            await reporter.verify(bare, NOW)


@each
async def test_another_secret_is_refused(scheme: Scheme) -> None:
    other = SETTINGS.model_copy(
        update={
            "sendgrid_webhook_key": "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEhJzlM0G1gw3mZCZ1Wx2xDFzZ"
            "h4pZFd7P0u2vnuT8kOmzWcmsoRWKPBlGNyEgtd0CFM8uM2mD1rsrTmzJ3CnLdQ==",
            "ses_topics": ("arn:aws:sns:eu-central-1:123456789012:other",),
            **{
                name: type(SETTINGS.signing_key)("another" * 6)
                for name in (
                    "mailgun_signing_key",
                    "postmark_webhook_password",
                    "smtp_webhook_password",
                    "resend_webhook_secret",
                    "twilio_auth_token",
                    "vonage_signature_secret",
                    "plivo_auth_token",
                )
            },
        }
    )
    with pytest.raises((BadSignature, Malformed)):
        await scheme.reporter(other).verify(signed(scheme), NOW)


@each
async def test_what_was_signed_over_five_minutes_ago_or_ahead_is_refused(scheme: Scheme) -> None:
    if not scheme.has_time:
        return
    reporter = scheme.reporter(SETTINGS)
    for seconds, good in ((299, True), (-299, True), (302, False), (-302, False)):
        incoming = signed(scheme, now=NOW - 1000 * seconds)
        if good:
            await reporter.verify(incoming, NOW)
        else:
            with pytest.raises(BadSignature):
                await reporter.verify(incoming, NOW)


async def test_mailgun_takes_a_token_once() -> None:
    scheme = SCHEMES["mailgun"]
    reporter, incoming = scheme.reporter(SETTINGS), signed(scheme)
    await reporter.verify(incoming, NOW)
    with pytest.raises(BadSignature, match="used before"):
        await reporter.verify(incoming, NOW + 1000)


@pytest.mark.parametrize(
    ("name", "values", "kind", "flags"),
    [
        ("sendgrid", [{"event": "bounce", "timestamp": 1, "type": "bounce"}], Kind.BOUNCED, "hard"),
        ("sendgrid", [{"event": "bounce", "timestamp": 1, "type": "blocked"}], Kind.BOUNCED, ""),
        ("sendgrid", [{"event": "spamreport", "timestamp": 1}], Kind.COMPLAINED, ""),
        ("sendgrid", [{"event": "open", "timestamp": 1, "sg_machine_open": True}], OPENED, "m"),
        ("sendgrid", [{"event": "unsubscribe", "timestamp": 1}], Kind.UNSUBSCRIBED, ""),
        ("sendgrid", [{"event": "processed", "timestamp": 1}], None, ""),
        ("mailgun", {"event": "failed", "timestamp": 1, "severity": "permanent"}, BOUNCED, "hard"),
        ("mailgun", {"event": "failed", "timestamp": 1, "severity": "temporary"}, Kind.BOUNCED, ""),
        ("mailgun", {"event": "opened", "timestamp": 1, "client-info": {"bot": "x"}}, OPENED, "m"),
        ("mailgun", {"event": "accepted", "timestamp": 1}, None, ""),
        ("postmark", {"RecordType": "Bounce", "Type": "HardBounce"}, Kind.BOUNCED, "hard"),
        ("postmark", {"RecordType": "Bounce", "Type": "Transient"}, Kind.BOUNCED, ""),
        ("postmark", {"RecordType": "SpamComplaint"}, Kind.COMPLAINED, ""),
        ("postmark", {"RecordType": "Open", "UserAgent": "GoogleImageProxy"}, Kind.OPENED, ""),
        ("postmark", LEFT_BY_HAND, LEFT, ""),
        ("postmark", LEFT_BY_HAND | {"SuppressionReason": "HardBounce"}, None, ""),
        ("postmark", {"RecordType": "Inbound"}, None, ""),
        ("resend", resend("email.bounced", bounce={"type": "Permanent"}), BOUNCED, "hard"),
        ("resend", resend("email.bounced", bounce={"type": "Transient"}), BOUNCED, ""),
        ("resend", resend("email.bounced", bounce={"type": "Undetermined"}), BOUNCED, ""),
        ("resend", resend("email.complained"), Kind.COMPLAINED, ""),
        ("resend", resend("email.suppressed", suppressed={"type": "Permanent"}), Kind.FAILED, ""),
        ("resend", resend("email.delivery_delayed"), None, ""),
        ("resend", resend("email.opened", open={"userAgent": "Barracuda"}), OPENED, "m"),
        ("resend", resend("email.clicked", click={"userAgent": "x Firefox/140.0"}), CLICKED, ""),
        ("resend", resend("contact.created"), None, ""),
        ("smtp", dsn(failed("smtp; 550 5.1.1 User unknown", "5.1.1")), BOUNCED, "hard"),
        ("smtp", dsn(failed("smtp; 552 5.2.2 over quota", "5.2.2")), BOUNCED, ""),
        ("smtp", dsn(failed("smtp; 450 4.2.0 later", "4.2.0", "delayed")), None, ""),
        ("smtp", complaint("abuse", "Subject: x"), Kind.COMPLAINED, ""),
        ("ses", {"eventType": "Bounce", "bounce": {"bounceType": "Permanent"}}, BOUNCED, "hard"),
        ("ses", {"eventType": "Bounce", "bounce": {"bounceType": "Transient"}}, Kind.BOUNCED, ""),
        ("ses", {"eventType": "Complaint"}, Kind.COMPLAINED, ""),
        ("ses", {"eventType": "Open", "open": {"userAgent": "Mozilla/5.0"}}, Kind.OPENED, "m"),
        ("ses", {"eventType": "Send"}, None, ""),
        ("twilio", {"MessageStatus": "undelivered", "ErrorCode": "30005"}, Kind.BOUNCED, "hard"),
        ("twilio", {"MessageStatus": "failed", "ErrorCode": "30001"}, Kind.FAILED, ""),
        ("twilio", {"MessageStatus": "queued"}, None, ""),
        ("twilio", {"From": "+4930123456", "Body": " stop. "}, Kind.STOP, ""),
        ("twilio", {"From": "+4930123456", "Body": "x", "OptOutType": "START"}, Kind.START, ""),
        ("twilio", {"From": "+4930123456", "Body": "stop it, please"}, None, ""),
        ("plivo", {"Status": "undelivered", "ErrorCode": "40"}, Kind.BOUNCED, ""),
        ("plivo", {"Status": "undelivered", "ErrorCode": "50"}, Kind.BOUNCED, "hard"),
        ("plivo", {"Status": "undelivered", "ErrorCode": "70"}, Kind.BOUNCED, "hard"),
        ("plivo", {"Status": "undelivered", "ErrorCode": "80"}, Kind.BOUNCED, ""),
        ("plivo", {"From": "4930123456", "Text": "UNSUBSCRIBE"}, Kind.STOP, ""),
        ("plivo", {"From": "4930123456", "Text": "HELP"}, None, ""),
        ("vonage", {"status": "rejected", "err-code": "5"}, Kind.FAILED, ""),
        ("vonage", {"status": "expired", "err-code": "3"}, Kind.BOUNCED, "hard"),
        ("vonage", {"status": "expired", "err-code": "99"}, Kind.BOUNCED, ""),
        ("vonage", {"msisdn": "4930123456", "text": "Start"}, Kind.START, ""),
        ("vonage", {"status": "buffered"}, None, ""),
    ],
)  # fmt: skip
async def test_what_providers_words_mean(
    name: str, values: Any, kind: Kind | None, flags: str
) -> None:
    found = await reports(name, values)
    assert [report.kind for report in found] == ([] if kind is None else [kind])
    for report in found:
        assert (report.hard and report.kind is Kind.BOUNCED) == (flags == "hard")
        assert report.machine == (flags == "m")
        if kind in (Kind.STOP, Kind.START):
            assert report.address == "+4930123456"


@each
async def test_a_body_of_another_shape_is_malformed_and_breaks_nothing(scheme: Scheme) -> None:
    reporter = scheme.reporter(SETTINGS)
    for values in ({}, [], [1], {"event": 1}, {"x": "y"}):
        try:
            incoming = signed(scheme, values)
        except (AttributeError, TypeError, ValueError):
            continue  # no such body can be signed
        try:
            await reporter.verify(incoming, NOW)
            assert not reporter.parse(incoming, NOW)
        except Malformed:
            pass


@pytest.mark.parametrize("version", ["1", "2"])
async def test_sns_signs_in_two_ways(version: str) -> None:
    scheme = SCHEMES["ses"]
    incoming = ses(scheme.delivered(TICKET), NOW, "", SignatureVersion=version)
    await scheme.reporter(SETTINGS).verify(incoming, NOW)


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-central-1.amazonaws.com/a.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/a.pem",
        "https://sns.eu-central-1.amazonaws.com:8443/a.pem",
        "https://user@sns.eu-central-1.amazonaws.com/a.pem",
        "https://sns.eu-central-1.amazonaws.com/a.txt",
        "https://169.254.169.254/a.pem",
        "",
    ],
)
async def test_a_certificate_is_only_fetched_from_amazon(url: str) -> None:
    scheme = SCHEMES["ses"]
    before = len(FETCHED)
    with pytest.raises(BadSignature):
        incoming = ses(scheme.delivered(TICKET), NOW, "", SigningCertURL=url)
        await scheme.reporter(SETTINGS).verify(incoming, NOW)
    assert len(FETCHED) == before


async def test_a_subscription_is_confirmed_for_our_topics_at_amazon_alone() -> None:
    scheme = SCHEMES["ses"]
    fields = {"Type": "SubscriptionConfirmation", "Token": "t"}
    good = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription"
    incoming = ses({}, NOW, "", SubscribeURL=good, **fields)
    reporter = scheme.reporter(SETTINGS)
    await reporter.verify(incoming, NOW)
    assert FETCHED[-1] == good
    assert list(reporter.parse(incoming, NOW)) == []
    with pytest.raises(BadSignature):
        bad = ses({}, NOW, "", SubscribeURL="https://evil.example/", **fields)
        await reporter.verify(bad, NOW)
    with pytest.raises(BadSignature):
        other = ses({}, NOW, "", SubscribeURL=good, TopicArn=f"{ARN}-other", **fields)
        await reporter.verify(other, NOW)
    assert FETCHED[-1] == good


@each
@pytest.mark.parametrize("text", ["é", "\udcff", "a" * 70 + "ü"])
async def test_a_signature_that_is_no_ascii_is_refused(scheme: Scheme, text: str) -> None:
    """Each byte of a header beyond ASCII comes as half of a pair."""
    reporter, incoming = scheme.reporter(SETTINGS), signed(scheme)
    forged = msgspec.structs.replace(incoming, headers=dict.fromkeys(incoming.headers, text))
    if reporter.name == "plivo":
        second = {"X-Plivo-Signature-V2": "AAAA", "X-Plivo-Signature-V2-Nonce": text}
        with pytest.raises(BadSignature):
            await reporter.verify(msgspec.structs.replace(incoming, headers=second), NOW)
    if reporter.name == "vonage":
        form = {**incoming.form(), "sig": text}
        body = urlencode(form, errors="surrogateescape").encode()
        forged = msgspec.structs.replace(incoming, body=body)
    if forged == incoming:
        return  # nothing of it is in a header
    with pytest.raises((BadSignature, Malformed)):
        await reporter.verify(forged, NOW)


async def test_brackets_without_an_end_are_malformed() -> None:
    headers, body = {"Content-Type": "application/json"}, b'{"a":' + b"[" * 100_000
    incoming = Incoming(method="POST", url="", headers=headers, body=body)
    for scheme in (SCHEMES["vonage"], SCHEMES["mailgun"], SCHEMES["ses"]):
        with pytest.raises(Malformed):
            await scheme.reporter(SETTINGS).verify(incoming, NOW)
