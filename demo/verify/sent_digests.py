"""Digests as they arrived: each that was due once to each address, and nothing else besides."""

from collections.abc import Iterable, Mapping

from demo.verify.comparison import OVERDUE_MS
from demo.verify.expected.digests import Digest
from demo.verify.expected.model import Model
from demo.verify.expected.texts import digest_text_of
from demo.verify.findings import Findings
from demo.verify.observed import Arrival


def judge_digests(
    digests: Iterable[Digest],
    unknown: Mapping[tuple[str, str], list[Arrival]],
    model: Model,
    ended_at: int,
    findings: Findings,
) -> None:
    """Find each digest among the messages of no known notification, by channel and address.

    A digest has an id of Tocsin's own, so it is known by its text. What is left over is a fault.
    """
    left = {place: list(arrivals) for place, arrivals in unknown.items()}
    for digest in digests:
        if digest.due > ended_at or not digest.members:
            continue
        text = digest_text_of(digest.members, digest.channel, model.locale(digest.user))
        came = False
        for address in sorted(model.usable(digest.user, digest.channel)):
            arrivals = left.get((digest.channel, address), [])
            same = (each for each in arrivals if digest.due <= each.at and not each.says(text))
            found = next(same, None)
            name = f"a digest of {len(digest.members)} events, the first of them "
            name += f"{digest.members[0]}, by {digest.channel} to {address}"
            if found is not None:
                arrivals.remove(found)
                came = True
                findings.checked["digests: the right events, at the right time"] += 1
                if found.at > digest.due + OVERDUE_MS:
                    late = (found.at - digest.due) / 1000
                    findings.late.append(f"{name}: {late:,.0f} s after it was due")
            elif digest.due + OVERDUE_MS <= ended_at:
                findings.lost.append(f"{name}: nothing says {text.body!r}")
        findings.decisions += came
    for (channel, address), arrivals in left.items():
        findings.unexpected += [f"{channel} to {address}: nobody expected it" for _ in arrivals]
