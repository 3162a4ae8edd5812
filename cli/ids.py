"""Ids on the command line: whole, or as much of their beginning as no other one shares."""

from collections.abc import Sequence

from schemas.errors import WrongUsage

MOST_LISTED = 10
"""Candidates that are named where a beginning is shared by several."""


def the_only(candidates: Sequence[str], given: str, noun: str, listing: str) -> str:
    """The id that was given or begins so, of all `candidates` that do; raises WrongUsage.

    `listing` is the command that shows which ids there are.
    """
    if given in candidates:
        return given
    if not candidates:
        raise WrongUsage(f"There is no {noun} {given}. `{listing}` lists them with their ids.")
    if len(candidates) > 1:
        named = ", ".join(candidates[:MOST_LISTED])
        more = ", and others" if len(candidates) > MOST_LISTED else ""
        raise WrongUsage(
            f"The ids of several {noun}s begin with {given!r}: {named}{more}. Give more of it."
        )
    return candidates[0]
