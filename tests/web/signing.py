"""Reports as each provider would send and sign them."""

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from plivo.utils.signature_v3 import construct_post_url, get_signature_v3
from pydantic import SecretStr
from twilio.request_validator import RequestValidator
from vonage_http_client.auth import Auth

from pipeline.settings import Settings
from schemas.errors import Unavailable
from tests.web.dsn import dsn, failed, piped
from web.reports.incoming import Incoming, Reporter
from web.reports.mailgun import MailgunReports
from web.reports.plivo import PlivoReports
from web.reports.postmark import PostmarkReports
from web.reports.resend import ResendReports
from web.reports.sendgrid import SIGNATURE, TIMESTAMP, SendGridReports
from web.reports.ses import SesReports, text_of
from web.reports.smtp import SmtpReports
from web.reports.twilio import TwilioReports, TwilioWhatsAppReports
from web.reports.vonage import VonageReports
from web.reports.vonage_messages import VonageMessagesReports, VonageWhatsAppReports

URL = "https://n.example.com"
ARN = "arn:aws:sns:eu-central-1:123456789012:mail"
CERTIFICATE = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem"
VONAGE_SECRET = "a signature secret as long as theirs are"
SIGNER = ec.generate_private_key(ec.SECP256R1())
AMAZON = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _public(key: ec.EllipticCurvePrivateKey) -> str:
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return base64.b64encode(der).decode()


def certificate() -> bytes:
    """A certificate of Amazon's key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(AMAZON.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(AMAZON, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)


SETTINGS = Settings(
    public_url=URL,
    signing_key=SecretStr("a key to sign with"),
    sendgrid_webhook_key=_public(SIGNER),
    ses_topics=(ARN,),
    mailgun_signing_key=SecretStr("mailgun key"),
    postmark_webhook_user="postmark",
    postmark_webhook_password=SecretStr("password"),
    resend_webhook_secret=SecretStr("whsec_cmVzZW5kIHNlY3JldA=="),
    smtp_webhook_user="relay",
    smtp_webhook_password=SecretStr("password"),
    twilio_auth_token=SecretStr("twilio token"),
    vonage_api_key="abc",
    vonage_signature_secret=SecretStr(VONAGE_SECRET),
    plivo_auth_id="MAID",
    plivo_auth_token=SecretStr("plivo token"),
)
FETCHED: list[str] = []


async def fetch(url: str) -> bytes:
    """What Amazon would answer."""
    FETCHED.append(url)
    if url.endswith(".pem") and url != CERTIFICATE:
        raise Unavailable("there is no such certificate")
    return certificate()


Sign = Callable[[Any, int, str], Incoming]
"""Of values, a time (epoch ms) and a ticket or reference, the request of a provider."""


@dataclass(frozen=True)
class Scheme:
    """A provider's reporter, how it signs, and the parts of a report that name a message."""

    reporter: Callable[[Settings], Reporter]
    sign: Sign
    delivered: Callable[[str], Any]
    has_time: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)


def _request(body: bytes, headers: Mapping[str, str], provider: str, ticket: str = "") -> Incoming:
    query = f"?ticket={ticket}" if ticket else ""
    url = f"{URL}/webhooks/{provider}{query}"
    return Incoming(method="POST", url=url, headers=headers, body=body)


def sendgrid(values: Any, now: int, _: str) -> Incoming:
    body, timestamp = msgspec.json.encode(values), str(now // 1000)
    signature = SIGNER.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    headers = {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: timestamp}
    return _request(body, headers, "sendgrid")


def mailgun(values: Any, now: int, _: str) -> Incoming:
    timestamp, token = str(now // 1000), f"token-{now}-{len(FETCHED)}-{id(values)}"
    signature = hmac.new(b"mailgun key", f"{timestamp}{token}".encode(), sha256).hexdigest()
    signed = {"timestamp": timestamp, "token": token, "signature": signature}
    body = msgspec.json.encode({"signature": signed, "event-data": values})
    return _request(body, {}, "mailgun")


def postmark(values: Any, now: int, _: str) -> Incoming:
    pair = base64.b64encode(b"postmark:password").decode()
    return _request(msgspec.json.encode(values), {"Authorization": f"Basic {pair}"}, "postmark")


def resend(values: Any, now: int, _: str) -> Incoming:
    body, name = msgspec.json.encode(values), f"msg_{now}"
    signed = f"{name}.{now // 1000}.".encode() + body
    signature = base64.b64encode(hmac.digest(b"resend secret", signed, sha256)).decode()
    headers = {
        "svix-id": name,
        "svix-timestamp": str(now // 1000),
        "svix-signature": f"v1,{signature}",
    }
    return _request(body, headers, "resend")


def smtp(values: Any, now: int, _: str) -> Incoming:
    return piped(values if isinstance(values, str) else msgspec.json.encode(values))


def ses(values: Any, now: int, _: str, **fields: str) -> Incoming:
    envelope = {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": ARN,
        "Message": msgspec.json.encode(values).decode(),
        "Timestamp": "2026-11-25T12:00:00.000Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
        **fields,
    }
    algorithm = hashes.SHA256() if envelope["SignatureVersion"] == "2" else hashes.SHA1()  # noqa: S303
    signature = AMAZON.sign(text_of(envelope), padding.PKCS1v15(), algorithm)
    envelope["Signature"] = base64.b64encode(signature).decode()
    return _request(msgspec.json.encode(envelope), {}, "ses")


def twilio(values: Any, now: int, ticket: str, name: str = "twilio") -> Incoming:
    request = _request(urlencode(values).encode(), {}, name, ticket)
    signature = RequestValidator("twilio token").compute_signature(request.url, values)
    return msgspec.structs.replace(request, headers={"X-Twilio-Signature": signature})


def plivo(values: Any, now: int, ticket: str) -> Incoming:
    request = _request(urlencode(values).encode(), {}, "plivo", ticket)
    base = construct_post_url(request.url, values)
    nonce = f"nonce-{now}-{id(values)}"
    signature = get_signature_v3("plivo token", base.decode(), nonce)
    text = signature.decode() if isinstance(signature, bytes) else signature
    headers = {"X-Plivo-Signature-V3": text, "X-Plivo-Signature-V3-Nonce": nonce}
    return msgspec.structs.replace(request, headers=headers)


def vonage(values: Any, now: int, ticket: str) -> Incoming:
    named = {"client-ref": ticket} if ticket else {}
    fields = {**values, **named, "timestamp": str(now // 1000)}
    auth = Auth(api_key="abc", signature_secret=VONAGE_SECRET, signature_method="sha256")
    fields["sig"] = auth.sign_params(dict(fields))
    return _request(urlencode(fields).encode(), {}, "vonage")


def vonage_messages(
    values: Any, now: int, reference: str, name: str = "vonagemessages"
) -> Incoming:
    """https://developer.vonage.com/en/getting-started/concepts/webhooks: the claims, as they are
    listed there."""
    if isinstance(values, dict) and reference:
        values = {**values, "client_ref": reference}
    body = msgspec.json.encode(values)
    return _request(body, {"Authorization": f"Bearer {vonage_token(body, now)}"}, name)


def vonage_token(body: bytes, now: int, secret: str = VONAGE_SECRET, **claims: Any) -> str:
    """The token that Vonage puts beside a body."""
    said = {
        "iat": now // 1000,
        "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
        "iss": "Vonage",
        "payload_hash": sha256(body).hexdigest(),
        "api_key": "abc",
        "application_id": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
    }
    return jwt.encode({**said, **claims}, secret, algorithm="HS256")


SCHEMES: dict[str, Scheme] = {
    "sendgrid": Scheme(
        SendGridReports,
        sendgrid,
        lambda ticket: [{"event": "delivered", "timestamp": 1_790_000_000, "ticket": ticket}],
    ),
    "mailgun": Scheme(
        MailgunReports,
        mailgun,
        lambda ticket: {
            "event": "delivered",
            "timestamp": 1_790_000_000.5,
            "user-variables": {"ticket": ticket},
        },
    ),
    "postmark": Scheme(
        PostmarkReports,
        postmark,
        lambda ticket: {
            "RecordType": "Delivery",
            "DeliveredAt": "2026-09-21T14:13:20Z",
            "Metadata": {"ticket0": ticket[:80], "ticket1": ticket[80:]},
        },
        has_time=False,
    ),
    "resend": Scheme(
        ResendReports,
        resend,
        lambda ticket: {
            "type": "email.delivered",
            "created_at": "2026-09-21T14:13:20.000Z",
            "data": {"to": ["a@example.com"], "tags": {"ticket": ticket}},
        },
    ),
    "smtp": Scheme(
        SmtpReports,
        smtp,
        lambda ticket: dsn(
            failed("smtp; 250 2.1.5 Ok", "2.1.5", "delivered"),
            returned=f"X-Tocsin-Ticket: {ticket}",
        ),
        has_time=False,
    ),
    "ses": Scheme(
        lambda settings: SesReports(settings, fetch),
        ses,
        lambda ticket: {
            "eventType": "Delivery",
            "mail": {"destination": ["a@example.com"], "tags": {"ticket": [ticket]}},
            "delivery": {"timestamp": "2026-09-21T14:13:20.000Z"},
        },
        has_time=False,
    ),
    "twilio": Scheme(
        TwilioReports,
        twilio,
        lambda _: {"MessageSid": "SM1", "MessageStatus": "delivered"},
        has_time=False,
    ),
    "twiliowhatsapp": Scheme(
        TwilioWhatsAppReports,
        lambda values, now, ticket: twilio(values, now, ticket, "twiliowhatsapp"),
        lambda _: {"MessageSid": "SM1", "MessageStatus": "delivered", "ChannelPrefix": "whatsapp"},
        has_time=False,
    ),
    "plivo": Scheme(
        PlivoReports, plivo, lambda _: {"MessageUUID": "1", "Status": "delivered"}, has_time=False
    ),
    "vonagemessages": Scheme(
        VonageMessagesReports,
        vonage_messages,
        lambda _: {"message_uuid": "1", "status": "delivered", "channel": "sms"},
    ),
    "vonagewhatsapp": Scheme(
        VonageWhatsAppReports,
        lambda values, now, ticket: vonage_messages(values, now, ticket, "vonagewhatsapp"),
        lambda _: {"message_uuid": "1", "status": "delivered", "channel": "whatsapp"},
    ),
    "vonage": Scheme(VonageReports, vonage, lambda _: {"messageId": "1", "status": "delivered"}),
}
