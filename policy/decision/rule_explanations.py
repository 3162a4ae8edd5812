"""What each rule looks at, in words that explain why a user was notified or not."""

from policy.decision.builder import Draft
from policy.digest.windows import DigestWindow
from policy.quiet_hours import zone_of
from policy.time.duration import shown as shown_span
from policy.time.timestamps import text
from policy.time.wall_clock import DAY, EVERY_DAY, minute_of_week
from policy.user.profile import Profile, QuietSpan
from policy.user.subscription import is_unsubscribed
from policy.user.suppression import why_barred
from policy.user.tenant import Tenant
from schemas.vocabulary import Channel, Frequency, Weekday

_NOUNS = {
    Channel.PUSH: "device",
    Channel.EMAIL: "e-mail address",
    Channel.SMS: "phone number",
    Channel.INAPP: "inbox",
    Channel.CHAT: "chat",
    Channel.WEBHOOK: "webhook",
}


def counted(number: int, noun: str) -> str:
    """So many of them; the plural ends in `s` or `es`."""
    plural = f"{noun}es" if noun.endswith(("s", "x")) else f"{noun}s"
    return f"{number or 'no'} {noun if number == 1 else plural}"


def shown_addresses(draft: Draft) -> str:
    """How many addresses there are, and how many of them can't be used."""
    found = counted(len(draft.known), _NOUNS[draft.plan.channel])
    bad = len(draft.known) - len(draft.usable)
    if not bad:
        return found
    why = why_barred(draft.profile, draft.plan.channel, draft.known, draft.now)
    return f"{found}, {bad} suppressed ({why})" if why else f"{found}, {bad} suppressed"


def shown_preferences(draft: Draft) -> str:
    """What user and tenant say of this category and channel, and what counts without that."""
    channel = draft.plan.channel
    said = [
        f"{who}: {' and '.join(found)}"
        for who, source in (("user", draft.profile), ("tenant", draft.tenant))
        if (found := _said(source, draft.spec.category, channel))
    ]
    if is_unsubscribed(draft.profile, draft.spec.category, channel):
        said.insert(0, f"unsubscribed from {draft.spec.category}")
    default = f"{_switch(channel is not Channel.SMS)} by default"
    return f"{'; '.join(said)}; {default}" if said else f"not set; {default}"


def _said(source: Profile | Tenant, category: str, channel: Channel) -> list[str]:
    found = []
    special = source.categories.get(category, {}).get(channel)
    if special is not None:
        found.append(f"{_switch(special)} for {category}")
    if channel in source.channels:
        found.append(f"{_switch(source.channels[channel])} for the channel")
    return found


def _switch(is_on: bool) -> str:
    return "on" if is_on else "off"


def shown_mutes(draft: Draft, topic: str) -> str:
    """What the event is about, and how much the user muted."""
    mutes = f"{counted(len(draft.profile.mutes), 'topic')} muted"
    return f"about {draft.spec.category}/{topic}; {mutes}" if topic else f"no topic named; {mutes}"


def shown_needless(draft: Draft) -> str:
    """The channels that come first, and what became of them."""
    found = []
    for channel in draft.plan.instead_of:
        waits = "waits" if channel in draft.waits else "does not go out"
        found.append(f"{channel} {'goes out' if channel in draft.gone() else waits}")
    return f"stands by: {', '.join(found)}"


def shown_digest(draft: Draft, wanted: Frequency) -> str:
    """How often the user wants it, and whether the type combines events."""
    if draft.closing:
        return "this is the digest"
    window = draft.plan.digest
    gathers = f"gathers {_window(window)}" if window else "does not gather"
    if window and draft.plan.digest_key:
        gathers += f", by {'.'.join(draft.plan.digest_key)}"
    together = "" if wanted is Frequency.INSTANTLY else ", all of it in one message"
    return f"{draft.spec.category} wanted {wanted}{together}; the type {gathers}"


def _window(window: DigestWindow) -> str:
    if window.length:
        return f"for {shown_span(window.length)}"
    if window.pause:
        longest = shown_span(window.longest)
        return f"until nothing comes for {shown_span(window.pause)}, {longest} at most"
    return f"until {' or '.join(map(_clock, window.times))}{_days(window.days)}"


def shown_send_window(draft: Draft) -> str:
    """The time on the user's wall, and when the type is sent by it."""
    return f"{_wall(draft)}; sent {', '.join(map(_quiet_span, draft.plan.within))}"


def _wall(draft: Draft) -> str:
    zone = zone_of(draft.profile, draft.tenant)
    minute = minute_of_week(zone, draft.now)
    now = f"{list(Weekday)[minute // DAY].capitalize()} {_clock(minute % DAY)} in {zone}"
    if draft.profile.zone not in ("", zone):
        now += f", as {draft.profile.zone!r} is no known zone"
    return now


def shown_quiet_hours(draft: Draft) -> str:
    """The time on the user's wall, and when it is quiet by it."""
    profile, tenant, now = draft.profile, draft.tenant, _wall(draft)
    spans = profile.quiet_hours or tenant.quiet_hours
    whose = "" if profile.quiet_hours else " by the tenant"
    quiet = ", ".join(map(_quiet_span, spans)) + whose if spans else "never"
    snooze = profile.snoozed_until
    snoozed = f"; snoozed until {text(snooze)}" if snooze > draft.now else ""
    return f"{now}; quiet {quiet}{snoozed}"


def _quiet_span(span: QuietSpan) -> str:
    days, start, end = span
    return f"{_clock(start)} to {_clock(end)}{_days(days)}"


def _days(days: int) -> str:
    if not days or days == EVERY_DAY:
        return ""
    names = [day.capitalize() for number, day in enumerate(Weekday) if days >> number & 1]
    return f" on {' '.join(names)}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def shown_presence(draft: Draft) -> str:
    """Whether the user is online, and which channel comes first for it."""
    profile, grace = draft.profile, draft.spec.online_grace
    step = draft.spec.steps[draft.step]
    if profile.is_online(draft.now, grace):
        until = max([*profile.online.values(), profile.left_at])
        return f"online, {text(until)} at the latest: {step.online_plans[0].channel} comes first"
    known = "offline" if profile.online or profile.left_at else "unknown"
    return f"{known}: {step.plans[0].channel} comes first"
