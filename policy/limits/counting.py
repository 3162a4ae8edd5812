"""A notification counts once in a limit over all channels, on whichever of them, and whenever."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from policy.decision.builder import Draft
from policy.decision.deferral import notification_of
from policy.decision.rule import DIGEST, LIMIT
from policy.field_paths import text_at
from policy.identity import gathering_name
from policy.notification_type import Plan
from policy.user.ledger import MOST_COUNTED


def share_counted(draft: Draft, told_of: Mapping[str, Mapping[str, Any]]) -> None:
    """Let what else waits of these notifications know in which limits they count from now on.

    `told_of` are the notifications that went out, by id, with their events' data. A digest on
    another channel counts as one of theirs if it has their type and key, or is of all types of
    their category, as the user wishes.
    """
    new = tuple(each for each in draft.counted if each not in draft.counted_before)
    if not new:
        return
    _tell_waiting(draft, told_of, new)
    if any(each.due_at for each in draft.gathering.values()):
        _tell_gathering(draft, told_of, new)


def _tell_waiting(draft: Draft, names: Mapping[str, Any], new: tuple[str, ...]) -> None:
    for part, found in draft.waiting.items():
        if notification_of(part) in names:
            counted = tuple(dict.fromkeys(found.counted + new))
            draft.waiting = {**draft.waiting, part: replace(found, counted=counted)}


def _tell_gathering(
    draft: Draft, told_of: Mapping[str, Mapping[str, Any]], new: tuple[str, ...]
) -> None:
    for name in dict.fromkeys(_gatherings(draft, told_of)):
        found = draft.gathering.get(name)
        if found is not None and found.due_at:
            counted = tuple(dict.fromkeys(found.counted + new))[-MOST_COUNTED:]
            draft.gathering = {**draft.gathering, name: replace(found, counted=counted)}


def _gatherings(draft: Draft, told_of: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    plans: list[Plan] = [plan for step in draft.spec.steps for plan in step.plans]
    for plan in plans:
        for key in {text_at(data, plan.digest_key) for data in told_of.values()}:
            for source in (DIGEST, LIMIT):
                yield gathering_name(draft.spec.name, plan.channel, source, key)
    category = draft.spec.category
    if category:
        yield from (name for name, each in draft.gathering.items() if each.category == category)
