"""What reached whom, from the providers' and the inbox's own records, each message once."""

from dataclasses import dataclass, field

from demo.disproof import Knowledge, Slot
from demo.evidence import Evidence
from demo.findings import Findings

Place = tuple[str, str]
"""A notification id and a channel."""


@dataclass
class Deliveries:
    """Addresses reached, by notification and channel, and when the first of them was (ms)."""

    reached: dict[Place, set[str]] = field(default_factory=dict)
    first: dict[Place, float] = field(default_factory=dict)

    def add(self, place: Place, address: str, at: float) -> None:
        """One message arrived."""
        self.reached.setdefault(place, set()).add(address)
        self.first[place] = min(at, self.first.get(place, at))


def collect(
    evidence: Evidence, slots: dict[Place, Slot], know: Knowledge, into: Findings
) -> Deliveries:
    """Sort what arrived into what was expected, and note repeats and what nobody expected."""
    deliveries, seen = Deliveries(), set[str]()
    arrived = [
        ((a.notification_id, str(a.channel)), a.address, a.at * 1000, a.delivery_id)
        for a in evidence.accepted
    ] + [((s.notification_id, "inapp"), s.user, float(s.at), "") for s in evidence.inbox]
    for place, address, at, delivery in arrived:
        name = f"{place[1]} to {address} of notification {place[0]}"
        before = address in deliveries.reached.get(place, ())
        if before or (delivery and delivery in seen):
            into.duplicates.append(name)
            continue
        seen.add(delivery)
        deliveries.add(place, address, at)
        into.sent[place[1]] += 1
        if objection := _objection(slots.get(place), address, know):
            into.unexpected.append(f"{name}: {objection}")
    return deliveries


def _objection(slot: Slot | None, address: str, know: Knowledge) -> str:
    if slot is None:
        return "nobody expected it"
    if address not in know.known(slot):
        return f"that is not an address of {slot.user}"
    if address not in know.usable(slot):
        return "the address is suppressed"
    return f"{slot.user} opted out" if know.opted_out(slot) else ""
