"""Whom the person blocks on the page, and whom no longer."""

from collections.abc import Collection
from datetime import datetime

from schemas.profile import Block
from web.gateway.token import Subscriber
from web.http.forms import Form

LONGEST_ACTOR = 200


def blocks_in(
    form: Form, blocked: Collection[str], whose: Subscriber, now: datetime
) -> list[Block]:
    """What a form changes of the actors that are blocked now.

    One is blocked no longer if the page showed it and its box is empty. Raises ValueError for a
    name that is too long.
    """
    named = str(form.get("block", "")).strip()
    if len(named) > LONGEST_ACTOR:
        raise ValueError("the name of an actor is too long")
    left = {*form.getall("blocked_shown", ())} - {*form.getall("blocked", ())}
    wanted = dict.fromkeys(sorted(left & {*blocked}), False)
    if named:
        wanted[named] = True
    return [
        Block(user=whose.user, tenant=whose.tenant, actor=actor, at=now, blocked=is_blocked)
        for actor, is_blocked in wanted.items()
    ]
