"""The rules that can keep one channel silent for now, in the order in which they are asked."""

from policy.decision.builder import Draft
from policy.decision.decision import Outcome
from policy.decision.rule import DIGEST as BY_TYPE
from policy.decision.rule import WISH, Gather, Later, Rule, StandBy, Verdict
from policy.decision.rule_explanations import (
    shown_addresses,
    shown_digest,
    shown_mutes,
    shown_needless,
    shown_preferences,
    shown_quiet_hours,
    shown_send_window,
)
from policy.decision.silent_channels import SILENT
from policy.field_paths import text_at
from policy.limits.limits import limits, shown_limits
from policy.quiet_hours import opens_at, quiet, zone_of
from policy.time.timestamps import text
from policy.user.preferences import frequency, muted, opt_out, wish_window
from policy.user.suppression import why_barred
from schemas.vocabulary import Frequency, Reason


def _suppressed_address(draft: Draft) -> Outcome | None:
    if draft.known and not draft.usable:
        channel = draft.plan.channel
        why = why_barred(draft.profile, channel, draft.known, draft.now)
        return Outcome(channel, Reason.SUPPRESSED_ADDRESS, why)
    return None


def _opted_out(draft: Draft) -> Outcome | None:
    channel = draft.plan.channel
    why = opt_out(draft.profile, draft.tenant, draft.spec.category, channel)
    return Outcome(channel, Reason.OPTED_OUT, why) if why else None


def _muted(draft: Draft) -> Outcome | None:
    if not draft.profile.mutes:
        return None
    found = muted(draft.profile, draft.spec.category, _topic(draft), draft.now)
    return Outcome(draft.plan.channel, *found) if found else None


def _no_address(draft: Draft) -> Outcome | None:
    return None if draft.known else Outcome(draft.plan.channel, Reason.NO_ADDRESS)


def _needless(draft: Draft) -> Outcome | StandBy | None:
    plan, going = draft.plan, draft.gone()
    if any(other in going for other in plan.instead_of):
        return Outcome(plan.channel, plan.needless)
    if plan.needless is not Reason.FALL_BACK:
        return None
    if draft.limited and not plan.over_limit:
        over = [str(other) for other in plan.instead_of if other in draft.limited]
        if over:
            detail = f"{' and '.join(over)} is only over a limit"
            return Outcome(plan.channel, Reason.FALL_BACK, detail)
    if not draft.waits:
        return None
    waited_for = tuple(other for other in plan.instead_of if other in draft.waits)
    return StandBy(waited_for) if waited_for else None


def _digest(draft: Draft) -> Gather | None:
    if draft.closing:
        return None
    if draft.profile.frequency or draft.tenant.frequency:
        wanted = _frequency(draft)
        wish = wish_window(draft.profile, draft.tenant, wanted)
        if wish is not None:
            detail = f"the user wants all of {draft.spec.category} {wanted}"
            return Gather(wish, WISH, detail=detail)
    window = draft.plan.digest
    return None if window is None else Gather(window, BY_TYPE)


def _frequency(draft: Draft) -> Frequency:
    # What makes no sound need not be gathered, and a receipt can't wait.
    if draft.spec.transactional or draft.plan.channel in SILENT:
        return Frequency.INSTANTLY
    return frequency(draft.profile, draft.tenant, draft.spec.category)


def _quiet_hours(draft: Draft) -> Verdict | None:
    found = quiet(draft.profile, draft.tenant, draft.now)
    if found is None:
        return None
    if not draft.plan.defers:
        return Outcome(draft.plan.channel, Reason.QUIET_HOURS, found.detail)
    if found.until >= draft.expires_at and not draft.closing:
        detail = f"{found.detail}, and by then it is too old"
        return Outcome(draft.plan.channel, Reason.QUIET_HOURS, detail)
    return Later(found.until, Reason.QUIET_HOURS, found.detail)


def _send_within(draft: Draft) -> Verdict | None:
    opens = opens_at(zone_of(draft.profile, draft.tenant), draft.plan.within, draft.now)
    if opens is None:
        return None
    detail = f"is sent from {text(opens)} on"
    if opens >= draft.expires_at and not draft.closing:
        return Outcome(draft.plan.channel, Reason.EXPIRED, f"{detail}, and by then it is too old")
    return Later(opens, Reason.SCHEDULED, detail)


def _topic(draft: Draft) -> str:
    return text_at(draft.request.event.data, draft.spec.topic)


SUPPRESSED_ADDRESS = Rule("suppressed", _suppressed_address, shown_addresses)
OPTED_OUT = Rule("preferences", _opted_out, shown_preferences)
MUTED = Rule("mutes", _muted, lambda draft: shown_mutes(draft, _topic(draft)))
NO_ADDRESS = Rule("address", _no_address, shown_addresses)
NEEDLESS = Rule("other channel", _needless, shown_needless)
DIGEST = Rule("digest", _digest, lambda draft: shown_digest(draft, _frequency(draft)))
SEND_WITHIN = Rule("send window", _send_within, shown_send_window)
QUIET_HOURS = Rule("quiet hours", _quiet_hours, shown_quiet_hours)
LIMITS = Rule("limits", limits, shown_limits)
