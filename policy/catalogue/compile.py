"""From an entry of the catalogue to the type that `decide` runs, with all that can be prepared."""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

from msgspec.structs import replace

from policy.catalogue.entry import (
    DEFAULT_LIMIT,
    CategoryEntry,
    DigestEntry,
    Entry,
    GoalEntry,
    HoldoutEntry,
    Layout,
    Limit,
)
from policy.catalogue.lifetimes import room
from policy.catalogue.plan_order import in_order
from policy.catalogue.validation import is_never_held_out, lasts, share_of
from policy.catalogue.variants import experiment_of
from policy.condition import Condition, compile_condition
from policy.decision import rules
from policy.decision.ending import Ending
from policy.decision.rule import Rule
from policy.decision.silent_channels import PAID, SILENT
from policy.digest import windows
from policy.digest.windows import IN_TIME_MS, DigestWindow
from policy.experiments.holdout import Goal, Holdout
from policy.limits.limits import ACTOR, TRANSACTIONAL
from policy.limits.rate_limit import RateLimit
from policy.notification_type import Limited, NotificationType, Plan, Step
from policy.rendering.rendering import BadTemplate, Rendering, compile_rendering
from policy.rendering.sandbox.mentions import mentions
from policy.sender import sender_of
from policy.time.duration import milliseconds
from policy.user.profile import quiet_span
from schemas.vocabulary import Channel, Priority, Reason, Stage


def compiled_type(
    name: str,
    entry: Entry,
    event: str,
    categories: Mapping[str, CategoryEntry],
    layouts: Mapping[str, Layout],
    version: str,
    holdout: HoldoutEntry | None = None,
    segments: Mapping[str, Condition] = MappingProxyType({}),
) -> NotificationType:
    """The type of this name; `holdout` is that of all types, `segments` are all that there are.

    Expects an entry without contradictions. Raises BadTemplate, saying in which field of it.
    """
    plan = partial(_plan, name, entry, categories.get(entry.category), layouts)
    first = tuple(plan(channel) for channel in entry.channels)
    offline, online = in_order(first, prefers_inapp=entry.online is not None)
    steps = [Step(plans=offline, online_plans=online)]
    for step in entry.escalation:
        plans, _ = in_order(tuple(plan(channel) for channel in step.channels))
        after = milliseconds(step.after)
        steps.append(Step(plans=plans, online_plans=plans, after=after, unless=Stage(step.unless)))
    steps += _repeats(entry, steps)
    spec = NotificationType(
        name=name,
        event=event,
        category=entry.category,
        priority=Priority(entry.priority),
        transactional=entry.transactional,
        time_to_live=milliseconds(entry.time_to_live),
        dedupe_hours=entry.dedupe_hours,
        steps=tuple(steps),
        delay=milliseconds(entry.delay or 0),
        online_grace=milliseconds(entry.online_grace or 0),
        topic=_path(entry.topic),
        users=_path(entry.users),
        followers=entry.followers,
        subscribers=_path(entry.subscribers),
        segment={} if isinstance(entry.segment, str) else entry.segment,
        segments=_segments(entry, segments),
        segment_at=_path(entry.segment_at),
        fan_out_threshold=entry.fan_out_threshold,
        at_best_hour=entry.send_at == "best_hour",
        catalogue=version,
        own_events=entry.transactional if entry.own_events is None else entry.own_events,
        when=None if entry.when is None else _condition(entry.when),
        until=_until(entry),
        then=_then(entry),
        then_after=lasts(entry) if _then(entry) else 0,
        sender=sender_of(entry.sender),
        holdouts=_holdouts(name, entry, holdout),
        goal=_goal(entry.goal),
        replaces=_path(entry.replaces),
        breakdown=entry.breakdown or "",
    )
    if entry.experiment is not None:
        spec = replace(spec, experiment=experiment_of(spec, entry, entry.experiment, layouts))
    return replace(spec, shows_users=True) if _shows_users(spec) else spec


def _segments(entry: Entry, all_of: Mapping[str, Condition]) -> dict[str, Condition]:
    """Those that the type may be for."""
    if entry.segment_at is not None:
        return dict(all_of)
    if not isinstance(entry.segment, str) or entry.segment not in all_of:
        return {}  # of what is missing it is told elsewhere
    return {entry.segment: all_of[entry.segment]}


def _holdouts(name: str, entry: Entry, of_all: HoldoutEntry | None) -> tuple[Holdout, ...]:
    if is_never_held_out(entry):
        return ()
    found = [] if of_all is None else [Holdout(of_all.name, share_of(of_all))]
    if entry.holdout is not None:
        found.append(Holdout(entry.holdout.name, share_of(entry.holdout), name))
    return tuple(found)


def _goal(entry: GoalEntry | None) -> Goal | None:
    if entry is None:
        return None
    return Goal(entry.event, milliseconds(entry.within), _path(entry.match), _path(entry.user))


def _until(entry: Entry) -> Ending | None:
    if entry.until is None:
        return None
    # Of whoever is told next, the event that ends it says nothing.
    users = () if _then(entry) else _path(entry.users)
    return Ending(entry.until.event, _path(entry.until.match), users)


def _then(entry: Entry) -> tuple[tuple[str, ...], ...]:
    return tuple(map(_path, entry.repeat.then)) if entry.repeat is not None else ()


def _repeats(entry: Entry, steps: Sequence[Step]) -> list[Step]:
    if entry.repeat is None:
        return []
    plans = tuple(plan for step in steps for plan in step.plans if plan.channel not in SILENT)
    after, unless = milliseconds(entry.repeat.every), Stage(entry.repeat.unless)
    return [
        Step(plans=plans, online_plans=plans, after=after, unless=unless, repeat=number)
        for number in range(1, entry.repeat.times + 1)
    ]


def _condition(source: str) -> Condition:
    try:
        return compile_condition(source)
    except ValueError as error:
        raise BadTemplate("when", str(error)) from None


def _shows_users(spec: NotificationType) -> bool:
    """Whether a text of the type, or of a variant, may speak of the users that an event lists."""
    return any(_shows(spec, path) for path in (spec.users, *spec.then) if path)


def _shows(spec: NotificationType, path: tuple[str, ...]) -> bool:
    variants = spec.experiment.variants if spec.experiment else ()
    return any(
        path[0] in plan.rendering.data
        or any(mentions(source, path) for source in plan.rendering.sources)
        for each in (spec, *(variant.spec for variant in variants))
        for step in each.steps
        for plan in (*step.plans, *step.online_plans)
    )


def _plan(
    name: str,
    entry: Entry,
    category: CategoryEntry | None,
    layouts: Mapping[str, Layout],
    channel: Channel,
) -> Plan:
    digest = next((each for each in entry.digests if channel in each.channels), None)
    plan = Plan(
        channel=channel,
        rendering=_rendering(name, entry, layouts, channel),
        rules=(),
        limits=_limits(name, entry, category, channel),
        actor_limit=_limited(f"{ACTOR}{name}", entry.actor_limit, once=True)
        if entry.actor_limit
        else None,
        defers=entry.quiet_hours != "drop",
        instead_of=entry.fallback.get(channel, ()),
        needless=Reason.FALL_BACK,
        over_limit=channel not in PAID or entry.fallback_over_limit,
        digest=_window(entry, digest, channel) if digest else None,
        digest_key=_path(digest.key if digest else None),
        within=tuple(quiet_span(hours) for hours in entry.send_within),
    )
    return _ruled(entry, plan)


def _window(entry: Entry, digest: DigestEntry, channel: Channel) -> DigestWindow:
    # A timer may be late.
    return windows.compiled(digest, room(entry, digest, channel) - IN_TIME_MS)


def _rendering(
    name: str, entry: Entry, layouts: Mapping[str, Layout], channel: Channel
) -> Rendering:
    templates = entry.templates.given()[channel]
    try:
        return compile_rendering(
            f"{name}.{channel}",
            channel,
            templates,
            layouts,
            is_transactional=entry.transactional,
        )
    except BadTemplate as error:
        raise BadTemplate(f"templates.{channel}.{error.field}", error.complaint) from None


def _limits(
    name: str, entry: Entry, category: CategoryEntry | None, channel: Channel
) -> tuple[Limited, ...]:
    if Priority(entry.priority) is Priority.CRITICAL:
        return ()
    # A program does not tire.
    shared = f"{TRANSACTIONAL}.{channel}" if entry.transactional else str(channel)
    limits = [] if channel is Channel.WEBHOOK else [Limited(shared, DEFAULT_LIMIT)]
    if entry.rate_limit is not None:
        limits = [_limited(f"{channel}.{name}", entry.rate_limit)]
    if category is not None and category.rate_limit is not None:
        limits.append(_limited(f"category.{entry.category}", category.rate_limit, once=True))
    return tuple(limits)


def _limited(window: str, limit: Limit, *, once: bool = False) -> Limited:
    plain = RateLimit(limit.count, limit.seconds)
    return Limited(window, plain, once, folds=limit.over == "digest")


def _ruled(entry: Entry, plan: Plan) -> Plan:
    """The plan with only those rules that can object to it."""
    critical = Priority(entry.priority) is Priority.CRITICAL
    addressed = plan.channel is not Channel.INAPP
    sounds = plan.channel not in SILENT
    asked: dict[Rule, bool] = {
        rules.SUPPRESSED_ADDRESS: addressed,
        rules.OPTED_OUT: not entry.transactional,
        rules.MUTED: not entry.transactional and entry.topic is not None,
        rules.NO_ADDRESS: addressed,
        rules.NEEDLESS: bool(plan.instead_of),
        rules.DIGEST: not critical,
        rules.SEND_WITHIN: sounds and bool(entry.send_within),
        rules.QUIET_HOURS: not critical and sounds and entry.quiet_hours != "ignore",
        rules.LIMITS: not critical,
    }
    return replace(plan, rules=tuple(rule for rule, applies in asked.items() if applies))


def _path(path: str | None) -> tuple[str, ...]:
    return tuple(path.split(".")) if path else ()
