"""What may stand in a file of the catalogue."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from policy.rate_limit import RateLimit
from schemas.event import Name
from schemas.vocabulary import Channel, Priority

Positive = Annotated[int, Meta(ge=1)]
Hours = Annotated[int, Meta(ge=1, le=31 * 24)]
FieldPath = Annotated[str, Meta(pattern=r"^[^.\s]+(\.[^.\s]+)*$")]

DEFAULT_LIMIT = RateLimit(count=10, seconds=3600)
"""Per user and channel, over all types that set no limit of their own."""


class Templates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Jinja2 sources for one channel, and the fields of the event's data to send beside."""

    body: str
    title: str | None = None
    html: str | None = None
    data: tuple[str, ...] = ()


class ByChannel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Templates by channel; fields rather than a dict, so that an error's path is complete."""

    push: Templates | None = None
    email: Templates | None = None
    sms: Templates | None = None
    inapp: Templates | None = None

    def given(self) -> dict[Channel, Templates]:
        """Those that are there."""
        found = ((channel, getattr(self, channel)) for channel in Channel)
        return {channel: templates for channel, templates in found if templates is not None}


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One notification type as written; `time_to_live` is seconds.

    A type with a `rate_limit` is counted by itself; the others share one window a channel.
    """

    category: Name
    priority: Priority
    channels: Annotated[tuple[Channel, ...], Meta(min_length=1)]
    templates: ByChannel
    time_to_live: Positive
    users: FieldPath | None = None
    followers: bool = False
    fan_out_threshold: Positive | None = None
    transactional: bool = False
    rate_limit: RateLimit | None = None
    dedupe_hours: Hours = 24
    online: Literal["inapp"] | None = None


def contradiction(entry: Entry) -> tuple[str, str] | None:
    """The first field that contradicts the others, and how; None when all agree."""
    channels = entry.channels
    if len(set(channels)) < len(channels):
        return "channels", "names a channel twice"
    if entry.followers is (entry.users is not None):
        return "users", "or followers = true is needed, and not both, to say whom to tell"
    if entry.fan_out_threshold is not None and not entry.followers:
        return "fan_out_threshold", "needs followers = true"
    if entry.online and not {Channel.PUSH, Channel.INAPP} <= set(channels):
        return "online", "needs both push and inapp among the channels"
    given = entry.templates.given()
    for channel in channels:
        if channel not in given:
            return f"templates.{channel}", "is missing, though the channel is listed"
    for channel, templates in given.items():
        if channel not in channels:
            return f"templates.{channel}", "is for a channel that is not listed"
        found = _misfit(channel, templates)
        if found:
            return found
    return None


def _misfit(channel: Channel, templates: Templates) -> tuple[str, str] | None:
    where = f"templates.{channel}"
    if channel is Channel.EMAIL and templates.title is None:
        return f"{where}.title", "is missing, and an e-mail needs a subject"
    if channel is not Channel.EMAIL and templates.html is not None:
        return f"{where}.html", "is for e-mail only"
    if channel is Channel.SMS and (templates.title is not None or templates.data):
        return where, "has more than a body, and an SMS has nothing else"
    return None
