"""Who signed a report: each provider's own way, and every part of it that can be wrong."""

import base64
import hmac
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec
import pytest
from plivo.utils.signature_v3 import construct_post_url, get_signature_v3
from vonage_jwt import verify_signature

from pipeline.settings import Settings
from policy.tracking.provider_report import Kind
from schemas.errors import Unavailable
from schemas.vocabulary import Channel
from tests.web.signing import (
    ARN,
    CERTIFICATE,
    FETCHED,
    SCHEMES,
    SETTINGS,
    URL,
    VONAGE_SECRET,
    mailgun,
    ses,
    vonage,
    vonage_token,
)
from web.reports.incoming import BadSignature, Incoming, Malformed, require_recent
from web.reports.registry import reporters_of
from web.reports.ses import SesReports, text_of

NOW = 1_795_000_000_000
PLIVO = f"{URL}/webhooks/plivo?ticket=t"
FIELDS = [("Text", "STOP"), ("From", "4930123456"), ("Twice", "b"), ("Twice", "a"), ("Empty", "")]
GROUPED = {"Text": "STOP", "From": "4930123456", "Twice": ["b", "a"], "Empty": ""}
TOKEN = "plivo token"
REFUSED = "invalid signature"


def test_each_has_a_name_and_a_channel() -> None:
    found = {each.name: (each.channel, each.is_set_up) for each in reporters_of(SETTINGS)}
    assert found == {
        "mailgun": (Channel.EMAIL, True),
        "postmark": (Channel.EMAIL, True),
        "resend": (Channel.EMAIL, True),
        "sendgrid": (Channel.EMAIL, True),
        "smtp": (Channel.EMAIL, True),
        "ses": (Channel.EMAIL, True),
        "plivo": (Channel.SMS, True),
        "twilio": (Channel.SMS, True),
        "twiliowhatsapp": (Channel.CHAT, True),
        "vonage": (Channel.SMS, True),
        "vonagemessages": (Channel.SMS, True),
        "vonagewhatsapp": (Channel.CHAT, True),
    }
    assert not any(each.is_set_up for each in reporters_of(Settings()))


@pytest.mark.parametrize(
    ("user", "password", "is_set_up"),
    [("u", "p", True), ("u", "", False), ("", "p", False)],
)
def test_postmark_takes_a_user_and_a_password(user: str, password: str, is_set_up: bool) -> None:
    secret = type(SETTINGS.postmark_webhook_password)(password)
    update = {"postmark_webhook_user": user, "postmark_webhook_password": secret}
    reporter = SCHEMES["postmark"].reporter(SETTINGS.model_copy(update=update))
    assert reporter.is_set_up is is_set_up


@pytest.mark.parametrize(
    ("user", "password", "is_set_up"),
    [("u", "p", True), ("u", "", False), ("", "p", False)],
)
def test_a_relay_has_a_user_and_a_password(user: str, password: str, is_set_up: bool) -> None:
    secret = type(SETTINGS.smtp_webhook_password)(password)
    update = {"smtp_webhook_user": user, "smtp_webhook_password": secret}
    reporter = SCHEMES["smtp"].reporter(SETTINGS.model_copy(update=update))
    assert reporter.is_set_up is is_set_up


async def verified(name: str, incoming: Incoming, now: int = NOW) -> str:
    """Empty where it is taken, else why not."""
    try:
        await SCHEMES[name].reporter(SETTINGS).verify(incoming, now)
    except BadSignature as error:
        return str(error) or "forged"
    return ""


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


@pytest.mark.parametrize(
    ("ago", "is_recent"),
    [(0, True), (300, True), (-300, True), (300.001, False), (-300.001, False)],
)
def test_what_is_recent(ago: float, is_recent: bool) -> None:
    if is_recent:
        require_recent(NOW / 1000 - ago, NOW, 300)
    else:
        with pytest.raises(BadSignature, match="signed too long ago"):
            require_recent(NOW / 1000 - ago, NOW, 300)


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


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("Basic cG9zdG1hcms6cGFzc3dvcmQ=", ""),  # postmark:password
        ("Basic cG9zdG1hcms6cGFzc3dvcms=", "invalid user or password"),
        ("", "invalid user or password"),
        ("Basic \udcff", "invalid user or password"),
    ],
)
async def test_postmarks_user_and_password(given: str, said: str) -> None:
    headers = {"Authorization": given} if given else {}
    incoming = Incoming(method="POST", url=URL, headers=headers, body=b"{}")
    assert await verified("postmark", incoming) == said


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
