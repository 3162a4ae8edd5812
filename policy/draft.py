"""A decision in the making: what the rules look at, and what they have let through so far."""

from collections.abc import Callable

from msgspec.structs import replace

from policy.decision import Decision, Notice, Outcome, Row
from policy.experiment import Experiment
from policy.identity import delivery_id
from policy.instants import epoch_ms
from policy.ledger import Held, Ledger
from policy.notification_type import NotificationType, Plan
from policy.rate_limit import Window
from policy.rule import Verdict
from policy.suppression import usable
from policy.user_state import UserState
from schemas.delivery import Content, Delivery
from schemas.request import Request
from schemas.vocabulary import Channel, Priority, Reason, Stage

Trace = Callable[[int, Channel | None, str, str, Verdict | None], None]
"""Told, for an explanation, everything that was asked: in which step, of which channel (None: of
the whole), the rule's name, what it looked at, and its objection, if it had one."""


_INAPP = Channel.INAPP  # see schemas.vocabulary


class Draft:
    """One notification, or one digest, of one user, while it is decided.

    `now` is the time; `when` the event time that counts against limits: when it happened, or,
    for what waited, when it was due. `plan`, `known` and `usable` belong to the channel that is
    looked at: the user's addresses there, and those that did not bounce. `sent` and `waits` are
    the channels that go out now and later, `counted` the limits that already counted it. Of a
    type with an experiment, `spec` is the user's variant.
    """

    __slots__ = (
        "_state", "closing", "counted", "deliveries", "expires_at", "gathering", "heard", "keep",
        "known", "marks", "name", "notices", "now", "outcomes", "plan", "profile", "quota",
        "release", "request", "sent", "spec", "step", "tenant", "trace", "usable", "waiting",
        "waits", "when", "windows",
    )  # fmt: skip

    plan: Plan
    known: tuple[str, ...]
    usable: tuple[str, ...]

    def __init__(
        self,
        name: str,
        request: Request,
        spec: NotificationType,
        state: UserState,
        now: int,
        when: int,
        expires_at: int,
        trace: Trace | None = None,
    ) -> None:
        ledger = state.ledger
        self.name = name
        self.request = request
        self.spec = spec
        self._state = state
        self.profile = state.profile
        self.tenant = state.tenant
        self.quota = state.quota
        self.now = now
        self.when = when
        self.expires_at = expires_at
        self.trace = trace
        self.step = 0
        self.closing = False
        self.marks = ledger.marks
        self.windows: dict[str, Window] = ledger.windows
        self.waiting = ledger.waiting
        self.gathering = ledger.gathering
        self.heard = ledger.heard
        # Tuples, as most stay empty, and an empty one costs nothing.
        self.deliveries: tuple[Delivery, ...] = ()
        self.outcomes: tuple[Outcome, ...] = ()
        self.notices: tuple[Notice, ...] = ()
        self.keep: tuple[tuple[Row, Held], ...] = ()
        self.release: tuple[Row, ...] = ()
        self.sent: tuple[Channel, ...] = ()
        self.waits: tuple[Channel, ...] = ()
        self.counted: tuple[str, ...] = ()
        if spec.experiment is not None:
            self._vary(spec.experiment)

    def _vary(self, experiment: Experiment) -> None:
        tenant, user = self.request.event.tenant, self.request.user
        self.spec = experiment.assigned(tenant, user, self.spec.name)
        if self.trace is not None:
            shown = experiment.shown(tenant, user, self.spec.name)
            self.trace(0, None, "experiment", shown, None)

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

    def deliver(self, content: Content) -> None:
        """Send on the channel that is looked at, one message an address."""
        plan, request, spec, event = self.plan, self.request, self.spec, self.request.event
        self.sent += (plan.channel,)
        for address in self.usable:
            delivery = Delivery(
                delivery_id=delivery_id(self.name, plan.channel, address),
                notification_id=self.name,
                event_id=event.id,
                type=spec.name,
                category=spec.category,
                user=request.user,
                channel=plan.channel,
                priority=Priority.BULK if request.bulk else spec.priority,
                address=address,
                content=content,
                occurred_at=epoch_ms(event.occurred_at),
                accepted_at=request.accepted_at,
                expires_at=self.expires_at,
                catalogue=spec.catalogue,
                tenant=event.tenant,
            )
            if spec.variant:
                # Apart: CPython passes more than 15 keywords in a dict, at four times the cost.
                delivery = replace(delivery, variant=spec.variant)
            self.deliveries += (delivery,)

    def uncount(self) -> None:
        """Count in no limit after all."""
        self.windows, self.quota = self._state.ledger.windows, self._state.quota

    def suppress(self, channel: Channel | None, reason: Reason, detail: str = "") -> None:
        """Note that a channel, or all of them, stay silent."""
        self.outcomes += (Outcome(channel, reason, detail),)

    def hold(self, channel: Channel | None, reason: Reason, detail: str) -> None:
        """Note that a channel, or all of them, wait."""
        self.outcomes += (Outcome(channel, reason, detail, Stage.HELD),)

    @property
    def locale(self) -> str:
        """The user's locale, or their tenant's."""
        return self.profile.locale or self.tenant.locale

    def decision(self) -> Decision:
        """What came of it."""
        ledger = Ledger(self.marks, self.windows, self.waiting, self.gathering, self.heard)
        return Decision(
            self.name,
            self.deliveries,
            self.outcomes,
            ledger,
            notices=self.notices,
            keep=self.keep,
            release=self.release,
            quota=self.quota,
        )
