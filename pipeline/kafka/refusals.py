"""Why a Kafka that is there does not let a client in: its client only says that none answers."""

import socket
import ssl
from datetime import UTC, datetime
from typing import Any

from aiokafka import errors
from aiokafka.conn import create_conn
from aiokafka.errors import KafkaConnectionError, KafkaError, UnsupportedSaslMechanismError
from aiokafka.protocol.metadata import MetadataRequest

from pipeline.kafka.brokers import Access, Kafka, brokers_of
from pipeline.kafka.tokens import NoToken
from schemas.errors import NotPermitted, Unavailable

TIMEOUT_MS = 5000
RULES = (
    errors.ClusterAuthorizationFailedError,
    errors.GroupAuthorizationFailedError,
    errors.TopicAuthorizationFailedError,
    errors.TransactionalIdAuthorizationFailed,
)
PASSWORDS = "TOCSIN_KAFKA_USER and TOCSIN_KAFKA_PASSWORD"


async def refusal(kafka: Kafka, error: KafkaError) -> Unavailable | None:
    """What to raise where the first broker that is there refuses us; None where none is there.

    It is asked once more, as the error that a client raised says nothing of it.
    """
    brokers = brokers_of(kafka)
    if isinstance(error, NoToken):
        return _refused(brokers.addresses, str(error), error)
    if isinstance(error, RULES):
        return NotPermitted(
            f"Kafka's rules at {brokers} do not allow it ({type(error).__name__}). Nothing was "
            "read or changed; `tocsin setup --acls User:NAME` prints what we need."
        )
    if not isinstance(error, KafkaConnectionError):
        return None
    for address in brokers.listed:
        host, _, port = address.rpartition(":")
        options: dict[str, Any] = brokers.access.options
        try:
            connection = await create_conn(
                host.strip("[]"), int(port), request_timeout_ms=TIMEOUT_MS, **options
            )
        except (ConnectionRefusedError, TimeoutError, socket.gaierror):
            continue
        except Exception as found:
            return _refused(address, reason_of(found, brokers.access), found)
        try:
            # Only now does it show whether a login was wanted.
            await connection.send(MetadataRequest([]))
        except TimeoutError:
            continue
        except KafkaError as found:
            return _refused(address, reason_of(found, brokers.access), found)
        finally:
            connection.close()
        return None
    return None


def reason_of(error: Exception, access: Access) -> str:
    """In words, with the setting that it is about."""
    if ended := _own_end(access):
        # A broker only ends the connection, whatever it finds wrong.
        return f"our certificate in TOCSIN_KAFKA_CERTIFICATE_FILE ended on {ended}"
    match error:
        case ssl.SSLCertVerificationError():
            return (
                f"its certificate can't be trusted ({error.verify_message}); "
                "TOCSIN_KAFKA_CA_FILE names who may vouch for it"
            )
        case ssl.SSLError():
            return (
                f"it can't agree with us on TLS ({error.reason or error}); look at "
                f"TOCSIN_KAFKA_SECURITY_PROTOCOL, which is {access.protocol}, and at "
                "TOCSIN_KAFKA_CERTIFICATE_FILE if it wants to know us by one"
            )
        case UnsupportedSaslMechanismError():
            return f"it does not know TOCSIN_KAFKA_SASL_MECHANISM {access.mechanism}: {error}"
        case NoToken():
            return str(error)
        case KafkaConnectionError() if access.protocol == "SASL_PLAINTEXT":
            return (
                f"it ends the connection ({error!r}); it may refuse {access.user}, see "
                f"{PASSWORDS}, or want TLS: TOCSIN_KAFKA_SECURITY_PROTOCOL is SASL_PLAINTEXT"
            )
        case KafkaError() if access.protocol.startswith("SASL"):
            who = "our token" if access.has_tokens else access.user
            return f"it refuses {who} ({error!r}); see {PASSWORDS}"
        case KafkaError() if access.protocol == "SSL":
            return (
                "it ends the connection once that is encrypted; it may want to know us by "
                "TOCSIN_KAFKA_CERTIFICATE_FILE, or not trust what that has, or want a login "
                "(TOCSIN_KAFKA_SECURITY_PROTOCOL)"
            )
        case _:
            return (
                f"it ends the connection ({error!r}); TOCSIN_KAFKA_SECURITY_PROTOCOL is "
                f"{access.protocol}, and it may want another one"
            )


def _own_end(access: Access) -> str:
    """When our certificate ended, and with it all that it could prove; else empty."""
    if access.certificate_file is None:
        return ""
    # Imported late: it takes a while, and is needed where something is wrong.
    from cryptography.x509 import load_pem_x509_certificate

    try:
        end = load_pem_x509_certificate(access.certificate_file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        return ""
    return f"{end:%Y-%m-%d %H:%M} UTC" if end <= datetime.now(UTC) else ""


def _refused(address: str, why: str, error: Exception) -> Unavailable:
    # A connection that ends, or a token that can't be had, may be otherwise a moment later.
    may_pass = isinstance(error, (NoToken, KafkaConnectionError, OSError))
    is_final = isinstance(error, ssl.SSLError) or not may_pass
    kind = NotPermitted if is_final else Unavailable
    return kind(f"Kafka at {address} does not let us in: {why}. Nothing was read or changed.")
