"""The documented rules, as a small model of its own: what should become of a notification.

Written from README.md, from what the catalogue's files say of themselves and from the
docstrings of `schemas/` and `policy/catalogue/entry.py`, and sharing no code with what it judges.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from demo.dataset.people import addresses
from demo.dataset.world import World
from demo.produce.producer_log import Claim
from demo.verify.expected.notification import TENANT, Notification
from demo.verify.expected.outcome import WHOLE, Held, Outcome, Send, Silent
from demo.verify.expected.quiet_hours import QuietHours
from demo.verify.expected.texts import text_of
from demo.verify.expected.type_spec import TypeSpec
from demo.verify.expected.wishes import Wish
from policy.identity import holdout_point

SOUNDLESS = "inapp"
"""The channel that quiet hours don't concern."""


@dataclass(frozen=True)
class Circumstances:
    """What was the case when a notification was decided, as far as it matters.

    `quiet_until` is the end of the quiet hours, `free_at` the first moment outside of them from
    the event on (epoch ms); `limited` are the channels on which a limit was reached. `digests`
    are, by channel, how it waits for the digest that it belongs to.
    `online_then` says whether the user was there when what waited for quiet hours to end was due,
    `ended_first` whether the event that ends it was read before.
    """

    online: bool
    quiet_until: int | None
    free_at: int
    limited: frozenset[str]
    digests: Mapping[str, Held]
    online_then: bool = False
    ended_first: bool = False


class Model:
    """What is true of a world of people before anything happens, and what ends what waits."""

    def __init__(self, world: World, claims: Iterable[Claim] = ()) -> None:
        self._world = world
        self._placed: defaultdict[str, list[Claim]] = defaultdict(list)
        for claim in claims:
            self._placed[claim.type].append(claim)
        self._ends: dict[tuple[str, str], dict[Any, list[Claim]]] = {}

    def quiet_hours(self, user: str) -> QuietHours:
        """When the user wants no sound."""
        return QuietHours(self._world.preferences.get(user, {}), self.zone(user))

    def zone(self, user: str) -> str:
        """The user's time zone."""
        zone: str = self._world.contacts[user]["zone"]
        return zone

    def known(self, user: str, channel: str) -> tuple[str, ...]:
        """Every address of the user for a channel."""
        return addresses(self._world.contacts[user], channel)

    def usable(self, user: str, channel: str) -> frozenset[str]:
        """The addresses that are not suppressed."""
        suppressed = self._world.contacts[user].get("suppressed", ())
        return frozenset(self.known(user, channel)) - frozenset(suppressed)

    def outcomes(self, it: Notification, now: Circumstances) -> Mapping[str, Outcome]:
        """How each channel should end; one that is missing is not heard of yet."""
        if it.is_read:
            return {WHOLE: Silent("fan_out_on_read")}
        if it.claim.at >= it.expires_at:
            return {WHOLE: Silent("expired")}
        ended = self.ended_at(it)
        if ended is not None and now.ended_first:
            return {WHOLE: Silent("cancelled")}
        if reason := self.unheard(it):
            return {WHOLE: Silent(reason)}
        if self._is_held_out(it):
            return {WHOLE: Silent("holdout")}
        if it.spec.delay_ms:
            return {channel: self._delayed(it, channel, now, ended) for channel in it.spec.channels}
        ends: dict[str, Outcome] = {}
        for channel in _in_order(it.spec, now.online):
            ends[channel] = self._channel(it, channel, now, ends)
        self._escalate(it, now, ends)
        return ends

    def ended_at(self, it: Notification) -> int | None:
        """When an event ended it (epoch ms), if one did."""
        until = it.spec.until
        if until is None:
            return None
        place = until.event, until.match
        if place not in self._ends:
            same: defaultdict[Any, list[Claim]] = defaultdict(list)
            for claim in self._placed[until.event]:
                same[claim.data.get(until.match)].append(claim)
            self._ends[place] = same
        found = self._ends[place].get(it.claim.data.get(until.match), ())
        times = (
            each.happened_at
            for each in found
            if each.data.get(it.spec.users, it.user) == it.user
            and each.happened_at >= it.claim.happened_at
        )
        return min(times, default=None)

    def _is_held_out(self, it: Notification) -> bool:
        held = it.spec.holdout
        if held is None:
            return False
        point = holdout_point(TENANT, it.user, it.spec.name, held.name)
        return point * 10_000 >> 64 < held.share

    def _delayed(
        self, it: Notification, channel: str, now: Circumstances, ended: int | None
    ) -> Outcome:
        due = it.claim.happened_at + it.spec.delay_ms
        if ended is not None:
            return Held("scheduled", ended, ended, Silent("cancelled"))
        # No run lasts until what is delayed is due.
        return Held("scheduled", due, due, self._at(it, channel, now, due))

    def unheard(self, it: Notification) -> str:
        """Why the person hears nothing of whoever did it."""
        if it.claim.actor == it.user and not it.spec.own_events:
            return "own_event"
        blocked = it.claim.actor in self._world.blocks.get(it.user, ())
        return "blocked" if blocked and not it.spec.transactional else ""

    def _escalate(self, it: Notification, now: Circumstances, ends: dict[str, Outcome]) -> None:
        for step in it.spec.escalation:
            if any(isinstance(end, Held) and end.reason == "quiet_hours" for end in ends.values()):
                return
            if any(not isinstance(end, Silent) for end in ends.values()):
                due = it.claim.happened_at + step.after_ms
                for channel in step.channels:
                    ends[channel] = Held("escalation", due, due, self._at(it, channel, now, due))
                return
            for channel in step.channels:
                ends[channel] = self._channel(it, channel, now, ends)

    def _channel(
        self, it: Notification, channel: str, now: Circumstances, ends: Mapping[str, Outcome]
    ) -> Outcome:
        if reason := self._always_silent(it, channel) or _other_channel(it, channel, now, ends):
            return Silent(reason)
        if waiting := _waited_for(it, channel, ends):
            # Nothing in the world changes, so what is stood by for goes out after all.
            return Held("fall_back", waiting.due, waiting.latest, Silent("fall_back"))
        if it.spec.is_critical:
            return self._send(it, channel, it.claim.at)
        if channel in now.digests:
            return now.digests[channel]
        if channel == SOUNDLESS or it.spec.quiet_hours == "ignore":
            return self._limited(it, channel, now, it.claim.at)
        until = now.quiet_until
        if until is None:
            return self._limited(it, channel, now, max(it.claim.at, now.free_at))
        if it.spec.quiet_hours == "drop" or until >= it.expires_at:
            return Silent("quiet_hours")
        then = self._limited(it, channel, now, until)
        if now.online_then and self._is_shown_instead(it, channel):
            then = Silent("online")
        return Held("quiet_hours", until, until, then)

    def _is_shown_instead(self, it: Notification, channel: str) -> bool:
        """Whether a push is needless for somebody who is there and has it in their inbox."""
        is_choice = it.spec.prefers_inapp and {"inapp", "push"} <= {*it.spec.channels}
        return is_choice and channel == "push" and not self._always_silent(it, "inapp")

    def _at(self, it: Notification, channel: str, now: Circumstances, due: int) -> Outcome:
        """What becomes of a channel that waited until `due`."""
        if due >= it.expires_at:
            return Silent("expired")
        until = self.quiet_hours(it.user).until(due)
        then = replace(now, quiet_until=until, free_at=due if until is None else until)
        return self._channel(it, channel, then, {})

    def _limited(
        self, it: Notification, channel: str, now: Circumstances, not_before: int
    ) -> Outcome:
        if channel in now.limited:
            return Silent("rate_limited")
        return self._send(it, channel, not_before)

    def _send(self, it: Notification, channel: str, not_before: int) -> Send:
        text = text_of(it, channel, self.locale(it.user))
        return Send(self.usable(it.user, channel), text, not_before)

    def wish(self, it: Notification, channel: str) -> Wish | None:
        """How often the person wants to hear of such things by that; None for at once."""
        if it.spec.is_critical or it.spec.transactional or channel == SOUNDLESS:
            return None
        said = self._world.preferences.get(it.user, {})
        often = said.get("frequency", {})
        wanted = often.get(it.spec.category, often.get("*"))
        if wanted == "daily":
            return Wish(self.zone(it.user), said.get("digest_at", "09:00"))
        return Wish(self.zone(it.user)) if wanted == "hourly" else None

    def may_use(self, it: Notification, channel: str) -> bool:
        """Whether the user has, and wants, an address for it."""
        if it.claim.at >= it.expires_at or self.unheard(it):
            return False
        return not self._always_silent(it, channel)

    def locale(self, user: str) -> str:
        """The user's locale."""
        locale: str = self._world.contacts[user]["locale"]
        return locale

    def _always_silent(self, it: Notification, channel: str) -> str:
        known = self.known(it.user, channel)
        if known and not self.usable(it.user, channel):
            return "suppressed_address"
        if not it.spec.transactional and not self._wants(it, channel):
            return "opted_out"
        return "" if known else "no_address"

    def _wants(self, it: Notification, channel: str) -> bool:
        """One click to leave a category comes first, then the category, then the channel."""
        if (it.spec.category, channel) in self._world.unsubscribed.get(it.user, ()):
            return False
        said = self._world.preferences.get(it.user, {})
        by_channel = said.get("channels", {}).get(channel, channel != "sms")
        wanted: bool = said.get("categories", {}).get(it.spec.category, {}).get(channel, by_channel)
        return wanted


def _in_order(spec: TypeSpec, online: bool) -> list[str]:
    """A channel that may replace another one is decided after it."""
    preferred = ("inapp" if online else "push") if spec.prefers_inapp else ""
    first = [channel for channel in spec.channels if channel == preferred]
    rest = [channel for channel in spec.channels if channel not in (preferred, *spec.fallback)]
    return first + rest + [channel for channel in spec.channels if channel in spec.fallback]


def _other_channel(
    it: Notification, channel: str, now: Circumstances, ends: Mapping[str, Outcome]
) -> str:
    """Why another channel makes this one needless, if it does."""
    replaced = [ends[other] for other in it.spec.fallback.get(channel, ()) if other in ends]
    if any(isinstance(end, Send) for end in replaced):
        return "fall_back"
    is_dear = channel == "sms" and not it.spec.fallback_over_limit
    if is_dear and Silent("rate_limited") in replaced:
        return "fall_back"
    if it.spec.prefers_inapp and {channel, *ends} >= {"inapp", "push"}:
        other = "push" if channel == "inapp" else "inapp"
        if isinstance(ends.get(other), Send):
            return "online" if now.online else "offline"
    return ""


def _waited_for(it: Notification, channel: str, ends: Mapping[str, Outcome]) -> Held | None:
    """What the channel stands by for, if that waits."""
    replaced = (ends.get(other) for other in it.spec.fallback.get(channel, ()))
    return next((end for end in replaced if isinstance(end, Held)), None)
