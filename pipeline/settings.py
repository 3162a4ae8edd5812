"""Every setting, parsed once from variables (`pipeline.variables`) and frozen."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline.kafka.brokers import Access, Brokers, Mechanism, Protocol
from pipeline.monitoring.logs import Format, Level

Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """How one process of Tocsin is set up; nothing else reads the environment.

    Secrets are `SecretStr`, so that printing the settings shows asterisks.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what is passed in, so that a setting left out is its default everywhere."""
        return (init_settings,)

    kafka: str = "127.0.0.1:9092"
    """Brokers to begin with, host:port, separated by commas."""
    kafka_security_protocol: Protocol = "PLAINTEXT"
    """How Kafka is reached: in the clear or by TLS, with or without a login."""
    kafka_sasl_mechanism: Mechanism = "SCRAM-SHA-512"
    """How to log in, where the protocol has SASL."""
    kafka_user: str = ""
    """Who logs in: a user, a client's id, or an access key."""
    kafka_password: SecretStr = SecretStr("")
    """A user's password, a client's secret, or an access key's secret. AWS_MSK_IAM needs none where
    the machine has a role of its own."""
    kafka_token_url: str = ""
    """Where OAUTHBEARER's tokens are, by the grant of client credentials."""
    kafka_token_scope: str = ""
    """The scope that tokens are asked for, if any."""
    kafka_ca_file: Path | None = None
    """PEM of the authorities that may vouch for brokers; without it, the system's."""
    kafka_certificate_file: Path | None = None
    """PEM of our certificate, for brokers that know clients by TLS."""
    kafka_key_file: Path | None = None
    """PEM of its private key; unless set, it is in the certificate's file."""
    kafka_key_password: SecretStr = SecretStr("")
    """Of the private key, if it is encrypted."""
    prefix: Annotated[str, Field(pattern=r"^([A-Za-z0-9._-]{0,99}[._-])?$")] = ""
    """What names of topics, groups and transactional ids begin with in Kafka, such as `staging.`,
    so that several environments share one. Each takes a ClickHouse database and state folders of
    its own."""
    partitions: Annotated[int, Field(ge=1, le=4096)] = 8
    """Of every topic, and so the most workers of a role that share the work."""
    replication: Annotated[int, Field(ge=1)] = 1
    """Copies of every topic's records; 3 survives a broker."""
    data_dir: Path = Path(".tocsin")
    """Where a worker keeps its state, a copy of what is in Kafka; each process has its own."""
    state_memory_mb: Annotated[int, Field(ge=16)] = 128
    """What the state of all partitions of a process may take in memory (MiB); the rest is read
    from `data_dir`. More of it makes a worker with many users read less."""
    worker_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{0,200}$")] = ""
    """Of a worker in its role's group, the same over restarts; empty: its `data_dir` bears one."""
    catalogue: Path = Path("catalogue")
    """The folder of the catalogue's TOML files."""

    clickhouse_host: str = "127.0.0.1"
    """A name or address at which ClickHouse listens."""
    clickhouse_port: Port = 8123
    """The port of its HTTP interface."""
    clickhouse_tls: bool = False
    """Whether it listens with TLS there, as ClickHouse Cloud does on 8443."""
    clickhouse_ca_file: Path | None = None
    """PEM of the authorities that may vouch for it; without it, the system's."""
    clickhouse_certificate_file: Path | None = None
    """PEM of our certificate, where it knows users by those."""
    clickhouse_key_file: Path | None = None
    """PEM of its private key."""
    clickhouse_user: str = "default"
    """Who asks it and inserts."""
    clickhouse_password: SecretStr = SecretStr("")
    """That user's password."""
    clickhouse_database: str = "default"
    """The database of all tables."""
    clickhouse_cluster: str = ""
    """Where it is a cluster: its name in ClickHouse's configuration; tables are then replicated."""

    schema_registry: str = ""
    """Where the API of a schema registry is, as Confluent has it: http://HOST:8081, or
    https://HOST/apis/ccompat/v7 of Apicurio; several of one cluster, separated by commas."""
    schema_registry_user: str = ""
    """Of basic authentication; in Confluent's cloud, a key of its API."""
    schema_registry_password: SecretStr = SecretStr("")
    """That user's; in Confluent's cloud, the key's secret."""
    schema_registry_ca_file: Path | None = None
    """PEM of the authorities that may vouch for it; without it, the system's."""
    schema_registry_certificate_file: Path | None = None
    """PEM of our certificate, where it knows clients by those."""
    schema_registry_key_file: Path | None = None
    """PEM of the certificate's key; unset if the certificate's file has that as well."""

    outcomes: bool = False
    """Whether the role intake tells other services what became of notifications, as CloudEvents in
    the topic `outcomes`; to be the same wherever that role runs, and for `tocsin setup`, which
    creates the topic only then."""

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
    public_url: Annotated[str, Field(max_length=200)] = ""
    """Where providers and people reach us; without it nothing is reported back to us. Links have to
    fit into headers of mails."""
    signing_key: SecretStr = SecretStr("")
    """Signs the tickets and links that leave with messages; without it they leave with none."""
    bounce_days: Annotated[int, Field(ge=1)] = 180
    """Days that an address is left alone after a hard bounce; complaints and STOP have no end."""
    track_opens: bool = True
    """Whether e-mail's HTML gets a pixel; needs `public_url` and `signing_key`."""
    track_clicks: bool = True
    """Whether links of e-mail's HTML lead by us, to count clicks; needs `public_url` and
    `signing_key`."""
    report_window: Annotated[int, Field(ge=1)] = 300
    """Seconds for which what a provider signed counts, if it signs a time as well."""
    sendgrid_webhook_key: str = ""
    """The verification key of SendGrid's signed event webhook: a public key in base64."""
    ses_topics: tuple[str, ...] = ()
    """ARNs of the SNS topics that report on SES mail to us, as JSON."""
    mailgun_signing_key: SecretStr = SecretStr("")
    """The key by which Mailgun signs its reports."""
    postmark_webhook_user: str = ""
    """Who logs in to report on Postmark's e-mails."""
    postmark_webhook_password: SecretStr = SecretStr("")
    """That user's password."""
    resend_webhook_secret: SecretStr = SecretStr("")
    """As Resend shows it, whsec_ and base64."""
    smtp_webhook_user: str = ""
    """Who logs in to hand over bounces."""
    smtp_webhook_password: SecretStr = SecretStr("")
    """That user's password."""
    vonage_signature_secret: SecretStr = SecretStr("")
    """The secret by which Vonage signs its reports."""
    query_host: str = "127.0.0.1"
    """A name or address at which `tocsin web` reaches this worker, to ask what its partitions
    store. Requests are signed with `signing_key`; without that, a worker refuses to answer beyond
    loopback."""
    query_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """The port for that; 0 takes a free one."""
    query_certificate_file: Path | None = None
    """PEM of a worker's certificate, by which it answers with TLS; read again when it changes."""
    query_key_file: Path | None = None
    """PEM of that certificate's key, unless the same file has it."""
    query_ca_file: Path | None = None
    """PEM of the authorities that may vouch for workers to the web; without it, the system's."""
    query_certificate_name: str = ""
    """What workers' certificates name, where that is not the host at which they are asked."""
    web_certificate_file: Path | None = None
    """PEM of the certificate with which `tocsin web` listens with TLS; read again when it
    changes."""
    web_key_file: Path | None = None
    """PEM of that certificate's key, unless the same file has it."""
    web_host: str = "127.0.0.1"
    """The address at which `tocsin web` listens."""
    web_port: Annotated[int, Field(ge=0, le=65535)] = 8090
    """The port for that; 0 takes a free one. Clients reach it by `public_url`, through the proxy
    that terminates TLS in front of it, or directly where it has a certificate."""
    web_connections: Annotated[int, Field(ge=1)] = 10_000
    """Connections that one web process has open; further ones are answered 503 at once."""
    web_connections_per_address: Annotated[int, Field(ge=1)] = 200
    """Of these, from one address, or of IPv6 from one /64."""
    web_proxies: tuple[IPv4Network | IPv6Network, ...] = (
        IPv4Network("127.0.0.0/8"),
        IPv6Network("::1/128"),
    )
    """Networks, as JSON, of the proxies in front of `tocsin web`, which bring many clients'
    connections: those from there are not counted by address. Let the proxy do it."""
    web_idle_seconds: Annotated[float, Field(gt=0)] = 75.0
    """After which a connection ends that sends nothing, or only a part of a request's head, or
    reads nothing of an answer; more than a proxy in front keeps one unused (nginx: 60), or it may
    use one that just ends."""
    web_body_seconds: Annotated[float, Field(gt=0)] = 30.0
    """For all of a request's body, from its head on; later it is answered 408."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may call us from browsers, as JSON; ["*"] for all."""
    api_keys: Path = Path("api-keys.toml")
    """The API's keys, by their hashes; `tocsin keys create` adds one. Without any it is shut."""
    pages_url: Annotated[str, Field(max_length=200)] = ""
    """Where people open the dashboard and the operator page, if that is not `public_url`."""
    oidc_issuer: str = ""
    """The company's OpenID provider, by which people log in to the pages; its name as its metadata
    has it, an https URL. Empty: API keys are the only way in."""
    oidc_client_id: str = ""
    """Who we are at the provider; it has to know `pages_url` with `/login/return` as our redirect
    URI, and with `/dashboard` as where a log-out leads."""
    oidc_client_secret: SecretStr = SecretStr("")
    """The client's secret; empty for a public client."""
    oidc_ca_file: Path | None = None
    """PEM of the authorities that may vouch for the provider; without it, the system's."""
    oidc_scope: str = "openid profile email"
    """What the provider is asked for."""
    oidc_claim: str = "groups"
    """The claim that says what somebody may do: a name, or a path with dots."""
    oidc_rights: dict[str, tuple[str, ...]] = {}
    """By a value of that claim, scopes of API keys, as JSON: {"oncall": ["operate", "read"]}; those
    of `*` are everybody's whom the provider logs in to this client."""
    oidc_name_claim: str = "email"
    """The claim by which somebody stands in the record of who did what; without it, `sub`."""
    oidc_tenant: str = "default"
    """Whose data people see who log in."""
    oidc_tenant_claim: str = ""
    """The claim that names each person's own tenant; then `oidc_tenant` is nobody's."""
    oidc_session_minutes: Annotated[int, Field(ge=1, le=10_080)] = 480
    """For which somebody stays logged in, and keeps the rights of that moment."""
    provider_timeout: Annotated[float, Field(gt=0)] = 10.0
    """Seconds that a call to a provider may take."""
    calls_in_flight: Annotated[int, Field(ge=4)] = 256
    """Provider calls that one channel has open at most in one process; a kill repeats no more than
    these."""

    fan_out_threshold: Annotated[int, Field(ge=1)] = 1000
    """From this many followers on, a post is written once and read by feeds."""
    inbox_size: Annotated[int, Field(ge=1, le=10_000)] = 1000
    """In-app notifications that are kept of one user; of more, the newest. Set lower, an inbox
    loses ten for each that comes until it fits."""
    tenant_share: Annotated[int, Field(ge=1)] = 1000
    """Records a second that a tenant may set off in each router partition; what is more waits
    in topics of its own until nothing else does, but for a small share."""
    user_requests_per_minute: Annotated[int, Field(ge=1)] = 600
    """Requests of one user by subscriber tokens and the links of messages. This limit and the
    following ones hold over all web processes, and allow ten seconds' worth at once."""
    tenant_requests_per_minute: Annotated[int, Field(ge=1)] = 120_000
    """Requests of all API keys of a tenant together, each of which has a limit of its own in the
    keys file; and as many again by all of the tenant's users."""
    tenant_erasures_per_minute: Annotated[int, Field(ge=1)] = 600
    """Users that a tenant may erase: each one costs far more than a request."""
    session_timeout: Annotated[float, Field(ge=1)] = 6.0
    """Seconds without a heartbeat after which a worker loses its partitions."""
    bytes_in_flight: Annotated[int, Field(ge=1 << 20)] = 16 << 20
    """Records fetched and not finished, over all partitions of a role in one process; twice that if
    every topic has a backlog at once, and four times as much in analytics."""
    bad_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    """More bad records than this among the last 200 of a partition stop the worker."""
    log_format: Format = "text"
    """Of what workers and the web log: lines for people, or objects of JSON."""
    log_level: Level = "WARNING"
    """The least severe lines that workers and the web log."""
    otlp_url: str = ""
    """Where spans of traces are sent by OTLP over HTTP, such as http://collector:4318/v1/traces;
    empty: nowhere, and no trace is begun or continued."""
    otlp_authorization: SecretStr = SecretStr("")
    """The header `Authorization` of these requests."""
    trace_ratio: Annotated[float, Field(ge=0, le=1)] = 0.0
    """The share of events without a `traceparent` that is traced. Of others its producer says."""
    metrics_host: str = "127.0.0.1"
    """The address at which a worker's metrics, and whether it is alive and ready, are served."""
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Prometheus metrics of a worker process, of all its roles, and `/live` and `/ready`; 0 serves
    none."""

    @property
    def brokers(self) -> Brokers:
        """Kafka, with how to get in."""
        access = Access(
            protocol=self.kafka_security_protocol,
            mechanism=self.kafka_sasl_mechanism,
            user=self.kafka_user,
            password=self.kafka_password,
            token_url=self.kafka_token_url,
            token_scope=self.kafka_token_scope,
            aws_region=self.aws_region,
            ca_file=self.kafka_ca_file,
            certificate_file=self.kafka_certificate_file,
            key_file=self.kafka_key_file,
            key_password=self.kafka_key_password,
        )
        return _known(Brokers(self.kafka, access, self.prefix))


@lru_cache(maxsize=16)
def _known(brokers: Brokers) -> Brokers:
    """The first of all that are equal, which has its certificates read and keeps its tokens."""
    return brokers
