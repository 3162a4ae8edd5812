"""What may stand in a file of the catalogue."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from policy.catalogue.text_entry import ByChannel, LocaleName
from policy.limits.daily_limit import DailyLimit
from policy.limits.rate_limit import RateLimit, TenantLimit
from policy.time.duration import Duration
from schemas.event import Name
from schemas.profile import ClockTime, QuietHours
from schemas.vocabulary import Channel, Frequency, Weekday

Positive = Annotated[int, Meta(ge=1)]
Hours = Annotated[int, Meta(ge=1, le=31 * 24)]
FieldPath = Annotated[str, Meta(pattern=r"^[^.\s]+(\.[^.\s]+)*$")]
Label = Annotated[str, Meta(min_length=1, max_length=100)]
PlainName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,200}$")]
"""Of types, categories and layouts: parts of names where other characters divide."""
AttributeName = Annotated[str, Meta(pattern=r"^[^=\s]([^=\r\n\t]{0,62}[^=\s])?$")]
"""Of an attribute of contacts, where its value stands behind it with a `=`."""
Share = Annotated[str, Meta(pattern=r"^\d{1,2}(\.\d{1,2})?%$")]

DEFAULT_LIMIT = RateLimit(count=10, seconds=3600)
"""Per user and channel, over all types that set no limit of their own."""


class Limit(RateLimit, frozen=True, forbid_unknown_fields=True):
    """A rate limit, and what becomes of what is over it."""

    over: Literal["drop", "digest"] = "drop"
    """`drop`, or `digest`: combine what is over the limit into one message."""


class DigestEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Combine a user's events on these channels into one notification each.

    A window is one of `every`, `pause` and `at`. Events that are older than the type's
    `time_to_live` when it is closed are left out.
    """

    channels: Annotated[tuple[Channel, ...], Meta(min_length=1)]
    """The channels on which events are combined."""
    key: FieldPath | None = None
    """A path; events with the same value there are combined."""
    every: Duration | None = None
    """A window of this length, which the first event opens."""
    pause: Duration | None = None
    """A window that ends after this time without an event."""
    longest: Duration | None = None
    """With `pause`: the window ends this long after its first event at the latest; 24 pauses unless
    set, and a minute before that event is too old."""
    at: tuple[ClockTime, ...] = ()
    """Windows that end at these times of day in the user's time zone."""
    days: tuple[Weekday, ...] = ()
    """With `at`: the days on which they end; every day unless set."""
    lateness: Duration = "5s"
    """Time after its end at which a window is closed, so that delayed events are in it."""


class EscalationStep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Further channels, unless the notification has reached a stage by then."""

    after: Duration
    """Time after the step before."""
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1)]
    """The channels that are used then."""
    unless: Literal["delivered", "seen", "opened", "clicked"] = "seen"
    """The stage that makes the step unnecessary. `delivered` is what a provider of e-mail or SMS
    reports; `seen`, `opened` and `clicked` are what the user did, and each includes those before
    it."""


class UntilEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event that ends what is pending of a type: delays, later steps and digests.

    It concerns the users that it names at the type's own `users`, or everyone if it names none.
    """

    event: Name
    """The type of that event."""
    match: FieldPath
    """A path; both events must have the same value there."""


class RepeatEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Send again on all channels that make a sound, until the notification is acknowledged.

    It is acknowledged by the event in `until`, or, for one user, by what they did: `unless`.
    """

    every: Duration
    """Time between two attempts."""
    times: Annotated[int, Meta(ge=1, le=20)]
    """Attempts after the first."""
    unless: Literal["seen", "opened", "clicked"] = "seen"
    """What a user does to acknowledge it."""
    then: Annotated[tuple[FieldPath, ...], Meta(max_length=5)] = ()
    """Paths to the users who are notified next, each after all attempts for those before and one
    more interval."""


class HoldoutEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A share of users who are not notified, drawn by a hash of the user and `name`."""

    share: Share
    """Such as `"5%"`."""
    name: PlainName
    """Another name draws other users; results are kept by name."""


class GoalEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event that a notification type is meant to bring about."""

    event: Name
    """The type of that event."""
    within: Duration
    """Time after the type's own event in which it counts."""
    match: FieldPath | None = None
    """A path; both events must have the same value there."""
    user: FieldPath | None = None
    """A path to the user who reached the goal; the event's actor unless set."""


class VariantEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One variant of an experiment."""

    weight: Positive = 1
    """Its share of users, relative to the others'."""
    templates: ByChannel = ByChannel()
    """Texts in place of the type's own, by channel."""


class ExperimentEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Variants of the texts of a type; the others are compared with the first."""

    name: PlainName
    """Users are assigned by a hash of the user and this name. Use another name whenever weights or
    variants change, as results are kept by name."""
    variants: dict[PlainName, VariantEntry]
    """Variants by name, at least two."""


class SenderEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who e-mails are from, and where replies to them go.

    A type's value wins over its tenant's, and that over the setting `TOCSIN_EMAIL_FROM`, each field
    by itself; but a name belongs to its address.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    """The name that is shown."""
    address: Annotated[str, Meta(max_length=320)] | None = None
    """The address that e-mails are from."""
    reply_to: Annotated[str, Meta(max_length=320)] | None = None
    """The address for replies."""


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One notification type.

    Its recipients are one of `users`, `followers`, `subscribers`, `segment` and `segment_at`. A
    path names a field of the event's data, such as `order.customer_id`.
    """

    category: PlainName
    """What users choose preferences for, and what a category's limit counts."""
    priority: Literal["critical", "high", "normal", "low"]
    """`critical` overrides quiet hours and limits, and is processed first."""
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1)]
    """The channels that are used at once, except for one that has a `fallback`."""
    templates: ByChannel
    """The texts, for each channel that is used."""
    time_to_live: Duration
    """Time after which it is too late to send it, from the event, or from when its `delay` or
    `deliver_at` is over."""
    users: FieldPath | None = None
    """A path to the recipient, or to a list of up to 1,000 of them. A whole number is the
    user of that name."""
    followers: bool = False
    """The followers of the event's actor."""
    subscribers: FieldPath | None = None
    """A path to the name of a topic, or a list of names; its subscribers."""
    segment: PlainName | Annotated[dict[Name, Name], Meta(max_length=50)] = {}
    """The name of a segment, or attributes of contacts with their values."""
    segment_at: FieldPath | None = None
    """A path to the name of a segment."""
    fan_out_threshold: Positive | None = None
    """Followers from which on a post is written once and merged into feeds; the setting's unless
    set."""
    transactional: bool = False
    """Sent whatever the user's preferences, mutes and blocks say."""
    topic: FieldPath | None = None
    """A path to what this is about, which users can mute."""
    delay: Duration | None = None
    """Time after the event at which it is sent."""
    rate_limit: Limit | None = None
    """A limit per user and channel for this type alone. Types without one share a window, and
    transactional types another."""
    actor_limit: Limit | None = None
    """How many of these one actor may cause for one user."""
    dedupe_hours: Hours = 24
    """Hours in which an event with the same id notifies nobody again."""
    online: Literal["inapp"] | None = None
    """`inapp`: a user who has the app open gets the in-app message, others the push; the other one
    of the two is used only where that can't be."""
    online_grace: Duration | None = None
    """With `online`: time after a device went offline in which its user still counts as online."""
    quiet_hours: Literal["defer", "drop", "ignore"] | None = None
    """`defer` until they end, `drop`, or `ignore` them; `defer` unless set."""
    fallback: dict[Channel, tuple[Channel, ...]] = {}
    """By channel, the channels that it is a fallback for: it is used only where none of them can
    be."""
    fallback_over_limit: bool = False
    """Whether an SMS falls back for a channel that is only over a limit."""
    digests: tuple[DigestEntry, ...] = ()
    """How events are combined, by channel."""
    escalation: tuple[EscalationStep, ...] = ()
    """Steps with further channels, later."""
    repeat: RepeatEntry | None = None
    """Sending it again; for critical types only."""
    experiment: ExperimentEntry | None = None
    """Variants of its texts."""
    when: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None
    """An expression over `data`, `actor` and `occurred_at`, as in templates; only events for which
    it holds count."""
    until: UntilEntry | None = None
    """The event that ends what is pending."""
    send_at: Literal["best_hour"] | None = None
    """`best_hour`: the hour in which the user opens most, as `tocsin hints` found out; within 23
    hours and the time to live."""
    send_within: Annotated[tuple[QuietHours, ...], Meta(max_length=50)] = ()
    """Hours of the user's clock in which channels that make a sound are used, such as weekdays from
    09:00 to 18:00."""
    own_events: bool | None = None
    """Whether users are notified of what they did themselves; of transactional types, unless set to
    false."""
    sender: SenderEntry | None = None
    """Who its e-mails are from."""
    holdout: HoldoutEntry | None = None
    """Users who are not notified, for comparison; never of transactional or critical types."""
    goal: GoalEntry | None = None
    """What the holdout is compared by."""
    replaces: FieldPath | None = None
    """A path; the newest notification with the same value there replaces the earlier ones on
    devices, in the inbox and among what is pending."""
    breakdown: AttributeName | None = None
    """The name of an attribute of contacts that has few values, such as `plan`; analysts see what
    becomes of the type's notifications by its value."""

    def steps(self) -> list[tuple[Channel, ...]]:
        """The channels that are used together, at once first."""
        return [self.channels, *(step.channels for step in self.escalation)]

    def variants(self) -> dict[str, VariantEntry]:
        """Those of its experiment, if it has one."""
        return self.experiment.variants if self.experiment else {}


class CategoryEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all types of a category share."""

    rate_limit: Limit | None = None
    """A limit per user over all types and channels of the category."""
    label: Label | None = None
    """The category's name on the preferences and unsubscribe pages."""
    labels: dict[LocaleName, Label] = {}
    """The same in other languages, by locale."""


class TenantEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Defaults for the users of a tenant, and its own limits."""

    zone: str | None = None
    """The time zone (IANA), such as `Europe/Berlin`."""
    locale: LocaleName | None = None
    """The language and region, such as `de` or `pt-BR`."""
    channels: dict[Channel, bool] = {}
    """Whether a channel is used, by channel."""
    categories: dict[Name, dict[Channel, bool]] = {}
    """Whether a channel is used for a category, by category and channel."""
    quiet_hours: tuple[QuietHours, ...] = ()
    """Quiet hours by the user's clock."""
    frequency: dict[Name, Frequency] = {}
    """How often a category is sent, by category; `*` is for all others."""
    digest_at: ClockTime | None = None
    """The time of day of daily messages."""
    rate_limit: TenantLimit | None = None
    """A limit over all users of the tenant together."""
    daily_limit: DailyLimit | None = None
    """What the tenant may send and spend in a day, over all its users together."""
    sender: SenderEntry | None = None
    """Who the tenant's e-mails are from."""


class SegmentEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Users for whom an expression over the attributes of their contacts holds.

    Attributes are texts: `user.age | int >= 18` compares numbers; dates such as 2026-03-01 compare
    as texts do. Users who lack an attribute are not in the segment, unless the expression has a
    default: `user.plan | default('free')`.
    """

    where: Annotated[str, Meta(min_length=1, max_length=2000)]
    """The expression, over `user`, as in templates."""


class Layout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The HTML around that of e-mails; `{{ content }}` stands for the inside."""

    html: str | None = None
    """As HTML."""
    mjml: str | None = None
    """As MJML."""
