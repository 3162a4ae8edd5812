"""Whether a reason for not sending can be true, by what the producer knows and nothing else."""

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from demo.evidence import Silence
from demo.kinds import Kind
from demo.people import addresses
from demo.producer_log import Claim, Claims
from demo.world import World

SLACK = timedelta(minutes=1)
STANDS_IN = {"online": "inapp", "offline": "push"}
"""For each reason of presence the channel that the person was reached on instead."""


@dataclass(frozen=True)
class Slot:
    """One channel on which one person should hear of one event, or be told why not."""

    claim: Claim
    kind: Kind
    user: str
    channel: str


class Knowledge:
    """The producer's side of the story: the world as it wrote it, and its log."""

    def __init__(self, world: World, kinds: dict[str, Kind], claims: Claims) -> None:
        self._world = world
        self._kinds = kinds
        self._claims = claims
        self._counts = Counter(
            (user, kinds[kind].window)
            for claim in claims.events.values()
            for kind, user in claim.expected
            if kinds[kind].limit is not None
        )

    def known(self, slot: Slot) -> tuple[str, ...]:
        """Every address of the person for this channel."""
        return addresses(self._world.contacts[slot.user], slot.channel)

    def usable(self, slot: Slot) -> frozenset[str]:
        """The addresses that are not suppressed."""
        suppressed = self._world.contacts[slot.user].get("suppressed", ())
        return frozenset(self.known(slot)) - frozenset(suppressed)

    def opted_out(self, slot: Slot) -> bool:
        """Whether the person does not want this category on this channel."""
        if slot.kind.transactional:
            return False
        wants = self._world.preferences.get(slot.user, {})
        category = wants.get("categories", {}).get(slot.kind.category, {})
        channel = wants.get("channels", {}).get(slot.channel, slot.channel != "sms")
        return not category.get(slot.channel, channel)

    def disproof(self, slot: Slot, silence: Silence, silenced: Container[str]) -> str:
        """Why the silence's reason can't be true; empty if it may be.

        `silenced` are the channels on which something is said to stand against the notification.
        """
        match silence.reason:
            case "opted_out":
                return "" if self.opted_out(slot) else "they want it"
            case "no_address":
                return "there is an address" if self.known(slot) else ""
            case "suppressed_address":
                all_gone = self.known(slot) and not self.usable(slot)
                return "" if all_gone else "an address is good"
            case "quiet_hours":
                return "" if self._may_be_quiet(slot, silence.at) else "it was not quiet"
            case "rate_limited":
                return "" if self._may_be_over(slot) else "there were not that many"
            case "online" | "offline":
                return self._presence(slot, silence.reason, silenced)
            case "expired":
                lived = silence.at - slot.claim.at
                return "" if lived >= slot.kind.lives else "it was still valid"
        return f"{silence.reason} explains nothing"

    def _presence(self, slot: Slot, reason: str, silenced: Container[str]) -> str:
        if reason == "online" and slot.user not in self._claims.online:
            return "they never were online"
        instead = STANDS_IN[reason]
        return f"{instead} did not stand in" if instead in silenced else ""

    def _may_be_over(self, slot: Slot) -> bool:
        count = self._counts[slot.user, slot.kind.window]
        return slot.kind.limit is not None and count > slot.kind.limit

    def _may_be_quiet(self, slot: Slot, at: int) -> bool:
        hours = self._world.preferences.get(slot.user, {}).get("quiet_hours", ())
        if slot.kind.critical or slot.channel == "inapp":
            return False
        zone = ZoneInfo(self._world.contacts[slot.user]["zone"])
        moment = datetime.fromtimestamp(at / 1000, UTC)
        return any(
            _within(f"{(moment + slack).astimezone(zone):%H:%M}", span["start"], span["end"])
            for span in hours
            for slack in (-SLACK, SLACK)
        )


def _within(clock: str, start: str, end: str) -> bool:
    if start <= end:
        return start <= clock < end
    return clock >= start or clock < end
