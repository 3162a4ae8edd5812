"""What a Kafka with access rules lets us do, asked without doing it.

Brokers add to what they say of a topic or a group which operations we may use on it, from Kafka 2.3
on. The client has no such request.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from aiokafka import errors
from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Bytes, Int16, Int32, Schema, String

from pipeline.admin.grants import Grant, Resource
from pipeline.kafka.brokers import Kafka, brokers_of
from pipeline.kafka.clients import administrator
from pipeline.producing.fencing import InitProducerId
from schemas.errors import NotPermitted

TEXT = String("utf-8")
OPERATIONS = {
    "Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10, "AlterConfigs": 11,
}  # fmt: skip
"""By the name that Kafka's own tool has, the bit by which a broker says that it is allowed."""
UNSAID = -(1 << 31)
"""What a broker answers that keeps no account of rights."""
TRIED = "check"
"""What follows the prefix of groups and transactional ids in the names that are asked for."""


COORDINATOR_SECONDS = 20.0
"""For which one is waited for: in a new cluster none is there until the first has asked."""
PAUSE = 0.2
PASSING = (
    errors.CoordinatorNotAvailableError,
    errors.GroupCoordinatorNotAvailableError,
    errors.NotCoordinatorError,
    errors.NotCoordinatorForGroupError,
    errors.CoordinatorLoadInProgressError,
    errors.GroupLoadInProgressError,
)


class MetadataResponse_v8(Response):  # noqa: N801  # named as aiokafka's own are
    """What topics there are, and what we may do with each."""

    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("node_id", Int32), ("host", TEXT), ("port", Int32), ("rack", TEXT))),
        ("cluster_id", TEXT),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", TEXT),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
        ("cluster_authorized_operations", Int32),
    )


class MetadataRequest_v8(RequestStruct):  # noqa: N801
    """Asks for these topics and our rights."""

    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = MetadataResponse_v8
    SCHEMA = Schema(
        ("topics", Array(TEXT)),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class DescribeGroupsResponse_v3(Response):  # noqa: N801
    """What groups there are, and what we may do with each."""

    API_KEY = 15
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "groups",
            Array(
                ("error_code", Int16),
                ("group", TEXT),
                ("state", TEXT),
                ("protocol_type", TEXT),
                ("protocol", TEXT),
                (
                    "members",
                    Array(
                        ("member_id", TEXT),
                        ("client_id", TEXT),
                        ("client_host", TEXT),
                        ("member_metadata", Bytes),
                        ("member_assignment", Bytes),
                    ),
                ),
                ("authorized_operations", Int32),
            ),
        ),
    )


class DescribeGroupsRequest_v3(RequestStruct):  # noqa: N801
    """Asks for these groups and our rights."""

    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = DescribeGroupsResponse_v3
    SCHEMA = Schema(("groups", Array(TEXT)), ("include_authorized_operations", Boolean))


class TopicRights(Request[MetadataRequest_v8]):
    """Asks what we may do with topics; creates none."""

    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = list(topics)

    def build(self, request_struct_class: type[MetadataRequest_v8]) -> MetadataRequest_v8:
        """As it goes over the wire."""
        return request_struct_class(self._topics, False, False, True)


class GroupRights(Request[DescribeGroupsRequest_v3]):
    """Asks what we may do with a group, which need not be there."""

    API_KEY = 15

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[DescribeGroupsRequest_v3]) -> Any:
        """As it goes over the wire."""
        return request_struct_class([self._group], True)


async def missing(client: AIOKafkaClient, grant: Grant) -> list[str]:
    """What of a grant we don't have: the operations, and of what. Raises KafkaError."""
    end = time.monotonic() + COORDINATOR_SECONDS
    while True:
        try:
            return await _missing(client, grant)
        except PASSING:
            if time.monotonic() >= end:
                raise
            await asyncio.sleep(PAUSE)


async def check_reading(kafka: Kafka, topics: Iterable[str]) -> None:
    """Raise NotPermitted where rules keep us from reading one of our topics.

    A reader would find out at its first fetch, when it is ready by all that is seen of it.
    """
    brokers = brokers_of(kafka)
    if brokers.access.protocol == "PLAINTEXT":
        return
    wanted = Grant("topic", tuple(topics), ("Read",))
    async with administrator(kafka) as admin:
        try:
            # It has no such method of its own.
            lacking = await missing(admin._client, wanted)  # noqa: SLF001
        except errors.KafkaError:
            return  # it does not say; the first fetch will
    if lacking:
        raise NotPermitted(
            f"Kafka's rules at {brokers} do not allow it: missing is {', '.join(lacking)}. Nothing "
            "was read or changed; `tocsin setup --acls User:NAME` prints what we need."
        )


async def _missing(client: AIOKafkaClient, grant: Grant) -> list[str]:
    match grant.resource:
        case "topic":
            return await _of_topics(client, grant)
        case "group":
            return await _of_group(client, grant)
        case "transactional-id":
            return await _of_transactional_id(client, grant)


async def _of_topics(client: AIOKafkaClient, grant: Grant) -> list[str]:
    answer = await client.send(client.get_random_node(), TopicRights(grant.names))
    lacking = []
    for code, name, _, _, allowed in answer.topics:
        error = errors.for_code(code)
        if error is errors.UnknownTopicOrPartitionError:
            continue  # what is not there is told elsewhere
        if error is errors.TopicAuthorizationFailedError:
            allowed = 0
        elif code:
            raise error(name)
        if gone := _lacking(grant, allowed):
            lacking.append(f"{', '.join(gone)} on {name}")
    return lacking


async def _of_group(client: AIOKafkaClient, grant: Grant) -> list[str]:
    (begin,) = grant.names
    name = begin + TRIED
    try:
        node = await client.coordinator_lookup(CoordinationType.GROUP, name)
    except errors.GroupAuthorizationFailedError:
        return [_all_of(grant, begin)]
    answer = await client.send(node, GroupRights(name), group=ConnectionGroup.COORDINATION)
    ((code, *_, allowed),) = answer.groups
    error = errors.for_code(code)
    if error is errors.GroupAuthorizationFailedError:
        return [_all_of(grant, begin)]
    if code:
        raise error(name)
    gone = _lacking(grant, allowed)
    return [f"{', '.join(gone)} on groups that begin with {begin}"] if gone else []


async def _of_transactional_id(client: AIOKafkaClient, grant: Grant) -> list[str]:
    """Found out by taking an id that nobody writes with; Kafka forgets it after a week."""
    (begin,) = grant.names
    name = begin + TRIED
    try:
        node = await client.coordinator_lookup(CoordinationType.TRANSACTION, name)
        request = InitProducerId(name, None)
        answer = await client.send(node, request, group=ConnectionGroup.COORDINATION)
    except errors.TransactionalIdAuthorizationFailed:
        return [_all_of(grant, begin)]
    error = errors.for_code(answer.error_code)
    if error is errors.TransactionalIdAuthorizationFailed:
        return [_all_of(grant, begin)]
    if error is not errors.NoError:
        raise error(name)
    return []


def _lacking(grant: Grant, allowed: int) -> list[str]:
    if allowed == UNSAID:
        return []
    return [each for each in grant.operations if not allowed & (1 << OPERATIONS[each])]


def _all_of(grant: Grant, begin: str) -> str:
    kinds: dict[Resource, str] = {"group": "groups", "transactional-id": "transactional ids"}
    return f"{', '.join(grant.operations)} on {kinds[grant.resource]} that begin with {begin}"
