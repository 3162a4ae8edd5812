"""Deterministic ids: every replay makes the same ones, so repeats can be collapsed.

Notifications and deliveries have 128-bit BLAKE2b ids. Free text is length-prefixed, so that no
two different tuples are ever encoded alike; a one-letter prefix keeps the kinds of id apart.
"""

from hashlib import blake2b

from schemas.event import Event
from schemas.vocabulary import Channel, Stage

_EMPTY = blake2b(digest_size=16)
"""Copied for each id, at half the cost of making one."""


def notification_id(tenant: str, event_id: str, user: str, type_name: str) -> str:
    """32 hex digits that name one notification: of this event, to this user, by this type."""
    return _hashed(
        f"n{len(tenant)}:{tenant}{len(event_id)}:{event_id}{len(user)}:{user}{type_name}"
    )


def counted_id(event: Event, user: str, type_name: str) -> str:
    """The id of what counts once: by the event's idempotency key where it has one."""
    return notification_id(event.tenant, event.idempotency_key or event.id, user, type_name)


def delivery_id(notification: str, channel: Channel, address: str) -> str:
    """32 hex digits that name one message: a notification on one channel to one address."""
    # A notification id has a fixed length and a channel no colon, so the address may be anything.
    return _hashed("".join(("d", notification, channel, ":", address)))


def repeat_name(notification: str, repeat: int) -> str:
    """What a notification is called where its messages are told apart from those before it."""
    return f"{notification}.{repeat}" if repeat else notification


def digest_id(first: str, channel: Channel) -> str:
    """32 hex digits that name one digest: by the first row in it, a time and a notification.

    An event that is repeated when its mark is gone is in two digests, but not with the same time
    while its gathering knows until when it was closed: for a day, or longer where more comes,
    unless 500 others of the user were closed since.
    """
    return _hashed(f"g{first}{channel}")


def gathering_name(type_name: str, channel: Channel, source: str, key: str) -> str:
    """32 hex digits that name what a user's events of one type and key are gathered under."""
    return _hashed(f"w{len(type_name)}:{type_name}{channel}:{source}:{key}")


def wish_name(category: str, channel: Channel) -> str:
    """The same for all types of a category that the user wants hourly or daily."""
    return _hashed(f"c{len(category)}:{category}{channel}")


def replacing_id(tenant: str, user: str, type_name: str, value: str) -> str:
    """32 hex digits that all notifications have, of which the last takes the others' place."""
    return _hashed(f"p{len(tenant)}:{tenant}{len(user)}:{user}{len(type_name)}:{type_name}{value}")


def ending_key(event_type: str, match: tuple[str, ...], user: str, value: str) -> str:
    """What an event that ends others is remembered by; as a cancel key, none of a producer's."""
    field = ".".join(match)
    place = f"{len(event_type)}:{event_type}{len(field)}:{field}{len(user)}:{user}"
    return f"until:{_hashed(f'e{place}{value}')}"


def variant_point(tenant: str, user: str, type_name: str, experiment: str) -> int:
    """Where a user falls in an experiment of a type: evenly spread over 0 to 2^64 - 1.

    It depends on nothing else, so a user always falls there; under another name, elsewhere.
    """
    text = f"v{len(tenant)}:{tenant}{len(user)}:{user}{len(type_name)}:{type_name}{experiment}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def holdout_point(tenant: str, user: str, type_name: str, holdout: str) -> int:
    """The same in a holdout of a type, or of all types where that is empty."""
    text = f"h{len(tenant)}:{tenant}{len(user)}:{user}{len(type_name)}:{type_name}{holdout}"
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def goal_id(tenant: str, event_id: str, user: str, type_name: str) -> str:
    """32 hex digits that name one time that a user did what a type is to bring about."""
    return _hashed(
        f"r{len(tenant)}:{tenant}{len(event_id)}:{event_id}{len(user)}:{user}{type_name}"
    )


def opt_out_id(tenant: str, user: str, category: str, at: int) -> str:
    """32 hex digits that name one time (epoch ms) that a user left a category."""
    return _hashed(f"o{len(tenant)}:{tenant}{len(user)}:{user}{len(category)}:{category}{at}")


def user_digest(tenant: str, user: str) -> bytes:
    """16 bytes that stand for a user where their name has no room."""
    return bytes.fromhex(_hashed(f"u{len(tenant)}:{tenant}{user}"))


def delivery_event_id(subject: str, channel: Channel | None, stage: Stage, attempt: int) -> str:
    """What names one happening to `subject`, a delivery or a notification id; it can be read.

    Telling the same happening again gives the same id; `attempt` counts from 0.
    """
    # Joined, as formatting a member of an enum costs as much as hashing an id.
    return ".".join((subject, channel or "all", stage, str(attempt)))


def _hashed(text: str) -> str:
    hashing = _EMPTY.copy()
    hashing.update(text.encode())
    return hashing.hexdigest()
