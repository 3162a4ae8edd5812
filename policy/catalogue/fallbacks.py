"""Contradictions among fallbacks."""

from collections.abc import Collection, Iterator, Mapping

from policy.catalogue.entry import Entry
from policy.catalogue.problem import Problem, repeated
from schemas.vocabulary import Channel

_EITHER = {Channel.PUSH, Channel.INAPP}
"""`online` makes each of these the fallback for the other."""


def preferring(entry: Entry) -> Iterator[Problem]:
    """What contradicts `online`."""
    if not entry.online:
        if entry.online_grace is not None:
            yield ("online_grace",), "needs online"
        return
    if not set(entry.channels) >= _EITHER:
        yield ("online",), "needs both push and inapp in channels"
    for channel, others in entry.fallback.items():
        path = ("fallback", channel)
        if channel in _EITHER:
            yield path, f"contradicts online, which says when {channel} is used"
        elif len(_EITHER.intersection(others)) == 1:
            yield path, "must name both push and inapp, as with online only one of them goes out"


def fallbacks(entry: Entry) -> Iterator[Problem]:
    """What contradicts in `fallback`."""
    if entry.fallback_over_limit and Channel.SMS not in entry.fallback:
        yield ("fallback_over_limit",), "needs fallback for sms: it has no effect for others"
    together = {channel: channels for channels in entry.steps() for channel in channels}
    for channel, others in entry.fallback.items():
        path = ("fallback", channel)
        yield from repeated(path, others)
        if channel not in together:
            yield path, "is for a channel that is not used"
        elif not others:
            yield path, "must name the channels that it is a fallback for"
        elif channel in others:
            yield path, "names the channel itself"
        for other in set(others) - {channel}:
            if channel in together and other not in together[channel]:
                yield path, f"names {other}, which is not used together with {channel}"
    circle = _circle(entry.fallback)
    if circle:
        yield ("fallback", circle[0]), f"goes in a circle: {', '.join(circle)}"


def _circle(fallback: Mapping[Channel, Collection[Channel]]) -> list[Channel]:
    """Channels that are fallbacks for each other, the first again at the end; or nothing."""
    for start in fallback:
        ways = [[start]]
        while ways:
            way = ways.pop()
            for other in fallback.get(way[-1], ()):
                if other == start and len(way) > 1:
                    return [*way, other]
                if other not in way:
                    ways.append([*way, other])
    return []
