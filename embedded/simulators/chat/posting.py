"""What is common to the chat platforms: a post that was taken goes into the log."""

from aiohttp import web

from embedded.simulators.accept_log import Accepted, AcceptLog, digest_of, now
from schemas.vocabulary import Channel
from sinks.chat.hooks import IDS


def post(
    log: AcceptLog, request: web.Request, platform: str, title: str, body: str, reference: str
) -> str:
    """Note what was posted to a hook; its reference, which falls back to our id."""
    return note(log, request, platform, address_of(request, platform), title, body, reference)


def note(
    log: AcceptLog,
    request: web.Request,
    platform: str,
    address: str,
    title: str,
    body: str,
    reference: str,
) -> str:
    """Note a message, by the ids in our header; its reference, which falls back to our id."""
    notification, _, delivery = request.headers.get(IDS, "").partition(".")
    accepted = Accepted(
        at=now(),
        provider=platform,
        channel=Channel.CHAT,
        notification_id=notification,
        delivery_id=delivery,
        address=address,
        title=title,
        digest=digest_of(body),
        reference=reference or delivery,
    )
    log.append((accepted,))
    return accepted.reference


def address_of(request: web.Request, platform: str) -> str:
    """The address by which we know the hook that was called."""
    query = [(name, value) for name, value in request.query.items() if name != "wait"]
    tail = f"?{'&'.join(f'{name}={value}' for name, value in query)}" if query else ""
    return f"{platform}:{request.scheme}://{request.host}{request.path}{tail}"
