"""Being a member of a consumer group under a name that stays the same over restarts.

Kafka calls that static membership. A member that is killed and back within the session has its
partitions again without anybody else noticing. One that stops in order says that it leaves, so
that others take over at once; Kafka's client would not say so for a member with a name.
"""

import fcntl
import os
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer
from aiokafka.client import ConnectionGroup
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocol, ConsumerProtocolMemberAssignment
from aiokafka.protocol.api import Request, RequestStruct
from aiokafka.protocol.group import (
    HeartbeatRequest,
    HeartbeatResponse_v1,
    JoinGroupRequest,
    SyncGroupRequest,
)
from aiokafka.protocol.types import Int32, Schema, String
from msgspec import Struct

from pipeline.consuming.sticky_assignor import StickyAssignor
from schemas.errors import Misconfigured

FENCED_INSTANCE_ID = 82
"""Kafka's error code for a member whose name another has joined with."""


class Member(Struct, frozen=True):
    """A worker as a member of its role's group: its name, and where it notes what it was given."""

    name: str
    notes: Path


def member_of(folder: Path, role: str, name: str) -> tuple[Member, IO[str]]:
    """The member that a worker of a role with this folder is, unless it has a `name` of its own.

    The folder bears one, so a copy of it would be the same member. The open file that is returned
    keeps others out of the role in this folder until it is closed or the process ends. Raises
    Misconfigured where another is in.
    """
    lock = (folder / f".{role}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise Misconfigured(
            f"Another worker of the role {role} runs with TOCSIN_DATA_DIR={folder}. Nothing was "
            "started; give each process of a role a folder of its own."
        ) from None
    return Member(name or _name_in(folder), folder / f".{role}.assigned"), lock


def _name_in(folder: Path) -> str:
    """The name that the folder has had since a worker first ran with it."""
    file = folder / ".worker-name"
    new = folder / f".worker-name-{os.getpid()}"
    if not file.exists():
        # Workers of several roles may begin at once: whoever links first names the folder.
        new.write_text(f"worker-{uuid4().hex}")
        try:
            file.hardlink_to(new)
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return file.read_text().strip()


class _NamedHeartbeat(RequestStruct):
    """A heartbeat that says the member's name, so that the broker can say that it is taken."""

    API_KEY = HeartbeatRequest.API_KEY
    API_VERSION = 3
    RESPONSE_TYPE = type("HeartbeatResponse_v3", (HeartbeatResponse_v1,), {"API_VERSION": 3})
    SCHEMA = Schema(
        ("group", String("utf-8")),
        ("generation_id", Int32),
        ("member_id", String("utf-8")),
        ("group_instance_id", String("utf-8")),
    )


class NamedHeartbeatRequest(Request[_NamedHeartbeat]):
    """The request for it."""

    API_KEY = HeartbeatRequest.API_KEY

    def __init__(self, *fields: Any) -> None:
        self._fields = fields

    def build(self, request_struct_class: type[_NamedHeartbeat]) -> _NamedHeartbeat:
        """As it goes over the wire."""
        return request_struct_class(*self._fields)


class NamedCoordinator(GroupCoordinator):
    """The client's part in a group, with our strategy, or *range* while members lack ours."""

    _group_instance_id: str | None

    def __init__(self, *args: Any, notes: Path | None, **options: Any) -> None:
        self._sticky = StickyAssignor(notes)
        self._joins_again = False
        # The client sends a join for each strategy; so it is given one, and the join has both.
        super().__init__(*args, assignors=[self._sticky], **options)

    def _lookup_assignor(self, name: str) -> Any:
        return RangePartitionAssignor if name == RangePartitionAssignor.name else self._sticky

    async def _send_req(self, request: Any) -> Any:
        await self._wait_longer_for(request)
        if isinstance(request, JoinGroupRequest):
            topics = self._subscription.subscription.topics
            request._group_protocols = [  # noqa: SLF001 - see above
                (strategy.name, strategy.metadata(topics).encode())
                for strategy in (self._sticky, RangePartitionAssignor)
            ]
        elif isinstance(request, HeartbeatRequest) and self._group_instance_id is not None:
            request = NamedHeartbeatRequest(
                self.group_id, self.generation, self.member_id, self._group_instance_id
            )
        answer = await super()._send_req(request)
        if getattr(answer, "error_code", 0) == FENCED_INSTANCE_ID:
            raise Misconfigured(
                f"Another worker has joined the group {self.group_id} under our name, "
                f"{self._group_instance_id}, so our partitions are its own now. Nothing more was "
                "written; give each worker a TOCSIN_DATA_DIR that is no copy of another's, or a "
                "TOCSIN_WORKER_NAME of its own."
            )
        return answer

    async def _wait_longer_for(self, request: Any) -> None:
        """Let a join take as long as the others of the group may, which any broker is given less.

        The client has one time for all requests of a connection, and looks at it as it sends.
        """
        place = self.coordinator_id, ConnectionGroup.COORDINATION
        if place[0] is None or not await self._client.ready(place[0], group=place[1]):
            return
        client = self._client
        milliseconds = client._request_timeout_ms  # noqa: SLF001 - see above
        if isinstance(request, JoinGroupRequest | SyncGroupRequest):
            milliseconds += self._rebalance_timeout_ms
        client._conns[place]._request_timeout = milliseconds / 1000  # noqa: SLF001

    async def _do_rejoin_group(self, subscription: Any) -> bool:
        self._joins_again = False
        has_joined: bool = await super()._do_rejoin_group(subscription)
        return has_joined and not self._joins_again

    async def _on_join_complete(
        self, generation: int, member_id: str, protocol: str, member_assignment_bytes: bytes
    ) -> None:
        assignment = ConsumerProtocol.ASSIGNMENT.decode(member_assignment_bytes)
        if protocol == self._sticky.name and self._lacks_topics(assignment):
            # A member that was killed is given what it had, though it is of a newer version now
            # and reads more. To leave and join again makes the group share anew.
            await self._maybe_leave_group()
            self._joins_again = True
            return
        self._sticky.remember(generation, assignment)
        await super()._on_join_complete(generation, member_id, protocol, member_assignment_bytes)

    def _lacks_topics(self, assignment: ConsumerProtocolMemberAssignment) -> bool:
        """Whether it says nothing of a topic that we subscribe to, not even that none is ours."""
        given = {topic for topic, _ in assignment.assignment}
        return not given >= set(self._subscription.subscription.topics)

    async def _maybe_leave_group(self) -> None:
        name, self._group_instance_id = self._group_instance_id, None
        try:
            await super()._maybe_leave_group()
        finally:
            self._group_instance_id = name


class NamedConsumer(AIOKafkaConsumer):
    """A consumer in a group, as a member with a name if it has one; subscribe after the start."""

    _coordinator: Any

    def __init__(self, *, member: Member | None, **options: Any) -> None:
        super().__init__(**options)
        self._member = member

    async def leave(self) -> None:
        """Leave the group; what rebalances meanwhile is heard to its end, and nothing after it."""
        await self._coordinator.close()

    async def start(self) -> None:
        """Connect; the group is joined when topics are subscribed to."""
        await super().start()
        plain = self._coordinator
        self._client.cluster.remove_listener(plain._handle_metadata_update)  # noqa: SLF001
        await plain.close()
        self._coordinator = NamedCoordinator(
            self._client,
            self._subscription,
            group_id=self._group_id,
            group_instance_id=self._member.name if self._member else None,
            notes=self._member.notes if self._member else None,
            heartbeat_interval_ms=self._heartbeat_interval_ms,
            session_timeout_ms=self._session_timeout_ms,
            rebalance_timeout_ms=self._rebalance_timeout_ms,
            max_poll_interval_ms=self._max_poll_interval_ms,
            enable_auto_commit=False,
        )
