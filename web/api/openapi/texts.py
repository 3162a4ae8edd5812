"""What the OpenAPI document says in words: of the API as a whole, its tags and its headers."""

from typing import Any

ABOUT = """\
Send events and notifications, store contacts and preferences of users, and read inboxes, feeds and
what happened.

**Keys.** Each request bears `Authorization: Bearer KEY`. A key belongs to one tenant and has
scopes.

**Times.** Every moment in a reply is RFC 3339 in UTC, to the millisecond
(`2026-03-14T09:26:53.589Z`); names end in `_at` for when something was or will be, and in `until`
for when it ends. Requests may say any RFC 3339 moment with an offset. Days are `YYYY-MM-DD`, in
UTC.

**Positions.** A write is answered with a `position` once Kafka has it. A read that is given the
`position` (or several, with commas between) waits until what was written is handled, for 4 seconds
at most: a success says that it was reached, and 503 that it was not, so that the read may be
repeated. Positions are opaque.

**Errors** are `application/problem+json` (RFC 9457), always with the same members.

**Limits.** A key and its tenant may make so many requests a minute, evenly, with a burst of ten
seconds' worth, over all servers together. The headers describe the limit with the fewest left.
`RateLimit-Limit` is the burst, `RateLimit-Remaining` what is left of it, and after
`RateLimit-Reset` seconds all of it is there again. A refusal (429) has `Retry-After` with the same
number of seconds."""
TAGS = {
    "Sending": "Events, notifications and cancellations: what producers send.",
    "Users": "Where users are reached, what they want, whom they follow and block.",
    "Inbox": "What users were notified of in the app, and what they did with it.",
    "History": "What happened to a notification, to a user in a day, and what would happen.",
    "Statistics": "Figures and experiments.",
    "Operations": "Lag, providers and dead letters, of all tenants.",
}
KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, as `tocsin keys create` prints it once.",
}


def _seconds(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    }


def _text(description: str) -> dict[str, Any]:
    return {"description": description, "required": True, "schema": {"type": "string"}}


HEADERS = {
    "RateLimit-Policy": _text("The limit, and in how many seconds it is there again: `1000;w=10`."),
    "RateLimit-Limit": _seconds("Requests that may be made at once."),
    "RateLimit-Remaining": _seconds("Of these, how many may still be made now."),
    "RateLimit-Reset": _seconds("Seconds until all of them may be made again."),
    "Retry-After": _seconds("Seconds after which the request may be repeated."),
    "WWW-Authenticate": _text("How to authenticate."),
    "Allow": _text("The methods that are possible."),
}
LIMITS = ("RateLimit-Policy", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
"""Headers of every reply to a key that counts towards its limit."""
