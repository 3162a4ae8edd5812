"""The settings of providers: which are used, where they are called, and as whom."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProviderSettings(BaseSettings):
    """What sinks have to know of those whom they call; their reports have settings of their own."""

    model_config = SettingsConfigDict(defer_build=True)

    push_providers: str = "fcm"
    """NAME or NAME:WEIGHT, separated by commas. Each gets its weight's share (1 unless given);
    where one is in trouble the others are used, and those of weight 0 only then."""
    email_providers: str = "sendgrid"
    """As `push_providers`."""
    sms_providers: str = "twilio"
    """As `push_providers`."""
    chat_providers: str = "slack,teams,discord"
    """As `push_providers`."""
    webhook_providers: str = "standard"
    """As `push_providers`; `standard` is the only one."""
    email_uncertain: Literal["resend", "hold"] = "resend"
    """What becomes of an e-mail that a provider may or may not have taken: sent again, so that it
    may come twice, or held as a dead letter for an operator to look into."""
    sms_uncertain: Literal["resend", "hold"] = "resend"
    """The same for SMS."""
    fcm_credentials: Path | None = None
    """A Firebase service account file; it names the project and where tokens are issued."""
    fcm_url: str = "https://fcm.googleapis.com"
    """Where FCM is called."""
    fcm_per_minute: Annotated[int, Field(ge=60)] = 600_000
    """Messages; Google's quota of a project. All workers share it: give each its part."""
    apns_url: str = "https://api.push.apple.com"
    """Where Apple's push service is called."""
    apns_key: Path | None = None
    """The .p8 file of a key for Apple's push service."""
    apns_key_id: str = ""
    """The key's id, of ten characters."""
    apns_team_id: str = ""
    """The developer team's id."""
    apns_topic: str = ""
    """The app's bundle id."""
    vapid_private_key: SecretStr = SecretStr("")
    """The application server's P-256 key: PEM, or its 32 bytes in base64url."""
    vapid_subject: str = ""
    """How push services reach you: a mailto: or https: URL."""
    webpush_hosts: tuple[str, ...] = (
        "fcm.googleapis.com",
        "updates.push.services.mozilla.com",
        "*.notify.windows.com",
        "web.push.apple.com",
    )
    """Push services that are called, as JSON; an endpoint elsewhere is refused."""
    webpush_per_second: Annotated[int, Field(ge=1)] = 1000
    """Calls to each push service by each worker; fewer while the service says it is too many."""
    sendgrid_url: str = "https://api.sendgrid.com"
    """Where SendGrid is called."""
    sendgrid_api_key: SecretStr = SecretStr("")
    """SendGrid's API key."""
    email_from: str = "notifications@localhost.localdomain"
    """Who e-mails are from, unless the catalogue says otherwise."""
    aws_region: str = ""
    """The region of SES, SNS and MSK."""
    aws_access_key_id: str = ""
    """The access key for SES and SNS."""
    aws_secret_access_key: SecretStr = SecretStr("")
    """The access key's secret."""
    ses_url: str = ""
    """Empty: the region's own."""
    ses_configuration_set: str = ""
    """SES's configuration set, if any."""
    mailgun_url: str = "https://api.mailgun.net"
    """Domains in Europe: api.eu.mailgun.net."""
    mailgun_domain: str = ""
    """The sending domain."""
    mailgun_api_key: SecretStr = SecretStr("")
    """Mailgun's API key."""
    postmark_url: str = "https://api.postmarkapp.com"
    """Where Postmark is called."""
    postmark_server_token: SecretStr = SecretStr("")
    """Postmark's server token."""
    postmark_stream: str = "outbound"
    """Postmark's message stream."""
    resend_url: str = "https://api.resend.com"
    """Where Resend is called."""
    resend_api_key: SecretStr = SecretStr("")
    """Resend's API key."""
    smtp_url: str = ""
    """smtp://HOST:587, where TLS is turned on by STARTTLS, or smtps://HOST:465, where it is on."""
    smtp_user: str = ""
    """Who logs in at the relay; empty for none."""
    smtp_password: SecretStr = SecretStr("")
    """That user's password."""
    smtp_starttls: bool = True
    """False: in the clear, for a relay on this machine. True: a relay without it gets no mail."""
    smtp_ca_file: Path | None = None
    """PEM of the authorities that may vouch for the relay; without it, the system's."""
    smtp_connections: Annotated[int, Field(ge=1)] = 16
    """That one process has open to the relay; each carries one mail at a time."""
    smtp_final_timeout: Annotated[float, Field(gt=0)] = 60.0
    """Seconds that the relay has to say that it took a mail, once it has all of it. It may look
    through it for so long, and a mail that it takes later comes twice; RFC 5321 has 600. Meanwhile
    one of the connections is held, and a stop waits for 20 seconds at most."""
    smtp_bounce_domain: str = ""
    """Whose mail to bounce+… leads to `/webhooks/smtp`: then each mail has a return address of its
    own there, by which a bounce is known even if it brings nothing else back."""
    twilio_url: str = "https://api.twilio.com"
    """Where Twilio is called."""
    twilio_account_sid: str = ""
    """Twilio's account, AC…."""
    twilio_auth_token: SecretStr = SecretStr("")
    """The account's token, which also verifies Twilio's reports."""
    twilio_messaging_service: str = ""
    """Of a Messaging Service, MG…, which then chooses the sender of each text in place of
    `sms_from` and `sms_senders`."""
    twilio_whatsapp_from: str = ""
    """Our number on WhatsApp, with +; empty where the Messaging Service has one."""
    sms_from: str = "+15005550006"
    """The sender of SMS: a number with +, or a name."""
    sms_senders: dict[str, str] = {}
    """Other senders by country, as JSON: {"DE": "Shop", "US": "+15005550006"}."""
    sms_prices: dict[str, float] = {}
    """What a segment costs by country, `*` for others, in whatever currency you count."""
    sns_url: str = ""
    """Empty: the region's own."""
    vonage_url: str = "https://rest.nexmo.com"
    """Where Vonage's SMS API is called."""
    vonage_api_key: str = ""
    """Vonage's API key."""
    vonage_api_secret: SecretStr = SecretStr("")
    """The API key's secret."""
    vonage_messages_url: str = "https://api.nexmo.com"
    """Where Vonage's Messages API is called."""
    vonage_application_id: str = ""
    """The application by which the Messages API is called."""
    vonage_private_key: Path | None = None
    """PEM of the application by which the Messages API is called; without it, by key and secret."""
    vonage_whatsapp_from: str = ""
    """Our number on WhatsApp, with +."""
    plivo_url: str = "https://api.plivo.com"
    """Where Plivo is called."""
    plivo_auth_id: str = ""
    """Plivo's account."""
    plivo_auth_token: SecretStr = SecretStr("")
    """The account's token, which also verifies Plivo's reports."""
    telegram_url: str = "https://api.telegram.org"
    """Where Telegram is called."""
    telegram_bot_token: SecretStr = SecretStr("")
    """The bot's token."""
    telegram_per_second: Annotated[int, Field(ge=1)] = 25
    """Messages; Telegram takes some 30 of a bot. All workers share it: give each its part."""
    slackapp_url: str = "https://slack.com/api"
    """Where Slack is called."""
    slackapp_bot_token: SecretStr = SecretStr("")
    """Of an app with the scope chat:write; chats of its workspace are reached by it."""
    webhook_keys: SecretStr = SecretStr("")
    """What webhooks' signing secrets are made from: one key, or the new and the old one,
    separated by a comma, while receivers change over."""
    source_secrets: SecretStr = SecretStr("")
    """What senders of sources by HTTP sign with, as JSON: by the source's name one secret, or a
    list of the new and the old one."""
    private_endpoints: tuple[str, ...] = ()
    """Hosts that webhooks and chats may be at though they are private, or without TLS; as JSON."""
