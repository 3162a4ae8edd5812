"""The stage for the providers: each with its simulator, the witness and a shared HTTP client."""

import time
from collections.abc import Callable, Mapping, Sequence
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
from sinks.http.client import HttpClient
from sinks.provider import Outcome, Provider
from sinks.registry import BuildProvider
from tests.patience import PATIENCE, in_time

PATIENT = PATIENCE
"""Seconds a call has: enough on a machine that is busy with all else."""
IMPATIENT = 0.3
"""And where it is to time out, which is all that may come of it then."""
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
    url_setting: str = ""
    """The setting of its URL, where that is not named after it."""
    speaks_http: bool = True
    """Whether a gateway may stand between, or another web server in the provider's place."""
    is_known: bool = True
    """Whether we know who answers; of a stranger's reply the status is all that counts."""
    subscribe: Callable[[Credentials, str, int], str] | None = None
    """Makes the address of a number at a URL, where `address` can't say it."""


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

    @property
    def url(self) -> str:
        """Where the provider's simulator listens."""
        return str(getattr(self.settings, self.url_setting, self.running.base_url))

    @property
    def url_setting(self) -> str:
        """The setting that says so."""
        return self.case.url_setting or f"{self.name}_url"

    def address(self, number: int, url: str = "") -> str:
        """The address of a number, at another server than the simulator if one is given."""
        subscribe = self.case.subscribe
        if subscribe is None:
            return self.case.address.format(number)
        return subscribe(self.running.credentials, url or self.url, number)

    def delivery(self, number: int = 0, **fields: Any) -> Delivery:
        """A delivery for this provider."""
        return delivery(self.case, number, **{"address": self.address(number), **fields})

    async def send(self, number: int = 0, **fields: Any) -> Outcome:
        """Send one delivery; no secret may stand in its outcome."""
        (outcome,) = await self.provider.send([self.delivery(number, **fields)])
        self.assert_secretless(outcome)
        return outcome

    async def send_until_it_arrives(self) -> tuple[Outcome, int]:
        """Send one again and again until it meets the fault; what came of it, and how many did.

        On a busy machine an impatient call may time out before it left.
        """
        async with in_time():
            while True:
                outcome = await self.send()
                if arrived := self.running.simulators.faults.requests(self.name):
                    return outcome, arrived

    def assert_secretless(self, *outcomes: Outcome) -> None:
        """No secret stands in the outcomes."""
        assert_secretless(self.running.credentials, *outcomes)

    async def send_elsewhere(self, url: str) -> Outcome:
        """Have the provider call another URL than that of its simulator."""
        settings = self.settings.model_copy(update={self.url_setting: url})
        provider = self.case.kind(settings, self.http)
        (outcome,) = await provider.send([self.delivery(address=self.address(0, url))])
        await provider.close()
        self.assert_secretless(outcome)
        return outcome
