"""The work itself for those who only bring their own runtime: one request in, records out."""

import time
from typing import NamedTuple

import msgspec

from bench.decide.workload import CATALOGUE
from policy.decision.decide import decide
from policy.delivery_events import not_sent, queued
from policy.user.ledger import Ledger
from policy.user.profile import Profile
from policy.user.state import UserState
from schemas.request import Request

decode_request = msgspec.json.Decoder(Request).decode
decode_profile = msgspec.msgpack.Decoder(Profile).decode
decode_ledger = msgspec.msgpack.Decoder(Ledger).decode
encode_ledger = msgspec.msgpack.Encoder().encode
encode = msgspec.json.Encoder().encode


class Outcome(NamedTuple):
    """What to write; a `ledger` of None has not changed."""

    deliveries: list[bytes]
    events: list[bytes]
    ledger: bytes | None


def work(request: Request, profile: bytes | None, ledger: bytes | None) -> Outcome:
    """Decide as the decider does, on state in the decider's own encoding."""
    spec = CATALOGUE.types[request.type]
    before = decode_ledger(ledger) if ledger else Ledger()
    now = time.time_ns() // 1_000_000
    state = UserState(decode_profile(profile) if profile else Profile(), before)
    decision = decide(request, spec, state, now)
    deliveries = decision.deliveries
    name = decision.notification_id
    return Outcome(
        deliveries=[encode(delivery) for delivery in deliveries],
        events=[encode(queued(delivery, decision, state, now)) for delivery in deliveries]
        + [encode(not_sent(request, spec, name, told, now)) for told in decision.outcomes],
        ledger=None if decision.ledger is before else encode_ledger(decision.ledger),
    )
