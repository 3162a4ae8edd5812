"""The stage for the providers: each with its simulator, the witness and a shared HTTP client."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedded.simulators.accept_log import Accepted, read_accept_log
from embedded.simulators.credentials import Credentials
from embedded.simulators.faults import Fault
from embedded.simulators.server import Serving
from pipeline.settings import Settings
from schemas.delivery import Content, Delivery
from schemas.vocabulary import Channel, Priority, Reason
from sinks.http import HttpClient
from sinks.provider import Outcome, Provider
from sinks.registry import BuildProvider

TIMEOUT = 0.8  # seconds
AT_ONCE = (0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Case:
    """What the contract has to know of a provider.

    `address` has a place for a number; `invalid` is an address that the provider refuses, `dead`
    what it says of one that is gone. `titled` says whether its messages have a title.
    `misconfigured` are changed settings, each with what `check` says of it.
    """

    kind: BuildProvider
    channel: Channel
    address: str
    invalid: str
    dead: Reason
    titled: bool = True
    linger: tuple[float, ...] = AT_ONCE
    misconfigured: Sequence[tuple[Mapping[str, Any], str]] = field(default=())


def delivery(case: Case, number: int = 0, **fields: Any) -> Delivery:
    """A delivery to the case's address of that number."""
    now = time.time_ns() // 1_000_000
    values = {
        "delivery_id": f"{number:032x}",
        "notification_id": f"{number + 1_000_000:032x}",
        "event_id": "order-7-shipped",
        "type": "order_shipped",
        "category": "orders",
        "user": f"user-{number}",
        "channel": case.channel,
        "priority": Priority.HIGH,
        "address": case.address.format(number),
        "content": Content(title=f"Order {number}", body="It's on its way: grüße"),
        "occurred_at": now,
        "accepted_at": now,
        "expires_at": now + 3_600_000,
    }
    return Delivery(**{**values, **fields})


def assert_secretless(accounts: Credentials, *values: object) -> None:
    """Nothing in what is said of a value is one of our accounts' secrets."""
    text = " ".join(repr(value) for value in values)
    assert not [secret for secret in accounts.secrets() if secret in text]
    for sign in ("ya29.", "Bearer", "Basic", "PRIVATE KEY"):
        assert sign not in text


@dataclass(frozen=True)
class Rig:
    """A provider that talks to its simulator, and the witness."""

    case: Case
    provider: Provider
    running: Serving
    log: Path
    settings: Settings
    http: HttpClient

    @property
    def name(self) -> str:
        """The provider's name, under which its simulator takes faults."""
        return self.provider.name

    def fault(self, **fields: Any) -> None:
        """Have the simulator misbehave from now on."""
        self.running.simulators.faults.set(self.name, Fault(**fields))

    def witnessed(self) -> list[Accepted]:
        """What the simulator accepted."""
        return read_accept_log(self.log)

    def delivery(self, number: int = 0, **fields: Any) -> Delivery:
        """A delivery for this provider."""
        return delivery(self.case, number, **fields)

    async def send(self, number: int = 0, **fields: Any) -> Outcome:
        """Send one delivery; no secret may stand in its outcome."""
        (outcome,) = await self.provider.send([self.delivery(number, **fields)])
        self.assert_secretless(outcome)
        return outcome

    def assert_secretless(self, *outcomes: Outcome) -> None:
        """No secret stands in the outcomes."""
        assert_secretless(self.running.credentials, *outcomes)

    def elsewhere(self, url: str) -> Provider:
        """The same provider, but for the URL that it calls."""
        settings = self.settings.model_copy(update={f"{self.name}_url": url})
        return self.case.kind(settings, self.http)
