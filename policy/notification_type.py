"""Notification types, compiled from the catalogue for `decide` to run."""

from msgspec import Struct

from policy.condition import Condition
from policy.decision.ending import Ending
from policy.decision.rule import Rule
from policy.digest.windows import DigestWindow
from policy.experiments.experiment import Experiment
from policy.experiments.holdout import Goal, Holdout
from policy.limits.rate_limit import RateLimit
from policy.rendering.rendering import Rendering
from policy.user.profile import QuietSpan
from schemas.delivery import Sender
from schemas.vocabulary import Channel, Priority, Reason, Stage

YEAR_MS = 366 * 86_400_000


class Limited(Struct, frozen=True):
    """One rate limit that a plan is under: `window` names what it counts in.

    With `once`, a notification counts once in it, on however many channels it goes out. `folds`
    means that what is over it waits for a digest.
    """

    window: str
    limit: RateLimit
    once: bool = False
    folds: bool = False


class Plan(Struct, frozen=True, kw_only=True):
    """How a type uses one channel.

    `rules` are asked in order, and the first that objects decides; only those are there that can
    object. `instead_of` are channels that make this one needless if one of them goes out, and
    `needless` says why; with `over_limit`, it also goes where one of them is only over a limit. To
    the window of `actor_limit`, the actor's name is added. `defers` means that what falls into
    quiet hours waits for their end; it goes out only `within` these spans of the user's clock.
    """

    channel: Channel
    rendering: Rendering
    rules: tuple[Rule, ...]
    limits: tuple[Limited, ...] = ()
    actor_limit: Limited | None = None
    defers: bool = True
    instead_of: tuple[Channel, ...] = ()
    needless: Reason = Reason.NONE
    over_limit: bool = True
    digest: DigestWindow | None = None
    digest_key: tuple[str, ...] = ()
    within: tuple[QuietSpan, ...] = ()


class Step(Struct, frozen=True, kw_only=True):
    """Channels that are used together, `after` (ms) the step before, unless `unless` was reached.

    With `repeat`, they were used before: it counts how often by then.
    `plans` are in the order in which they are decided; where presence matters, they are for a
    user who is offline, and `online_plans` for one who is online.
    """

    plans: tuple[Plan, ...]
    online_plans: tuple[Plan, ...]
    after: int = 0
    unless: Stage = Stage.SEEN
    repeat: int = 0

    def shown_condition(self) -> str:
        """When it is taken, in words."""
        return f"unless {self.unless} within {self.after // 1000} s"


class NotificationType(Struct, frozen=True, kw_only=True):
    """One way to notify users of an event.

    Exactly one of `users`, `followers`, `subscribers`, `segment` and `segments` says whom; of
    several segments, the name at `segment_at` in the event's data says which. Paths lead into the
    event's data; times are milliseconds. With `at_best_hour` it waits for the hour in which
    the user opens most, where that is known. With an `experiment`, each user gets one of its
    variants of this type in its place: those have EXPERIMENT/NAME as their `variant`. With
    `own_events` the actor is notified like all others. With `when` it is only for events for
    which that holds. What waits ends with `until`. Those whom the paths of `then` name are told
    each `then_after` (ms) later than those before. `shows_users` says that texts may speak of all
    the users that an event lists, `names_channels` that each event names those of the channels on
    which it is told. E-mails are from `sender`, as far as it says. Who is in one of `holdouts`,
    that of all types first, is not told; `goal` is what they are then compared by with those who
    are. A notification takes the place of those before it that have the same value at `replaces`.
    Figures are broken down by the attribute of users that `breakdown` names, if any.
    """

    name: str
    event: str
    category: str
    priority: Priority
    transactional: bool
    time_to_live: int
    dedupe_hours: int
    steps: tuple[Step, ...]
    delay: int = 0
    online_grace: int = 0
    topic: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    followers: bool = False
    subscribers: tuple[str, ...] = ()
    segment: dict[str, str] = {}
    fan_out_threshold: int | None = None
    catalogue: str = ""
    at_best_hour: bool = False
    experiment: Experiment | None = None
    when: Condition | None = None
    variant: str = ""
    own_events: bool = False
    shows_users: bool = False
    until: Ending | None = None
    then: tuple[tuple[str, ...], ...] = ()
    then_after: int = 0
    names_channels: bool = False
    sender: Sender | None = None
    holdouts: tuple[Holdout, ...] = ()
    goal: Goal | None = None
    replaces: tuple[str, ...] = ()
    segments: dict[str, Condition] = {}
    segment_at: tuple[str, ...] = ()
    breakdown: str = ""

    @property
    def waits_for_receipts(self) -> bool:
        """Whether one of its steps depends on whether a message was delivered."""
        return any(step.unless is Stage.DELIVERED for step in self.steps[1:])

    def plan_of(self, channel: Channel) -> Plan | None:
        """How this type uses a channel, in whichever step."""
        plans = (plan for step in self.steps for plan in step.plans)
        return next((plan for plan in plans if plan.channel is channel), None)


def unknown_type(name: str, catalogue: str = "") -> NotificationType:
    """What stands for a type that this version of the catalogue has no more: without channels."""
    return NotificationType(
        name=name,
        event="",
        category="",
        priority=Priority.NORMAL,
        transactional=False,
        time_to_live=YEAR_MS,
        dedupe_hours=24,
        steps=(),
        catalogue=catalogue,
        own_events=True,  # nobody knows any more whether it told them
    )
