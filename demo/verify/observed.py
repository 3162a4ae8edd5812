"""The evidence, sorted by notification and channel, with what fits to none."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from demo.verify.evidence import Evidence, Excuse, Place
from demo.verify.expected.model import Model
from demo.verify.expected.notification import Notification
from demo.verify.expected.outcome import Text
from demo.verify.findings import Findings
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
    """What was seen of one channel of one notification.

    `suppressed` and `held` are the reasons in Tocsin's rows, `stored` is when what its state holds
    is due (epoch ms), `priorities` are those with which messages were written for the sinks.
    """

    arrivals: dict[str, Arrival] = field(default_factory=dict)
    suppressed: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    stored: set[int] = field(default_factory=set)
    priorities: set[str] = field(default_factory=set)

    @property
    def has_ended(self) -> bool:
        """Whether a message or a row says what became of it."""
        return bool(self.arrivals or self.suppressed or self.held)


class Observed:
    """What was seen, by notification id and channel."""

    def __init__(
        self,
        evidence: Evidence,
        expected: Mapping[str, Notification],
        model: Model,
        findings: Findings,
    ) -> None:
        self._seen: defaultdict[str, defaultdict[str, Seen]] = defaultdict(
            lambda: defaultdict(Seen)
        )
        self.unknown: defaultdict[tuple[str, str], list[Arrival]] = defaultdict(list)
        """By channel and address, what is of no expected notification: digests, and strangers."""
        self._expected = expected
        self._model = model
        self._findings = findings
        self._add_arrivals(evidence)
        self._add_excuses(evidence.excuses)
        self._add_stored(evidence.held)
        for (notification, channel), priorities in evidence.priorities.items():
            if channel in self._seen.get(notification, ()):
                self._seen[notification][channel].priorities.update(priorities)

    def of(self, it: Notification) -> dict[str, Seen]:
        """By channel, whichever it is, those with any sign; WHOLE is what is of all channels."""
        return dict(self._seen.get(it.id, {}))

    def _add_arrivals(self, evidence: Evidence) -> None:
        deliveries = set[str]()
        for place, address, delivery, arrival in _arrivals(evidence):
            notification, channel = place
            name = f"{channel} to {address} of notification {notification}"
            it = self._expected.get(notification)
            arrivals = self._seen[notification][channel].arrivals
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
        for excuse in excuses:
            self._findings.suppressed[excuse.reason] += 1
            it = self._expected.get(excuse.notification_id)
            if objection := wrong_row(excuse, it):
                self._findings.unexcused.append(
                    f"{excuse.type} of {excuse.event_id} to {excuse.user} is reported as "
                    f"{excuse.reason}, and {objection}"
                )
                continue
            seen = self._seen[excuse.notification_id][excuse.channel]
            (seen.held if excuse.stage == "held" else seen.suppressed).add(excuse.reason)

    def _add_stored(self, held: Mapping[Place, set[int]]) -> None:
        for (notification, channel), dues in held.items():
            if notification in self._expected:
                self._seen[notification][channel].stored.update(dues)
            else:
                self._findings.unexpected.append(
                    f"{channel} of notification {notification} is stored to go out later, and "
                    "nobody expected it"
                )


def wrong_row(row: Excuse, it: Notification | None) -> str:
    """What is wrong with a row, whatever its reason is; empty if nothing is."""
    if it is None:
        return "nobody expected it"
    fields = {
        "event": (row.event_id, it.claim.id),
        "user": (row.user, it.user),
        "type": (row.type, it.spec.name),
        "category": (row.category, it.spec.category),
        "priority": (row.priority, it.spec.priority),
    }
    wrong = (
        f"{name} {have!r}, not {want!r}" for name, (have, want) in fields.items() if have != want
    )
    return ", ".join(wrong)


def _arrivals(evidence: Evidence) -> Iterator[tuple[Place, str, str, Arrival]]:
    """Each message: its place, its address, its delivery id if it has one, and what it says."""
    for line in evidence.accepted:
        place = (line.notification_id, str(line.channel))
        arrival = Arrival(line.at * 1000, line.title, line.digest, line.data)
        yield place, line.address, line.delivery_id, arrival
    for item in evidence.inbox:
        arrival = Arrival(item.at, item.title, digest_of(item.body), data_digest_of(item.data))
        yield (item.notification_id, "inapp"), item.user, "", arrival
