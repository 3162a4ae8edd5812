"""What users left, as whoever is asked about their messages reads it."""

from collections.abc import Container, Iterable, Sequence

from msgspec.structs import replace

from analytics.timeline import Happening
from policy.time.timestamps import epoch_ms, in_utc, text, timestamp_of
from schemas.event import Timestamp
from schemas.vocabulary import Channel, Stage
from web.workers.whereabouts import OnChannel, Whereabouts

UNSUBSCRIBED = str(Stage.UNSUBSCRIBED)
_ONE_CLICK = "links"
"""Who reports a click on the link of a message."""


def left(opt_outs: Iterable[Happening]) -> list[Whereabouts]:
    """A row for each, in their order."""
    return [_row(each) for each in opt_outs]


def with_opt_outs(
    rows: Iterable[Whereabouts], opt_outs: Sequence[Happening], transactional: Container[str]
) -> list[Whereabouts]:
    """The rows; those that were sent though the user had left that before say so, and why.

    `transactional` has the types that go out all the same.
    """
    return [_with(row, opt_outs, transactional) for row in rows]


def _row(opt_out: Happening) -> Whereabouts:
    at = timestamp_of(in_utc(opt_out.at))
    means = f"by {_means(opt_out)}"
    in_ = f" in {opt_out.notification_id}" if opt_out.notification_id else ""
    return Whereabouts(
        event_id=opt_out.event_id,
        type=opt_out.type,
        category=opt_out.category,
        user=opt_out.user,
        at=at,
        state=UNSUBSCRIBED,
        why=f"{_what(opt_out)}, {means}{in_}",
        channels=[OnChannel(channel=opt_out.channel, state=UNSUBSCRIBED, since=at)],
    )


def _what(opt_out: Happening) -> str:
    return f"{opt_out.category or 'all categories'} on {opt_out.channel or 'all channels'}"


def _means(opt_out: Happening) -> str:
    if not opt_out.notification_id:
        return opt_out.detail or "the user's preferences"
    return "one click" if opt_out.provider == _ONE_CLICK else "a report of the provider"


def _with(
    row: Whereabouts, opt_outs: Sequence[Happening], transactional: Container[str]
) -> Whereabouts:
    said = [
        note
        for channel in row.channels
        if channel.sent_at and channel.channel
        if (note := _note(row, channel.channel, channel.sent_at, opt_outs, transactional))
    ]
    if not said:
        return row
    return replace(row, why="; ".join(filter(None, (row.why, *said))))


def _note(
    row: Whereabouts,
    channel: Channel,
    sent_at: Timestamp,
    opt_outs: Sequence[Happening],
    transactional: Container[str],
) -> str:
    before = [
        each
        for each in opt_outs
        if (each.user, each.channel) == (row.user, channel)
        and each.category in ("", row.category)
        and timestamp_of(in_utc(each.at)) < sent_at
    ]
    if not before:
        return ""
    last = before[-1]
    why = (
        "its type is transactional, which goes out all the same"
        if row.type in transactional
        else "it was turned on again since, or the message was on its way"
    )
    when = text(epoch_ms(in_utc(last.at)))
    return f"sent though {_what(last)} was left at {when}: {why}"
