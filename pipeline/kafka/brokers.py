"""Where Kafka is, and how a client gets in there."""

import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from pipeline.tls import RenewedContext, trust
from schemas.errors import Misconfigured

Protocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM"]

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):[0-9]{1,5}")
NO_SECRET = SecretStr("")


@dataclass(frozen=True, kw_only=True)
class Access:
    """What brokers ask for before they answer.

    `ca_file` has the authorities that may vouch for brokers (PEM; without it the system's);
    `certificate_file` and `key_file` are ours, for brokers that want to know us by TLS. `user` and
    `password` log in; with OAUTHBEARER they are a client's id and secret, for which `token_url`
    gives tokens of `token_scope`. With AWS_MSK_IAM the credentials of AWS in `aws_region` log in:
    `user` and `password` as access key and secret, or what the machine has.
    """

    protocol: Protocol = "PLAINTEXT"
    mechanism: Mechanism = "SCRAM-SHA-512"
    user: str = ""
    password: SecretStr = NO_SECRET
    token_url: str = ""
    token_scope: str = ""
    aws_region: str = ""
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    key_password: SecretStr = NO_SECRET

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """What is set and would be ignored, or is missing: the field, and why it can't be so."""
        has_tls, logs_in = "SSL" in self.protocol, self.protocol.startswith("SASL")
        ways = self.mechanism if logs_in else ""
        if not has_tls:
            for name in ("ca_file", "certificate_file", "key_file"):
                if getattr(self, name) is not None:
                    yield name, f"the security protocol is {self.protocol}, without TLS"
        if not logs_in and (self.user or self.password.get_secret_value()):
            yield "user", f"the security protocol is {self.protocol}, with which nobody logs in"
        if logs_in and ways != "AWS_MSK_IAM" and not self.user:
            yield "user", f"the security protocol is {self.protocol}, and nobody is named to log in"
        if ways == "OAUTHBEARER" and not _is_guarded(self.token_url):
            yield "token_url", "it has to be a URL with https://, or with http:// on this machine"
        if ways == "AWS_MSK_IAM" and not self.aws_region:
            yield "sasl_mechanism", "AWS_MSK_IAM takes TOCSIN_AWS_REGION, which is not set"
        if self.key_file is not None and self.certificate_file is None:
            yield "key_file", "it comes with TOCSIN_KAFKA_CERTIFICATE_FILE, which is not set"

    @property
    def has_tokens(self) -> bool:
        """Whether it logs in with tokens."""
        return self.mechanism in ("OAUTHBEARER", "AWS_MSK_IAM")

    @cached_property
    def options(self) -> dict[str, Any]:
        """As Kafka's client takes them; raises Misconfigured for files that can't be used."""
        options: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol.endswith("SSL"):
            files = self.ca_file, self.certificate_file, self.key_file
            options["ssl_context"] = RenewedContext.of(
                "kafka_certificate_file", self._load_files, *files
            )
        if self.protocol.startswith("SASL"):
            options |= self._login()
        return options

    def _load_files(self, context: ssl.SSLContext) -> None:
        try:
            trust(context, self.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise _unusable("TOCSIN_KAFKA_CA_FILE", self.ca_file, error) from error
        if self.certificate_file is not None:
            try:
                context.load_cert_chain(
                    self.certificate_file, self.key_file, self.key_password.get_secret_value()
                )
            except (OSError, ssl.SSLError) as error:
                name = "TOCSIN_KAFKA_CERTIFICATE_FILE and TOCSIN_KAFKA_KEY_FILE"
                raise _unusable(name, self.certificate_file, error) from error

    def _login(self) -> dict[str, Any]:
        # Imported late: settings are read where nothing of Kafka's client is loaded yet.
        from pipeline.kafka.logins import Password
        from pipeline.kafka.tokens import MskTokens, Tokens

        match self.mechanism:
            case "OAUTHBEARER":
                tokens = Tokens(
                    self.token_url, self.user, self.password, self.token_scope, self.ca_file
                )
                return {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": tokens}
            case "AWS_MSK_IAM":
                signed = MskTokens(self.aws_region, self.user, self.password.get_secret_value())
                return {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": signed}
            case mechanism:
                return {
                    "sasl_mechanism": mechanism,
                    "sasl_plain_username": self.user,
                    "sasl_plain_password": Password.of(self.password),
                }


IN_THE_CLEAR = Access()


@dataclass(frozen=True)
class Brokers:
    """Addresses (host:port, …) and how to get in; as a text the addresses alone.

    `prefix` is what names of topics, groups and transactional ids begin with there.
    """

    addresses: str
    access: Access = IN_THE_CLEAR
    prefix: str = ""

    def __str__(self) -> str:
        return self.addresses

    @property
    def unprefixed(self) -> "Brokers":
        """The same, with all names as others have them, who know of no prefix."""
        return replace(self, prefix="")

    def contradictions(self) -> Iterator[str]:
        """Why the addresses can't be used."""
        wrong = [each for each in self.listed if not _ADDRESS.fullmatch(each)]
        if wrong or not self.listed:
            yield f"{wrong[0] if wrong else 'it'} is no address as host:port"

    @property
    def listed(self) -> list[str]:
        """Each address by itself."""
        return [each.strip() for each in self.addresses.split(",") if each.strip()]


Kafka = Brokers | str
"""Brokers; a text where they take connections in the clear from anybody."""


def brokers_of(kafka: Kafka) -> Brokers:
    """The same, with how to get in."""
    return Brokers(kafka) if isinstance(kafka, str) else kafka


def _is_guarded(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")
    )


def _unusable(names: str, file: Path | None, error: Exception) -> Misconfigured:
    return Misconfigured(
        f"{names} can't be used: {file or 'the authorities of this system'}: {error}. "
        "Nothing was started."
    )
