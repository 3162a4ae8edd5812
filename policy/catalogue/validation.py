"""What in an entry of the catalogue contradicts something else in it, or can't have an effect."""

from collections.abc import Callable, Iterator, Sequence

from msgspec.structs import replace

from policy.catalogue.entry import Entry, HoldoutEntry, TenantEntry
from policy.catalogue.fallbacks import fallbacks, preferring
from policy.catalogue.field_paths import misleading_paths
from policy.catalogue.lifetimes import too_late
from policy.catalogue.problem import Problem, repeated
from policy.catalogue.variants import varying
from policy.decision.silent_channels import RECEIPTED, SILENT
from policy.digest import windows
from policy.experiments.holdout import WHOLE
from policy.notification_type import YEAR_MS
from policy.rendering.locales import is_locale
from policy.sender import sender_problems
from policy.time.duration import milliseconds
from policy.user import tenant
from schemas.allowed import Path
from schemas.profile import QuietHours
from schemas.vocabulary import Channel, Priority

_AUDIENCES = ("users", "followers", "subscribers", "segment", "segment_at")
_LONGEST = {
    "time_to_live": (YEAR_MS, "a year"),
    "delay": (YEAR_MS, "a year"),
    "online_grace": (86_400_000, "a day"),  # presence is kept no longer
}
LONGEST_GOAL_MS = 90 * 86_400_000
_NOT_IF_CRITICAL = (
    "rate_limit",
    "actor_limit",
    "quiet_hours",
    "digests",
    "send_at",
    "send_within",
    "fallback_over_limit",
)


def contradictions(entry: Entry) -> Iterator[Problem]:
    """Everything that contradicts in a type; paths begin within the entry."""
    for check in _CHECKS:
        yield from check(entry)


def tenant_contradictions(entry: TenantEntry) -> Iterator[Problem]:
    """Everything that contradicts in a tenant, or is not known; paths begin within the entry."""
    try:
        # Whether the sender is one is told below, and better.
        tenant.compiled(replace(entry, sender=None))
    except ValueError as error:
        field, complaint = error.args
        yield (field,), complaint
    if entry.locale is not None and not is_locale(entry.locale):
        yield ("locale",), f"{entry.locale!r} is not a locale"
    yield from _spans("quiet_hours", entry.quiet_hours)
    yield from _sender(entry)


def _sender(entry: Entry | TenantEntry) -> Iterator[Problem]:
    if entry.sender is None:
        return
    for path, complaint in sender_problems(entry.sender):
        yield ("sender", *path), complaint
    if isinstance(entry, Entry) and Channel.EMAIL not in _used(entry):
        yield ("sender",), "has no effect, as email is not used"


def _used(entry: Entry) -> list[Channel]:
    return [channel for channels in entry.steps() for channel in channels]


def _audience(entry: Entry) -> Iterator[Problem]:
    given = [field for field in _AUDIENCES if getattr(entry, field)]
    if not given:
        others = "subscribers, segment and segment_at"
        yield (), f"one of users, followers = true, {others} must name the recipients"
    for field in given[1:]:
        yield (field,), f"contradicts {given[0]}: only one of them can name the recipients"
    if entry.followers and entry.replaces is not None:
        yield ("replaces",), "contradicts followers, as what feeds read of an actor is not replaced"
    if entry.fan_out_threshold is not None and not entry.followers:
        yield ("fan_out_threshold",), "needs followers = true"


def _channels(entry: Entry) -> Iterator[Problem]:
    before: set[Channel] = set()
    for at, channels in enumerate(entry.steps()):
        path: Path = ("escalation", at - 1, "channels") if at else ("channels",)
        yield from repeated(path, channels)
        for channel in channels:
            if channel in before:
                yield path, f"names {channel}, which an earlier step has used"
        before.update(channels)
    given = entry.templates.given()
    for channel in before - given.keys():
        yield ("templates", channel), "is missing"
    for channel in given.keys() - before:
        yield ("templates", channel), "is for a channel that is not used"


def _times(entry: Entry) -> Iterator[Problem]:
    for field, (longest, words) in _LONGEST.items():
        span = getattr(entry, field)
        if span is not None and not 0 < milliseconds(span) <= longest:
            yield (field,), f"is not between a second and {words}"


def _noise(entry: Entry) -> Iterator[Problem]:
    if Priority(entry.priority) is Priority.CRITICAL:
        for field in _NOT_IF_CRITICAL:
            if getattr(entry, field):
                yield (field,), "has no effect, as what is critical passes over it"
    elif set(_used(entry)) <= SILENT:
        for field in ("quiet_hours", "send_within"):
            if getattr(entry, field):
                yield (field,), "has no effect, as what is used makes no sound"
    yield from _spans("send_within", entry.send_within)


def _spans(field: str, spans: Sequence[QuietHours]) -> Iterator[Problem]:
    for at, hours in enumerate(spans):
        yield from repeated((field, at, "days"), hours.days)
        if hours.start == hours.end:
            yield (field, at, "end"), "is the start as well, which is no time at all"


def _digests(entry: Entry) -> Iterator[Problem]:
    used, before = _used(entry), set[Channel]()
    for at, digest in enumerate(entry.digests):
        path = ("digests", at)
        for field in ("channels", "at", "days"):
            yield from repeated((*path, field), getattr(digest, field))
        for channel in dict.fromkeys(digest.channels):
            if channel not in used:
                yield (*path, "channels"), f"names {channel}, which is not used"
            if channel in before:
                yield (*path, "channels"), f"names {channel}, which another digest has"
        before.update(digest.channels)
        try:
            windows.compiled(digest)
        except ValueError as error:
            field, complaint = error.args
            yield (*path, field), complaint


def _whatsapp(entry: Entry) -> Iterator[Problem]:
    chat = entry.templates.chat
    if chat is None or chat.whatsapp is None:
        return
    gathers = any(Channel.CHAT in digest.channels for digest in entry.digests)
    if chat.digest.whatsapp is None if chat.digest else gathers:
        complaint = "is missing, and without it WhatsApp takes a digest for 24 hours alone"
        yield ("templates", Channel.CHAT, "digest", "whatsapp"), complaint


def _escalation(entry: Entry) -> Iterator[Problem]:
    digested = {channel for digest in entry.digests for channel in digest.channels}
    begins, before = 0, set(entry.channels)
    for at, step in enumerate(entry.escalation):
        after = milliseconds(step.after)
        begins += after
        if not after:
            yield ("escalation", at, "after"), "is no time: list the channels one step earlier"
        if begins >= milliseconds(entry.time_to_live):
            yield ("escalation", at, "after"), "ends when the time_to_live is over already"
        if before <= digested:
            complaint = "follows only digests, for which it is unknown who saw what"
            yield ("escalation", at), complaint
        if step.unless == "delivered" and not before & RECEIPTED:
            complaint = "is reported of email and sms alone, and no step before uses them"
            yield ("escalation", at, "unless"), complaint
        before |= set(step.channels)


def lasts(entry: Entry) -> int:
    """How long (ms) it takes until a user is notified in all ways, and as often as it is repeated.

    One more interval is left for them to acknowledge the last one.
    """
    begins = sum(milliseconds(step.after) for step in entry.escalation)
    repeat = entry.repeat
    return begins + (milliseconds(repeat.every) * (repeat.times + 1) if repeat is not None else 0)


def _repeat(entry: Entry) -> Iterator[Problem]:
    repeat = entry.repeat
    if repeat is None:
        return
    if Priority(entry.priority) is not Priority.CRITICAL:
        yield ("repeat",), "is for what is critical: else limits and digests would stand against it"
    if set(_used(entry)) <= SILENT:
        yield ("repeat",), "has no effect, as what is used makes no sound"
    every = milliseconds(repeat.every)
    if not every:
        yield ("repeat", "every"), "is no time"
    elif lasts(entry) - every >= milliseconds(entry.time_to_live):
        yield ("repeat", "times"), "are so many that the time_to_live is over before"
    if not repeat.then:
        return
    if not entry.users:
        yield ("repeat", "then"), "needs users, who are notified before"
    if entry.until is None:
        yield ("repeat", "then"), "needs until, the event by which one acknowledges for all"
    yield from repeated(("repeat", "then"), (entry.users or "", *repeat.then))


def share_of(holdout: HoldoutEntry) -> int:
    """Of 10,000, the share as written."""
    return round(float(holdout.share[:-1]) * WHOLE / 100)


def holdout_contradictions(entry: HoldoutEntry) -> Iterator[Problem]:
    """Whether a holdout leaves anybody to be compared."""
    if not 0 < share_of(entry) <= WHOLE // 2:
        yield ("share",), "is not between 0.01% and 50%"


def is_never_held_out(entry: Entry) -> bool:
    """Whether nobody is ever held out of such a type: people wait for it, or must have it."""
    return entry.transactional or Priority(entry.priority) is Priority.CRITICAL


def _holdout(entry: Entry) -> Iterator[Problem]:
    if entry.holdout is not None:
        if is_never_held_out(entry):
            what = "transactional" if entry.transactional else "critical"
            yield ("holdout",), f"contradicts what is {what}, of which nobody is held out"
        for path, complaint in holdout_contradictions(entry.holdout):
            yield ("holdout", *path), complaint
    if entry.goal is not None and not 0 < milliseconds(entry.goal.within) <= LONGEST_GOAL_MS:
        yield ("goal", "within"), "is not between a second and 90 days"


_CHECKS: tuple[Callable[[Entry], Iterator[Problem]], ...] = (
    misleading_paths,
    _audience,
    _channels,
    _times,
    _noise,
    preferring,
    fallbacks,
    _digests,
    too_late,
    _whatsapp,
    _escalation,
    _repeat,
    _sender,
    _holdout,
    varying,
)
