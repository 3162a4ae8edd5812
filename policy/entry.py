"""What may stand in a file of the catalogue."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from policy.duration import Duration
from policy.rate_limit import RateLimit, TenantLimit
from schemas.event import Name
from schemas.profile import ClockTime, QuietHours
from schemas.vocabulary import Channel, Frequency, Weekday

Positive = Annotated[int, Meta(ge=1)]
Hours = Annotated[int, Meta(ge=1, le=31 * 24)]
FieldPath = Annotated[str, Meta(pattern=r"^[^.\s]+(\.[^.\s]+)*$")]
LocaleName = Annotated[str, Meta(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")]
PlainName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,200}$")]
"""Of types, categories and layouts: parts of names where other characters divide."""
Share = Annotated[str, Meta(pattern=r"^\d{1,2}(\.\d{1,2})?%$")]

DEFAULT_LIMIT = RateLimit(count=10, seconds=3600)
"""Per user and channel, over all types that set no limit of their own."""


class WhatsAppEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A template that WhatsApp approved, which it takes at any time.

    `template` is Twilio's ContentSid, or at Vonage NAMESPACE:NAME with its `language`. `variables`
    are Jinja2 sources for {{1}}, {{2}} and so on; each becomes a single line.
    """

    template: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_:-]{1,512}$")]
    language: LocaleName | None = None
    variables: Annotated[tuple[str, ...], Meta(max_length=100)] = ()


class Texts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Jinja2 sources that one locale, or a digest, has of its own; what is absent falls back."""

    body: str | None = None
    title: str | None = None
    html: str | None = None
    mjml: str | None = None
    whatsapp: WhatsAppEntry | None = None


class ActionEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Jinja2 sources of a button: what stands on it, and the web page that it leads to."""

    label: Annotated[str, Meta(min_length=1)]
    url: Annotated[str, Meta(min_length=1)]


Actions = Annotated[tuple[ActionEntry, ...], Meta(max_length=3)]


class Translation(Texts, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The texts of one locale, with those of its digest, and all of its buttons."""

    digest: Texts | None = None
    actions: Actions = ()


class Templates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Jinja2 sources for one channel, and the fields of the event's data to send beside.

    `layout` names a layout that goes around the html or mjml; `segments` is how many an SMS may
    have, 4 if it doesn't say; `digest` speaks of several events at once, and `locales` has
    translations by locale. `image` is the https address of one, and `actions` are buttons.
    `language` is that of the texts which are no translation; where it is said, a user of another
    language gets their dates, numbers and plurals by it, too.
    `whatsapp` is what goes there in place of the other texts.
    """

    body: str
    title: str | None = None
    html: str | None = None
    mjml: str | None = None
    layout: Name | None = None
    data: tuple[str, ...] = ()
    language: LocaleName | None = None
    segments: Annotated[int, Meta(ge=1, le=10)] | None = None
    digest: Texts | None = None
    image: str | None = None
    actions: Actions = ()
    locales: dict[LocaleName, Translation] = {}
    whatsapp: WhatsAppEntry | None = None


class ByChannel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Templates by channel; fields rather than a dict, so that an error's path is complete."""

    push: Templates | None = None
    email: Templates | None = None
    sms: Templates | None = None
    inapp: Templates | None = None
    chat: Templates | None = None
    webhook: Templates | None = None

    def given(self) -> dict[Channel, Templates]:
        """Those that are there."""
        found = ((channel, getattr(self, channel)) for channel in Channel)
        return {channel: templates for channel, templates in found if templates is not None}


class Limit(RateLimit, frozen=True, forbid_unknown_fields=True):
    """A rate limit, and what becomes of what is over it."""

    over: Literal["drop", "digest"] = "drop"


class DigestEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Gather a user's events on these channels into one notification each.

    Events with the same value at `key` are gathered together. One of: `every`, a window that
    the first event opens; `pause`, a window that ends when so long nothing came, or at the
    latest `longest` after the first event; `at`, times of day in the user's zone, on `days`.
    A window closes `lateness` after its end, so that what was delayed on the way is in it.
    """

    channels: Annotated[tuple[Channel, ...], Meta(min_length=1)]
    key: FieldPath | None = None
    every: Duration | None = None
    pause: Duration | None = None
    longest: Duration | None = None
    at: tuple[ClockTime, ...] = ()
    days: tuple[Weekday, ...] = ()
    lateness: Duration = "5s"


class EscalationStep(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`after` the step before it, unless the notification came to `unless`, these channels too.

    The user has seen, opened or clicked it; or a provider of e-mail or SMS says that it was
    delivered. Each includes those before: what was seen, was delivered.
    """

    after: Duration
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1)]
    unless: Literal["delivered", "seen", "opened", "clicked"] = "seen"


class UntilEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What still waits ends when this event comes with the same value at `match` in its data.

    That concerns the users whom the event names where the type's own event does, at `users`, or
    everybody, if it names nobody there.
    """

    event: Name
    match: FieldPath


class RepeatEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Make a sound again, `times` times `every` so long after the last step, until acknowledged.

    That is by what ends the type, or, for one user, by what they do with it: `unless`. All channels
    that make a sound are used again. `then` are paths to those who are told next, each as long
    after those before as it takes to have told them all times, one more interval included.
    """

    every: Duration
    times: Annotated[int, Meta(ge=1, le=20)]
    unless: Literal["seen", "opened", "clicked"] = "seen"
    then: Annotated[tuple[FieldPath, ...], Meta(max_length=5)] = ()


class HoldoutEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A `share` of users who are not told, such as "5%", drawn by a hash of the user and `name`.

    Give it another name to draw others; results are kept by it.
    """

    share: Share
    name: PlainName


class GoalEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a type is to bring about: an `event` of the user, `within` so long of the type's own.

    It is theirs if they are its actor, or if it names them at `user`. With `match` both events must
    have the same value there in their data.
    """

    event: Name
    within: Duration
    match: FieldPath | None = None
    user: FieldPath | None = None


class VariantEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One variant of an experiment: its share by weight, and texts in place of the type's own."""

    weight: Positive = 1
    templates: ByChannel = ByChannel()


class ExperimentEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Variants of a type's texts, by name; the others are compared with the first.

    Who reads which is by a hash of the user and `name`: give it another name whenever weights or
    variants change, as results are kept by it.
    """

    name: PlainName
    variants: dict[PlainName, VariantEntry]


class SenderEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who e-mails are from, and where answers to them go.

    What a type says counts before what the user's tenant says, and that before the setting
    `TOCSIN_EMAIL_FROM`, each field by itself; but a name is that of its address.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100)] | None = None
    address: Annotated[str, Meta(max_length=320)] | None = None
    reply_to: Annotated[str, Meta(max_length=320)] | None = None


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One notification type as written.

    Whom to tell is one of: `users`, a path in the event's data; `followers` of the actor;
    `subscribers`, a path to the name of a topic; `segment`, the name of one, or attributes with
    their values; `segment_at`, a path to the name of a segment.
    With `when`, only events for which this expression over `data`, `actor` and `occurred_at` holds
    are told of; it is written as in templates, and what it needs must be there. `until` is the
    event that ends what waits: delays, later steps, what is gathered.
    `channels` are used at once, but for one that has a `fallback`, which is used only where
    none of those listed for it can go; `escalation` adds channels later, `repeat` uses them again,
    where it is critical. `topic` is the path to what this is about, for users to mute. A type with
    a `rate_limit` is counted by itself;
    the others share one window a channel, those that are transactional another. `actor_limit` is
    what one actor may send one user. An SMS does not fall back for a channel that is only over a
    limit, but with `fallback_over_limit`.
    With `send_at` it waits for the hour in which the user opens most, if `tocsin hints` found it
    out: 23 hours at most, and never beyond the time to live. What makes a sound goes out only
    `send_within` spans of the user's clock, such as weekdays from 09:00 to 18:00. Nobody is told
    of what they did themselves, but with `own_events`, which is true of transactional types unless
    they say no. `sender` is who its e-mails are from. Who is in its `holdout`, or in the
    catalogue's, is not told, and `goal` is by what they are compared with those who are; what is
    transactional or critical holds out nobody. With `replaces`, a path, the last notification of
    the same value there takes the place of the others: on devices, in the inbox, and of what still
    waits.
    """

    category: PlainName
    priority: Literal["critical", "high", "normal", "low"]
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1)]
    templates: ByChannel
    time_to_live: Duration
    users: FieldPath | None = None
    followers: bool = False
    subscribers: FieldPath | None = None
    segment: PlainName | Annotated[dict[Name, Name], Meta(max_length=50)] = {}
    segment_at: FieldPath | None = None
    fan_out_threshold: Positive | None = None
    transactional: bool = False
    topic: FieldPath | None = None
    delay: Duration | None = None
    rate_limit: Limit | None = None
    actor_limit: Limit | None = None
    dedupe_hours: Hours = 24
    online: Literal["inapp"] | None = None
    online_grace: Duration | None = None
    quiet_hours: Literal["defer", "drop", "ignore"] | None = None
    fallback: dict[Channel, tuple[Channel, ...]] = {}
    fallback_over_limit: bool = False
    digests: tuple[DigestEntry, ...] = ()
    escalation: tuple[EscalationStep, ...] = ()
    repeat: RepeatEntry | None = None
    experiment: ExperimentEntry | None = None
    when: Annotated[str, Meta(min_length=1, max_length=2000)] | None = None
    until: UntilEntry | None = None
    send_at: Literal["best_hour"] | None = None
    send_within: Annotated[tuple[QuietHours, ...], Meta(max_length=50)] = ()
    own_events: bool | None = None
    sender: SenderEntry | None = None
    holdout: HoldoutEntry | None = None
    goal: GoalEntry | None = None
    replaces: FieldPath | None = None

    def steps(self) -> list[tuple[Channel, ...]]:
        """The channels that are used together, at once first."""
        return [self.channels, *(step.channels for step in self.escalation)]

    def variants(self) -> dict[str, VariantEntry]:
        """Those of its experiment, if it has one."""
        return self.experiment.variants if self.experiment else {}


class CategoryEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all types of a category share: a limit per user over all of them and all channels."""

    rate_limit: Limit


class TenantEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for the users of a tenant who have not said otherwise, and its own limit.

    `rate_limit` is over all users of the tenant together.
    """

    zone: str | None = None  # IANA
    locale: LocaleName | None = None
    channels: dict[Channel, bool] = {}
    categories: dict[Name, dict[Channel, bool]] = {}
    quiet_hours: tuple[QuietHours, ...] = ()
    frequency: dict[Name, Frequency] = {}
    digest_at: ClockTime | None = None
    rate_limit: TenantLimit | None = None
    sender: SenderEntry | None = None


class SegmentEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Users for whom `where` holds, an expression over the attributes of their contacts, as `user`.

    It is written as in templates. Attributes are texts: `user.age | int >= 18` compares numbers,
    and dates as 2026-03-01 come after one another as texts do. Who lacks what it asks for is not in
    the segment; `user.plan | default('free')` says what to take instead.
    """

    where: Annotated[str, Meta(min_length=1, max_length=2000)]


class Layout(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes around the html or mjml of e-mails; `{{ content }}` stands for the inside."""

    html: str | None = None
    mjml: str | None = None
