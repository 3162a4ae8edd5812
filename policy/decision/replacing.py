"""What takes the place of what: the last notification of a type about one thing."""

from collections.abc import Mapping

from policy.field_paths import key_at
from policy.identity import replacing_id
from policy.notification_type import NotificationType
from schemas.request import Request

MOST_NEWEST = 64
"""Things of which is remembered for one user what was accepted last: those that came last."""

OVERTAKEN = "a later one of the same came first"
"""Why a delivery is dropped whose place was taken before it arrived."""

Order = tuple[int, int, int]
"""When Kafka accepted an event (epoch ms), at which offset, of which partition."""
Newest = Mapping[bytes, Order]
"""Of each thing, by its id, the last that was accepted of what was decided."""


def replaces(request: Request, spec: NotificationType) -> str:
    """The id of what the notification is about; empty where its type says nothing of that, or the
    event does not."""
    if not spec.replaces:
        return ""
    value, tenant = key_at(request.event.data, spec.replaces), request.event.tenant
    return "" if value is None else replacing_id(tenant, request.user, spec.name, value)


def waits_as(name: str) -> str:
    """The key by which a replacement finds what is pending; none of a producer's."""
    return f"replaces:{name}"


def order_of(request: Request) -> Order:
    """By which the later of two is known, in whatever order they are read."""
    return request.accepted_at, request.origin.offset, request.origin.partition


def is_outdated(request: Request, name: str, newest: Newest) -> bool:
    """Whether a later one was decided already."""
    return order_of(request) < newest.get(bytes.fromhex(name), (0, 0, 0))


def noted(request: Request, name: str, newest: Newest) -> dict[bytes, Order]:
    """The same with this one as the last of its thing, and no more than are remembered."""
    key = bytes.fromhex(name)
    left = {other: order for other, order in newest.items() if other != key}
    if len(left) >= MOST_NEWEST:
        del left[min(left, key=left.__getitem__)]
    return {**left, key: order_of(request)}


def shown(spec: NotificationType) -> str:
    """What both are about, in words."""
    return f"the same {'.'.join(spec.replaces)}"
