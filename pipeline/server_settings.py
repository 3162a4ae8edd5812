"""The settings of the servers that processes stand on: Kafka, ClickHouse, schema registries."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline.kafka.brokers import Mechanism, Protocol

Port = Annotated[int, Field(ge=1, le=65535)]


class ServerSettings(BaseSettings):
    """How they are reached, what their topics and tables are called, and where copies are kept."""

    # Nobody has these alone: what reads them is made once, for all settings.
    model_config = SettingsConfigDict(frozen=True, extra="ignore", defer_build=True)

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
