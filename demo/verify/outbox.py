"""Posts that feeds read: each in every partition of the outbox, as often as it was written."""

from collections import Counter
from collections.abc import Mapping

from demo.verify.evidence import Evidence
from demo.verify.expected.notification import Notification
from demo.verify.findings import Findings


def judge_outbox(
    expected: Mapping[str, Notification],
    repeats: Mapping[str, int],
    evidence: Evidence,
    findings: Findings,
) -> None:
    """Note which posts are missing somewhere, there too often, altered, or not for feeds.

    The topic has a post as often as its event was written, `repeats` times beyond the first; of
    these a feed shows one.
    """
    posts = {name: it for name, it in expected.items() if it.is_read}
    places = Counter[tuple[str, int]]()
    for posted in evidence.outbox:
        it = posts.get(posted.notification_id)
        if it is None:
            findings.unexpected.append(
                f"{posted.notification_id} is in the outbox, and no feed is to show it"
            )
            continue
        places[it.id, posted.partition] += 1
        if wrong := _wrong(posted.event, it):
            findings.wrong_content.append(f"{it}: its post in the outbox has another {wrong}")
    for (name, partition), times in places.items():
        if times > 1 + repeats.get(posts[name].claim.id, 0):
            sentence = f"{posts[name]}: {times} times in partition {partition} of the outbox"
            findings.duplicates.append(sentence)
    for name, it in posts.items():
        missing = sum((name, partition) not in places for partition in range(evidence.partitions))
        if missing:
            findings.lost.append(f"{it}: {missing} partitions of the outbox lack the post")
        findings.checked["posts left to feeds: in every partition's outbox"] += 1


def _wrong(event: Mapping[str, object], it: Notification) -> str:
    written = {"id": it.claim.id, "type": it.claim.type, "actor": it.claim.actor}
    fields: dict[str, object] = {**written, "data": it.claim.data}
    return ", ".join(name for name, value in fields.items() if event.get(name) != value)
