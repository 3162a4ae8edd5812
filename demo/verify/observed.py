"""The evidence, sorted by notification and channel, with what fits to none."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from demo.verify.evidence import Evidence, Excuse, Place
from demo.verify.findings import Findings
from demo.verify.model import Model
from demo.verify.notification import Notification
from demo.verify.outcome import WHOLE, Text
from embedded.simulators.accept_log import data_digest_of, digest_of


@dataclass(frozen=True)
class Arrival:
    """A message that reached an address; `at` is epoch ms, the body and the data are digests."""

    at: float
    title: str
    body: str
    data: str

    def says(self, text: Text) -> str:
        """Which parts of it differ from the text; empty if none does."""
        parts = {
            "title": self.title == text.title,
            "body": self.body == digest_of(text.body),
            "data": self.data == data_digest_of(text.data),
        }
        return ", ".join(name for name, is_same in parts.items() if not is_same)


@dataclass(frozen=True)
class Seen:
    """What was seen of one channel of one notification."""

    arrivals: dict[str, Arrival] = field(default_factory=dict)
    suppressed: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)

    @property
    def is_nothing(self) -> bool:
        """Whether there is no sign of it at all."""
        return not (self.arrivals or self.suppressed or self.held)


class Observed:
    """What was seen, by notification id and channel."""

    def __init__(
        self,
        evidence: Evidence,
        expected: Mapping[str, Notification],
        model: Model,
        findings: Findings,
    ) -> None:
        self._seen: defaultdict[Place, Seen] = defaultdict(Seen)
        self.unknown: defaultdict[tuple[str, str], list[Arrival]] = defaultdict(list)
        """By channel and address, what is of no expected notification: digests, and strangers."""
        self._expected = expected
        self._model = model
        self._findings = findings
        self._add_arrivals(evidence)
        self._add_excuses(evidence.excuses)

    def of(self, it: Notification) -> dict[str, Seen]:
        """By channel, those with any sign; WHOLE for what is said of all channels."""
        steps = [it.spec.channels, *(step.channels for step in it.spec.escalation)]
        channels = [WHOLE, *dict.fromkeys(channel for step in steps for channel in step)]
        name = it.id
        places = {channel: self._seen.get((name, channel)) for channel in channels}
        return {channel: seen for channel, seen in places.items() if seen is not None}

    def _add_arrivals(self, evidence: Evidence) -> None:
        deliveries = set[str]()
        for place, address, delivery, arrival in _arrivals(evidence):
            notification, channel = place
            name = f"{channel} to {address} of notification {notification}"
            it = self._expected.get(notification)
            arrivals = self._seen[place].arrivals
            first = arrivals.get(address)
            if first is not None or (delivery and delivery in deliveries):
                self._findings.duplicates.append(name)
                if first is not None and replace(arrival, at=first.at) != first:
                    self._findings.wrong_content.append(f"{name}: it says two different things")
                continue
            deliveries.add(delivery)
            self._findings.sent[channel] += 1
            if it is None or it.is_read:
                self.unknown[channel, address].append(arrival)
            elif objection := self._objection(it, channel, address):
                self._findings.unexpected.append(f"{name}: {objection}")
            else:
                arrivals[address] = arrival

    def _objection(self, it: Notification, channel: str, address: str) -> str:
        if address not in self._model.known(it.user, channel):
            return f"that is not an address of {it.user}"
        if address not in self._model.usable(it.user, channel):
            return "the address is suppressed"
        return ""

    def _add_excuses(self, excuses: list[Excuse]) -> None:
        ids = {(it.claim.id, it.user, it.spec.name): name for name, it in self._expected.items()}
        for excuse in excuses:
            self._findings.suppressed[excuse.reason] += 1
            name = ids.get((excuse.event_id, excuse.user, excuse.type))
            if name is None:
                self._findings.unexcused.append(
                    f"{excuse.type} of {excuse.event_id} to {excuse.user} is said to be "
                    f"{excuse.reason}, and nobody expected it"
                )
                continue
            seen = self._seen[name, excuse.channel]
            (seen.held if excuse.stage == "held" else seen.suppressed).add(excuse.reason)


def _arrivals(evidence: Evidence) -> Iterator[tuple[Place, str, str, Arrival]]:
    """Each message: its place, its address, its delivery id if it has one, and what it says."""
    for line in evidence.accepted:
        place = (line.notification_id, str(line.channel))
        arrival = Arrival(line.at * 1000, line.title, line.digest, line.data)
        yield place, line.address, line.delivery_id, arrival
    for item in evidence.inbox:
        arrival = Arrival(item.at, item.title, digest_of(item.body), data_digest_of(item.data))
        yield (item.notification_id, "inapp"), item.user, "", arrival
