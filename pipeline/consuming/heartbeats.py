"""What a group's coordinator answers, passed to the lease."""

from typing import Any

from aiokafka import AIOKafkaConsumer, errors
from aiokafka.client import ConnectionGroup
from aiokafka.protocol.group import HeartbeatRequest, LeaveGroupRequest, SyncGroupRequest

from pipeline.producing.lease import Lease

MEMBER = (errors.NoError, errors.RebalanceInProgressError)
"""Answers after which the session begins anew: also while others join, until we do."""
RENEWING = {HeartbeatRequest.API_KEY, SyncGroupRequest.API_KEY}
"""By key, as a member with a name sends heartbeats of a class of its own."""
NO_MEMBER = (errors.UnknownMemberIdError, errors.IllegalGenerationError)


def renew_by_answers(consumer: AIOKafkaConsumer, lease: Lease) -> None:
    """Have the lease renewed by each answer that the consumer's membership lives on by.

    The consumer must not be started yet. Its client has one way for all requests; what is sent
    there is looked at, and goes on as it is.
    """
    client = consumer._client  # noqa: SLF001  # nothing public sees what a group is answered
    send = client.send

    async def send_and_heed(
        node_id: int, request: Any, *, group: ConnectionGroup = ConnectionGroup.DEFAULT
    ) -> Any:
        if isinstance(request, LeaveGroupRequest):
            lease.lose()
        if request.API_KEY not in RENEWING:
            return await send(node_id, request, group=group)
        sent_at = lease.now()
        answer = await send(node_id, request, group=group)
        _heed(errors.for_code(answer.error_code), sent_at, lease)
        return answer

    client.send = send_and_heed


def _heed(error: type[errors.KafkaError], sent_at: float, lease: Lease) -> None:
    if error in MEMBER:
        lease.renew(sent_at)
    elif error in NO_MEMBER:
        lease.lose()
