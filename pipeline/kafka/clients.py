"""Where every client of Kafka is made, so that what all connections have in common is said once."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError

from pipeline.consuming.fetch_sessions import use_fetch_sessions
from pipeline.kafka.brokers import Kafka, brokers_of
from pipeline.kafka.decompression import limit_unpacking
from pipeline.kafka.logins import renew_logins
from pipeline.kafka.names import CLIENT_ID, use_prefixes
from pipeline.kafka.refusals import refusal
from pipeline.kafka.throttling import obey_throttling
from pipeline.kafka.tokens import heed_refused_tokens
from schemas.errors import Unavailable

limit_unpacking()
heed_refused_tokens()
use_prefixes()
renew_logins()
obey_throttling()

METADATA_MS = 10_000
"""After which a client asks anew which broker leads what. Not every answer that a broker is no
leader any more makes aiokafka ask; with its own five minutes a reader may stand still that long."""
REQUEST_MS = 10_000
"""For which a broker that keeps its connections and answers nothing is waited for, until its
successor is looked for. Kafka itself gives such a one up after 9 s."""

Client = TypeVar("Client")


def new_client(kind: Callable[..., Client], kafka: Kafka, *args: Any, **options: Any) -> Client:
    """A client of any kind for these brokers; it is not started.

    `options` are for what this one client needs. What concerns the connection, such as encryption
    and authentication, belongs here, for all. Raises Misconfigured.
    """
    brokers = brokers_of(kafka)
    connection: dict[str, Any] = {
        **brokers.access.options,
        "bootstrap_servers": brokers.listed,
        "client_id": brokers.prefix + CLIENT_ID,
        "metadata_max_age_ms": METADATA_MS,
    }
    if isinstance(kind, type) and issubclass(kind, AIOKafkaConsumer):
        # What a producer has taken back, or may still take back, never happened.
        connection["isolation_level"] = "read_committed"
    client = kind(*args, **(connection | options))
    if isinstance(client, AIOKafkaConsumer):
        # Of one request; what a consumer is asked to find out may take several, and has its own.
        client._client._request_timeout_ms = REQUEST_MS  # noqa: SLF001
        use_fetch_sessions(client)
    return client


def new_admin(kafka: Kafka, **options: Any) -> AIOKafkaAdminClient:
    """A client that creates, describes and alters; it is not started."""
    return new_client(AIOKafkaAdminClient, kafka, **options)


def new_consumer(kafka: Kafka, *topics: str, **options: Any) -> AIOKafkaConsumer:
    """A consumer that commits nothing by itself and begins at the start; it is not started."""
    plain = {"enable_auto_commit": False, "auto_offset_reset": "earliest"}
    return new_client(AIOKafkaConsumer, kafka, *topics, **(plain | options))


def kafka_away(kafka: Kafka, error: KafkaError) -> Unavailable:
    """What to raise when a topic can't be read as Kafka does not answer."""
    return Unavailable(
        f"Kafka does not answer at {kafka} ({error!r}). Nothing was changed; start it, or set "
        "TOCSIN_KAFKA to where it listens."
    )


@asynccontextmanager
async def reader(
    kafka: Kafka,
    *topics: str,
    explain: Callable[[Kafka, KafkaError], Unavailable] = kafka_away,
    **options: Any,
) -> AsyncIterator[AIOKafkaConsumer]:
    """A started consumer outside of any group, stopped at the end of the block.

    What Kafka's client raises in the block becomes what `explain` makes of it: Unavailable.
    """
    consumer = new_consumer(kafka, *topics, **options)
    try:
        await consumer.start()
        yield consumer
    except KafkaError as error:
        raise await refusal(kafka, error) or explain(kafka, error) from error
    finally:
        await consumer.stop()


async def check_group(kafka: Kafka, group: str) -> None:
    """Raise Unavailable where rules keep us out of a group: its members would wait for ever."""
    if brokers_of(kafka).access.protocol == "PLAINTEXT":
        return
    async with administrator(kafka) as admin:
        try:
            await admin.list_consumer_group_offsets(group)
        except GroupAuthorizationFailedError:
            raise
        except KafkaError:
            pass  # in a new cluster nobody may coordinate groups yet


@asynccontextmanager
async def administrator(
    kafka: Kafka, explain: Callable[[Kafka, KafkaError], Unavailable] = kafka_away
) -> AsyncIterator[AIOKafkaAdminClient]:
    """A started admin client, closed at the end of the block; raises Unavailable."""
    admin = new_admin(kafka)
    try:
        await admin.start()
        yield admin
    except KafkaError as error:
        raise await refusal(kafka, error) or explain(kafka, error) from error
    finally:
        await admin.close()
