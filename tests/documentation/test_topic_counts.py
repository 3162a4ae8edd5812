"""The list of all topics among the figures: each stands there once, and the sums are right."""

import re
from pathlib import Path

from schemas.topics import (
    DELIVER,
    INPUTS,
    OUTCOMES,
    REQUESTS,
    STATEFUL,
    TOPICS,
    changelog,
    needed_topics,
)

MEASURED = (Path(__file__).parents[2] / "docs" / "measured.md").read_text("utf-8")
MANY = {
    "requests.*": [topic.name for topic in REQUESTS.values()],
    "deliver.CHANNEL.*": [topic.name for topic in DELIVER.values()],
    "ROLE-changelog": [changelog(role).name for role in STATEFUL],
}
AT_8 = 8


def rows() -> dict[tuple[str, ...], tuple[str, str]]:
    """By the topics of a row: how many it says they are, and who reads them."""
    table = MEASURED.partition("| topics | number | read by | why |\n|---|---|---|---|\n")[2]
    found = {}
    for line in table.partition("\n\n")[0].splitlines():
        _, names, number, readers, _, _ = line.split("|")
        topics = [MANY.get(name, [name]) for name in re.findall(r"`(.+?)`", names)]
        found[tuple(name for each in topics for name in each)] = number.strip(), readers.strip()
    return found


def test_each_topic_is_in_one_row_which_counts_it() -> None:
    listed = [name for names in rows() for name in names]
    assert sorted(listed) == sorted(topic.name for topic in TOPICS)
    for names, (number, _) in rows().items():
        assert number == ("(1)" if names == (OUTCOMES.name,) else f"{len(names)}")


def test_who_reads_them_is_said() -> None:
    by_name = {topic.name: topic.read_by for topic in TOPICS}
    for names, (_, readers) in rows().items():
        for reader in {by_name[name] for name in names} if len(names) < len(STATEFUL) else ():
            every, said = set(reader.split(", ")), set(re.split("[,;] ", readers))
            assert every <= said or "all channels" in said, names


def test_the_sums_are_those_of_this_version() -> None:
    needed = len(needed_topics(outcomes=False))
    assert f"has {needed} topics, or {needed * AT_8} partitions at {AT_8}" in MEASURED
    assert f"and {len(INPUTS['decider']) * AT_8} for the decider" in MEASURED
