"""The text of a digest of several types, or keys: what each of them says, one after the other."""

from collections.abc import Sequence

from msgspec.structs import replace

from policy.rendering.channels.buttons import beside_of
from policy.rendering.default_digest import MOST
from policy.rendering.reader import Reader
from policy.rendering.rendering import Rendering
from schemas.delivery import Content
from schemas.event import Event
from schemas.vocabulary import Channel

Part = tuple[Rendering, Sequence[Event]]
"""Events that one digest would list, the oldest first, and how; at least one."""


def together(parts: Sequence[Part], locale: str, reader: Reader | None = None) -> Content:
    """What the parts say on their channel, which is the same of all; one alone as it says it.

    The message has title and data of the first part. Each other one begins with its own title, and
    for those that the channel does not hold there is a line such as "+12", which counts events. Of
    several parts there is no html.

    Raises BadRecord where a part can't be rendered; those that are not told are not looked at.
    """
    (first, events), *others = parts
    content = first.digest(events, locale, reader)
    if not others:
        return content
    between = "\n\n" if first.channel is Channel.EMAIL else "\n"
    beside = beside_of(content.data, content.image, content.actions)
    left = sum(len(events) for _, events in others)
    body = content.body
    for rendering, events in others[: MOST - 1]:
        part = rendering.digest(events, locale, reader)
        longer = between.join((body, f"{part.title}\n{part.body}" if part.title else part.body))
        more = left - len(events)
        if not first.room.holds(content.title, longer + _tail(more), beside):
            break
        body, left = longer, more
    fitted = first.room.fitted(content.title, body, beside, _tail(left))
    # As the title, of the first.
    return replace(content, body=fitted, html="", approved=None)


def _tail(left: int) -> str:
    return f"\n+{left}" if left else ""
