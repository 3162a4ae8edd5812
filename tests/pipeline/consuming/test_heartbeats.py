"""Which answers of a coordinator keep a lease, and which end it."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import errors
from aiokafka.protocol.group import (
    HeartbeatRequest,
    JoinGroupRequest,
    LeaveGroupRequest,
    SyncGroupRequest,
)

from pipeline.consuming.heartbeats import renew_by_answers
from pipeline.producing.lease import Lease
from schemas.errors import Unavailable

HEARTBEAT = HeartbeatRequest("group", 1, "member")
SYNC = SyncGroupRequest("group", 1, "member", None, [])
JOIN = JoinGroupRequest("group", 6000, 6000, "member", None, "consumer", [])


class Coordinator:
    """Answers each request with an error's code, three seconds after it was sent."""

    def __init__(self, error: type[errors.KafkaError]) -> None:
        self.time = 100.0
        self.lease = Lease(6.0, clock=lambda: self.time)
        self.lease.begin()
        self._code = error.errno
        self._client = self
        renew_by_answers(self, self.lease)

    async def send(self, node_id: int, request: Any, *, group: Any = None) -> Any:
        self.time += 3
        return SimpleNamespace(error_code=self._code)

    def holds_until(self) -> float | None:
        """The last moment, to a tenth of a second, at which the lease holds; None for never."""
        until = None
        for tenths in range(150):
            self.time = 100 + tenths / 10
            try:
                self.lease.check()
            except Unavailable:
                continue
            until = self.time
        return until


@pytest.mark.parametrize("request_", [HEARTBEAT, SYNC])
@pytest.mark.parametrize("error", [errors.NoError, errors.RebalanceInProgressError])
async def test_who_is_a_member_has_it_from_when_the_request_was_sent(
    request_: Any, error: type[errors.KafkaError]
) -> None:
    coordinator = Coordinator(error)
    await coordinator.send(1, request_)
    assert coordinator.holds_until() == 105


@pytest.mark.parametrize("error", [errors.UnknownMemberIdError, errors.IllegalGenerationError])
async def test_who_is_no_member_loses_it(error: type[errors.KafkaError]) -> None:
    coordinator = Coordinator(error)
    coordinator.lease.renew(100)
    await coordinator.send(1, HEARTBEAT)
    assert coordinator.holds_until() is None


@pytest.mark.parametrize("error", [errors.NotCoordinatorError, errors.CoordinatorNotAvailableError])
async def test_what_says_nothing_of_the_membership_changes_nothing(
    error: type[errors.KafkaError],
) -> None:
    coordinator = Coordinator(error)
    coordinator.lease.renew(99)
    await coordinator.send(1, HEARTBEAT)
    assert coordinator.holds_until() == 104


async def test_other_requests_say_nothing_but_for_a_leave() -> None:
    coordinator = Coordinator(errors.NoError)
    coordinator.lease.renew(99)
    await coordinator.send(1, JOIN)
    assert coordinator.holds_until() == 104
    await coordinator.send(1, LeaveGroupRequest("group", "member"))
    assert coordinator.holds_until() is None
