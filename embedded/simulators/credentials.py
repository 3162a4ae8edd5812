"""The accounts that the simulators know, made up on the first start and kept after it."""

import secrets
import uuid
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from msgspec import Struct

from embedded.simulators.certificate import keep_certificate
from sinks.push.vapid import decoded, encoded

PROJECT = "tocsin-demo"
AWS_REGION = "eu-central-1"


class ServiceAccount(Struct, frozen=True, kw_only=True):
    """A Firebase service account file, as Google's console hands it out."""

    client_email: str
    client_id: str
    private_key: str
    private_key_id: str
    project_id: str
    token_uri: str
    type: str = "service_account"

    def public_key(self) -> rsa.RSAPublicKey:
        """The half by which a token request is checked."""
        key = serialization.load_pem_private_key(
            self.private_key.encode(),
            password=None,
            # We made it. To look whether its parts are primes takes half as long as to find them.
            unsafe_skip_rsa_key_validation=True,
        )
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("a service account signs with RSA")
        return key.public_key()


class ApnsAccount(Struct, frozen=True, kw_only=True):
    """An app of an Apple team, and the key that its .p8 file holds."""

    private_key: str
    key_id: str
    team_id: str
    topic: str

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The half by which a provider token is checked."""
        return _ec_key(self.private_key).public_key()


class Browser(Struct, frozen=True, kw_only=True):
    """A browser that subscribed: its own key, and whose messages it lets through.

    `vapid_key` is the application server's private key, `subscribed_with` its public half as
    the page gave it.
    """

    key: str
    auth: str
    vapid_key: str
    subscribed_with: str

    def private_key(self) -> ec.EllipticCurvePrivateKey:
        """The key that reads messages."""
        return _ec_key(self.key)

    def auth_secret(self) -> bytes:
        """The secret that goes with it."""
        return decoded(self.auth)

    def subscription(self, base_url: str, number: int) -> str:
        """The address of one of its subscriptions at a push service."""
        keys = {"p256dh": _point(self.private_key().public_key()), "auth": self.auth}
        subscription = {"endpoint": f"{base_url}/push/{number}", "keys": keys}
        return f"web:{msgspec.json.encode(subscription).decode()}"


def chat_hook(platform: str, base_url: str, number: int, token: str) -> str:
    """The URL of an incoming webhook, as each platform has it."""
    paths = {
        "slack": f"/services/T0/B{number}/{token}",
        "teams": f"/workflows/{number:032x}/triggers/manual/paths/invoke?sv=1.0&sig={token}",
        "discord": f"/api/webhooks/{number}/{token}",
    }
    return base_url + paths[platform]


class Credentials(Struct, frozen=True, kw_only=True):
    """One account with each provider."""

    service_account: ServiceAccount
    apns: ApnsAccount
    browser: Browser
    chat_token: str
    telegram_bot_token: str
    slackapp_bot_token: str
    aws_access_key_id: str
    aws_secret_access_key: str
    mailgun_api_key: str
    mailgun_domain: str
    plivo_auth_id: str
    plivo_auth_token: str
    postmark_server_token: str
    resend_api_key: str
    sendgrid_api_key: str
    smtp_user: str
    smtp_password: str
    twilio_account_sid: str
    twilio_auth_token: str
    vonage_api_key: str
    vonage_api_secret: str
    vonage_application_id: str
    vonage_private_key: str
    webhook_key: str
    signing_key: str

    def secrets(self) -> tuple[str, ...]:
        """What nobody may find in a log, an outcome or a dead letter."""
        return (
            self.service_account.private_key,
            self.apns.private_key,
            self.browser.vapid_key,
            self.chat_token,
            self.telegram_bot_token,
            self.slackapp_bot_token,
            self.aws_secret_access_key,
            self.mailgun_api_key,
            self.plivo_auth_token,
            self.postmark_server_token,
            self.resend_api_key,
            self.sendgrid_api_key,
            self.smtp_password,
            self.twilio_auth_token,
            self.vonage_api_secret,
            self.vonage_private_key,
            self.webhook_key,
            self.signing_key,
        )


def make_credentials(base_url: str) -> Credentials:
    """New accounts; tokens for the service account are issued under `base_url`."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    account = ServiceAccount(
        client_email=f"demo@{PROJECT}.iam.gserviceaccount.com",
        client_id="100000000000000000001",
        private_key=_pem(key),
        private_key_id=secrets.token_hex(20),
        project_id=PROJECT,
        token_uri=f"{base_url}/token",
    )
    vapid = ec.generate_private_key(ec.SECP256R1())
    apns = ApnsAccount(
        private_key=_pem(ec.generate_private_key(ec.SECP256R1())),
        key_id=secrets.token_hex(5).upper(),
        team_id=secrets.token_hex(5).upper(),
        topic="com.example.app",
    )
    browser = Browser(
        key=_pem(ec.generate_private_key(ec.SECP256R1())),
        auth=encoded(secrets.token_bytes(16)),
        vapid_key=_pem(vapid),
        subscribed_with=_point(vapid.public_key()),
    )
    return Credentials(
        service_account=account,
        apns=apns,
        browser=browser,
        chat_token=secrets.token_urlsafe(18),
        telegram_bot_token=f"{secrets.randbelow(10**10)}:{secrets.token_urlsafe(26)}",
        slackapp_bot_token=f"xoxb-{secrets.randbelow(10**12)}-{secrets.token_hex(12)}",
        aws_access_key_id=f"AKIA{secrets.token_hex(8).upper()}",
        aws_secret_access_key=secrets.token_urlsafe(30),
        mailgun_api_key=f"key-{secrets.token_hex(16)}",
        mailgun_domain="mg.example.com",
        plivo_auth_id=f"MA{secrets.token_hex(9).upper()}",
        plivo_auth_token=secrets.token_hex(20),
        postmark_server_token=secrets.token_hex(16),
        resend_api_key=f"re_{secrets.token_urlsafe(24)}",
        sendgrid_api_key=f"SG.{secrets.token_urlsafe(16)}.{secrets.token_urlsafe(32)}",
        smtp_user="tocsin",
        smtp_password=secrets.token_urlsafe(18),
        twilio_account_sid=f"AC{secrets.token_hex(16)}",
        twilio_auth_token=secrets.token_hex(16),
        vonage_api_key=secrets.token_hex(4),
        vonage_api_secret=secrets.token_urlsafe(12),
        vonage_application_id=str(uuid.UUID(bytes=secrets.token_bytes(16))),
        vonage_private_key=_pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        webhook_key=secrets.token_hex(32),
        signing_key=secrets.token_hex(32),
    )


def keep_credentials(
    folder: Path, base_url: str, apns_url: str = "", smtp_url: str = ""
) -> Credentials:
    """The folder's accounts, or new ones; writes what a caller needs to use them.

    `firebase.json` is the service account file; `environment.json` maps every TOCSIN_ variable
    to its value. A simulator that comes back keeps its accounts, so that running sinks go on.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "accounts.json"
    if kept.exists():
        values = msgspec.json.decode(kept.read_bytes())
        if not values.keys() >= set(Credentials.__struct_fields__):
            # Accounts that came with a newer version are made up now.
            values = {**msgspec.to_builtins(make_credentials(base_url)), **values}
        credentials = msgspec.convert(values, Credentials)
        account = msgspec.structs.replace(
            credentials.service_account, token_uri=f"{base_url}/token"
        )
        credentials = msgspec.structs.replace(credentials, service_account=account)
    else:
        credentials = make_credentials(base_url)
    _write(kept, credentials)
    _write(folder / "firebase.json", credentials.service_account)
    (folder / "apns.p8").write_text(credentials.apns.private_key)
    (folder / "vonage.pem").write_text(credentials.vonage_private_key)
    reach = environment(credentials, folder, base_url, apns_url, smtp_url)
    _write(folder / "environment.json", reach)
    return credentials


def environment(
    credentials: Credentials, folder: Path, base_url: str, apns_url: str, smtp_url: str
) -> dict[str, str]:
    """The settings with which Tocsin's sinks reach these simulators."""
    return {
        "TOCSIN_FCM_CREDENTIALS": str((folder / "firebase.json").resolve()),
        "TOCSIN_FCM_URL": base_url,
        "TOCSIN_APNS_URL": apns_url,
        "TOCSIN_APNS_KEY": str((folder / "apns.p8").resolve()),
        "TOCSIN_APNS_KEY_ID": credentials.apns.key_id,
        "TOCSIN_APNS_TEAM_ID": credentials.apns.team_id,
        "TOCSIN_APNS_TOPIC": credentials.apns.topic,
        "TOCSIN_VAPID_PRIVATE_KEY": credentials.browser.vapid_key,
        "TOCSIN_VAPID_SUBJECT": "mailto:push@example.com",
        "TOCSIN_WEBPUSH_HOSTS": '["127.0.0.1"]',
        "TOCSIN_AWS_REGION": AWS_REGION,
        "TOCSIN_AWS_ACCESS_KEY_ID": credentials.aws_access_key_id,
        "TOCSIN_AWS_SECRET_ACCESS_KEY": credentials.aws_secret_access_key,
        "TOCSIN_SES_URL": base_url,
        "TOCSIN_MAILGUN_URL": base_url,
        "TOCSIN_MAILGUN_DOMAIN": credentials.mailgun_domain,
        "TOCSIN_MAILGUN_API_KEY": credentials.mailgun_api_key,
        "TOCSIN_POSTMARK_URL": base_url,
        "TOCSIN_POSTMARK_SERVER_TOKEN": credentials.postmark_server_token,
        "TOCSIN_RESEND_URL": base_url,
        "TOCSIN_RESEND_API_KEY": credentials.resend_api_key,
        "TOCSIN_SENDGRID_URL": base_url,
        "TOCSIN_SENDGRID_API_KEY": credentials.sendgrid_api_key,
        "TOCSIN_SMTP_URL": smtp_url,
        "TOCSIN_SMTP_USER": credentials.smtp_user,
        "TOCSIN_SMTP_PASSWORD": credentials.smtp_password,
        "TOCSIN_SMTP_CA_FILE": str(keep_certificate(folder)[1].resolve()),
        "TOCSIN_SNS_URL": base_url,
        "TOCSIN_PLIVO_URL": base_url,
        "TOCSIN_PLIVO_AUTH_ID": credentials.plivo_auth_id,
        "TOCSIN_PLIVO_AUTH_TOKEN": credentials.plivo_auth_token,
        "TOCSIN_TELEGRAM_URL": base_url,
        "TOCSIN_TELEGRAM_BOT_TOKEN": credentials.telegram_bot_token,
        # Who measures our sinks is to measure no pause that we make for Telegram's sake.
        "TOCSIN_TELEGRAM_PER_SECOND": "100000",
        "TOCSIN_SLACKAPP_URL": f"{base_url}/api",
        "TOCSIN_SLACKAPP_BOT_TOKEN": credentials.slackapp_bot_token,
        "TOCSIN_TWILIO_URL": base_url,
        "TOCSIN_TWILIO_ACCOUNT_SID": credentials.twilio_account_sid,
        "TOCSIN_TWILIO_AUTH_TOKEN": credentials.twilio_auth_token,
        "TOCSIN_TWILIO_WHATSAPP_FROM": "+14155238886",
        "TOCSIN_VONAGE_URL": base_url,
        "TOCSIN_VONAGE_API_KEY": credentials.vonage_api_key,
        "TOCSIN_VONAGE_API_SECRET": credentials.vonage_api_secret,
        "TOCSIN_VONAGE_MESSAGES_URL": base_url,
        "TOCSIN_VONAGE_APPLICATION_ID": credentials.vonage_application_id,
        "TOCSIN_VONAGE_PRIVATE_KEY": str((folder / "vonage.pem").resolve()),
        "TOCSIN_VONAGE_WHATSAPP_FROM": "+14155238886",
        "TOCSIN_WEBHOOK_KEYS": credentials.webhook_key,
        "TOCSIN_PRIVATE_ENDPOINTS": '["127.0.0.1"]',
        # The accept log reads ids from the callback that this makes Twilio's messages carry.
        "TOCSIN_PUBLIC_URL": base_url,
        "TOCSIN_SIGNING_KEY": credentials.signing_key,
    }


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def _ec_key(pem: str) -> ec.EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("push keys are elliptic")
    return key


def _point(key: ec.EllipticCurvePublicKey) -> str:
    form = serialization.PublicFormat.UncompressedPoint
    return encoded(key.public_bytes(serialization.Encoding.X962, form))


def _write(path: Path, value: object) -> None:
    # Beside and renamed: a sink that starts just now must not read half a file.
    beside = path.with_name(f".{path.name}")
    beside.touch(mode=0o600)
    beside.write_bytes(msgspec.json.format(msgspec.json.encode(value)))
    beside.replace(path)
