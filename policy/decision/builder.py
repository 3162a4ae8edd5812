"""A decision in the making: what the rules look at, and what they have let through so far."""

from collections.abc import Callable
from typing import cast

from msgspec import Struct
from msgspec.structs import replace

from policy.decision.decision import Decision, Notice, Outcome, Row
from policy.decision.replacing import Order, replaces, waits_as
from policy.decision.rule import Verdict
from policy.dedupe import Spilled
from policy.identity import counted_id, delivery_id, repeat_name
from policy.limits.daily_limit import Allowance
from policy.limits.rate_limit import Window
from policy.notification_type import NotificationType, Plan
from policy.quiet_hours import zone_of
from policy.rendering.common_texts import CommonTexts
from policy.rendering.reader import Reader, reader_of
from policy.sender import merged
from policy.time.timestamps import epoch_ms
from policy.user.breakdown import class_of
from policy.user.ledger import Gathering, Held, Ledger, Waiting
from policy.user.profile import Profile
from policy.user.state import Quota, UserState
from policy.user.suppression import usable
from policy.user.tenant import Tenant
from schemas.delivery import Content, Delivery
from schemas.request import Request
from schemas.vocabulary import Channel, Priority, Reason, Stage

Trace = Callable[[int, Channel | None, str, str, Verdict | None], None]
"""Gets, for an explanation, everything that was evaluated: in which step, of which channel (None:
of the whole), the rule's name, what it looked at, and its objection, if it had one."""


_COMMON_TEXTS = CommonTexts()
_EMAIL = Channel.EMAIL
_INAPP = Channel.INAPP  # see schemas.vocabulary


class Draft(Struct, gc=False):
    """One notification, or one digest, of one user, while it is decided.

    `occurred_at` is when the event happened, as it says; `now` the time; `when` what counts
    against limits: when it happened, or, for what waited, when it was due. `plan`, `known` and
    `usable` belong to the channel that is looked at: the user's addresses there, and those that
    did not bounce. `sent` and `waits` are the channels that go out now and later, `before` those on
    which it went out, or was gathered, when something else of it began to wait. `counted` are the
    limits that already counted it, `counted_before` those before it was taken up again. Of a type
    with an experiment, `spec` is the user's variant. `limited` are channels that are silent for
    nothing but a limit, `waited` says that it waited before.
    """

    name: str
    request: Request
    spec: NotificationType
    occurred_at: int
    now: int
    when: int
    expires_at: int
    trace: Trace | None
    state: UserState
    profile: Profile
    tenant: Tenant
    locale: str
    quota: Quota | None
    allowance: Allowance | None
    marks: bytes
    windows: dict[str, Window]
    waiting: dict[str, Waiting]
    gathering: dict[str, Gathering]
    heard: dict[bytes, Stage]
    newest: dict[bytes, Order]
    spilled_until: int
    step: int = 0
    closing: bool = False
    plan: Plan = cast("Plan", None)  # there is one once a channel is looked at
    known: tuple[str, ...] = ()
    usable: tuple[str, ...] = ()
    # Tuples, as most stay empty, and an empty one costs nothing.
    deliveries: tuple[Delivery, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    notices: tuple[Notice, ...] = ()
    keep: tuple[tuple[Row, Held], ...] = ()
    release: tuple[Row, ...] = ()
    sent: tuple[Channel, ...] = ()
    waits: tuple[Channel, ...] = ()
    counted: tuple[str, ...] = ()
    limited: tuple[Channel, ...] = ()
    waited: bool = False
    counted_before: tuple[str, ...] = ()
    before: tuple[Channel, ...] = ()
    spilled: tuple[Spilled, ...] = ()

    def gone(self) -> tuple[Channel, ...]:
        """On what the message went out by now; what is repeated is one of its own each time."""
        if self.before and not self.spec.steps[self.step].repeat:
            return self.sent + self.before
        return self.sent

    def look_at(self, plan: Plan) -> None:
        """Turn to one channel."""
        self.plan = plan
        profile, channel = self.profile, plan.channel
        if channel is _INAPP:
            self.known = self.usable = (self.request.user,)
            return
        known = self.known = self.usable = profile.addresses(channel)
        if profile.suppressed:
            self.usable = tuple(each for each in known if each not in profile.suppressed)
        if profile.barred:
            self.usable = usable(profile, channel, self.usable, self.now)

    def objection(self) -> Verdict | None:
        """What the first rule that objects to the channel says."""
        if self.trace is not None:
            return self._traced_objection(self.trace)
        for rule in self.plan.rules:
            verdict = rule.test(self)
            if verdict is not None:
                return verdict
        return None

    def _traced_objection(self, trace: Trace) -> Verdict | None:
        for rule in self.plan.rules:
            shown = rule.shows(self)  # before the test, which may count
            verdict = rule.test(self)
            trace(self.step, self.plan.channel, rule.name, shown, verdict)
            if verdict is not None:
                return verdict
        return None

    def rendered(self, plan: Plan) -> Content:
        """What the event says by this plan; raises BadRecord where it lacks what that needs."""
        if plan.rendering.is_personal:
            return plan.rendering.content(self.request.event, self.locale, self.reader())
        return _COMMON_TEXTS.content(plan.rendering, self.request.event, self.locale)

    def reader(self) -> Reader:
        """What templates may say of the user."""
        zone = zone_of(self.profile, self.tenant)
        return reader_of(self.request.user, zone, self.profile.attributes)

    def deliver(self, content: Content) -> None:
        """Send on the channel that is looked at, one message an address."""
        plan, request, spec, event = self.plan, self.request, self.spec, self.request.event
        # A message that is repeated is another one, in the same notification.
        name = repeat_name(self.name, spec.steps[self.step].repeat) if self.step else self.name
        self.sent += (plan.channel,)
        for address in self.usable:
            delivery = Delivery(
                delivery_id=delivery_id(name, plan.channel, address),
                notification_id=self.name,
                event_id=event.id,
                type=spec.name,
                category=spec.category,
                user=request.user,
                channel=plan.channel,
                priority=Priority.BULK if request.bulk else spec.priority,
                address=address,
                content=content,
                occurred_at=self.occurred_at,
                accepted_at=request.accepted_at,
                expires_at=self.expires_at,
                catalogue=spec.catalogue,
                tenant=event.tenant,
            )
            if event.trace:
                delivery = replace(delivery, trace=event.trace, tracestate=event.tracestate)
            if spec.variant:
                # Apart: CPython passes more than 15 keywords in a dict, at four times the cost.
                delivery = replace(delivery, variant=spec.variant)
            if spec.transactional:
                delivery = replace(delivery, transactional=True)
            if plan.channel is _EMAIL and (spec.sender or self.tenant.sender):
                delivery = replace(delivery, sender=merged(spec.sender, self.tenant.sender))
            if spec.replaces and not self.closing:
                delivery = replace(delivery, replaces=replaces(request, spec))
            if event.idempotency_key is not None and not self.closing:
                delivery = replace(delivery, counts_as=counted_id(event, request.user, spec.name))
            if request.origin.source and not self.closing:
                delivery = replace(delivery, origin=request.origin.source)
            if spec.breakdown:
                attributes = self.profile.attributes
                stated = class_of(spec.breakdown, attributes, request.user)
                delivery = replace(delivery, attribute=stated)
            self.deliveries += (delivery,)

    def uncount(self) -> None:
        """Count in no limit after all."""
        self.windows, self.quota = self.state.ledger.windows, self.state.quota

    def turn_to(self, request: Request, spec: NotificationType) -> None:
        """Be about another of the events that are told together, which is of this type."""
        self.request, self.spec = request, spec
        self.occurred_at = epoch_ms(request.event.occurred_at)
        self.expires_at = self.now + spec.time_to_live

    def held(self, channels: tuple[Channel, ...]) -> Held:
        """The request, to be kept for these channels of the step."""
        held = Held(self.request, self.step, channels)
        until, name = self.spec.until, replaces(self.request, self.spec)
        ends = () if until is None else until.keys(self.request)
        if name:
            ends = (*ends, waits_as(name))
        return replace(held, ends=ends) if ends else held

    def suppress(self, channel: Channel | None, reason: Reason, detail: str = "") -> None:
        """Note that a channel, or all of them, stay silent."""
        self.outcomes += (Outcome(channel, reason, detail),)

    def hold(self, channel: Channel | None, reason: Reason, detail: str) -> None:
        """Note that a channel, or all of them, wait."""
        self.outcomes += (Outcome(channel, reason, detail, Stage.HELD),)

    def decision(self) -> Decision:
        """What came of it."""
        if self.keep:
            self.keep = tuple(self._noted(*each) for each in self.keep)
        ledger = Ledger(
            self.marks,
            self.windows,
            self.waiting,
            self.gathering,
            self.heard,
            self.newest,
            self.spilled_until,
        )
        return Decision(
            self.name,
            self.deliveries,
            self.outcomes,
            ledger,
            False,
            self.notices,
            self.keep,
            self.release,
            self.quota,
            0,
            self.allowance,
            self.spilled,
        )

    def _noted(self, row: Row, held: Held) -> tuple[Row, Held]:
        """What is kept, with what is known of the notification by now."""
        going = self.before + self.sent
        going += tuple(each for each in self.waits if each not in held.channels)
        if not going and not self.counted:
            return row, held
        return row, replace(held, counted=self.counted, sent=going)


def draft_of(
    name: str,
    request: Request,
    spec: NotificationType,
    state: UserState,
    occurred_at: int,
    now: int,
    when: int,
    expires_at: int,
    trace: Trace | None = None,
) -> Draft:
    """A draft in which nothing is decided yet."""
    if spec.experiment is not None:
        spec = variant_of(request, spec, trace)
    profile, tenant, ledger = state.profile, state.tenant, state.ledger
    return Draft(
        name,
        request,
        spec,
        occurred_at,
        now,
        when,
        expires_at,
        trace,
        state,
        profile,
        tenant,
        profile.locale or tenant.locale,
        state.quota,
        state.allowance,
        ledger.marks,
        ledger.windows,
        ledger.waiting,
        ledger.gathering,
        ledger.heard,
        ledger.newest,
        ledger.spilled_until,
    )


def variant_of(
    request: Request, spec: NotificationType, trace: Trace | None = None
) -> NotificationType:
    """The type as its user reads it: their variant, where it has an experiment."""
    experiment = spec.experiment
    if experiment is None:
        return spec
    tenant, user = request.event.tenant, request.user
    found = experiment.assigned(tenant, user, spec.name)
    if trace is not None:
        trace(0, None, "experiment", experiment.shown(tenant, user, found.name), None)
    return found
