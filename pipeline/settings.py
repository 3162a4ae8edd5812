"""Every setting, parsed once from variables (`pipeline.variables`) and frozen."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline.kafka.brokers import Access, Brokers
from pipeline.monitoring.logs import Format, Level
from pipeline.provider_settings import ProviderSettings
from pipeline.server_settings import ServerSettings


class Settings(ProviderSettings, ServerSettings, BaseSettings):
    """How one process of Tocsin is set up; nothing else reads the environment.

    Secrets are `SecretStr`, so that printing the settings shows asterisks. Those of servers come
    first, and then those of providers.
    """

    model_config = SettingsConfigDict(defer_build=False)

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
