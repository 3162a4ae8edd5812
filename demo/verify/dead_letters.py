"""Dead letters: every bad record that the producer wrote must be one, and no other record."""

from collections import Counter

from demo.produce.producer_log import Claims, record_digest
from demo.verify.evidence import Evidence
from demo.verify.findings import Findings
from schemas.dead_letter import DeadLetter

Source = tuple[str, int, int]
"""Topic, partition and offset of the record."""


def judge_dead_letters(claims: Claims, evidence: Evidence, findings: Findings) -> None:
    """Note what is missing, twice, altered or misnamed, and what the producer did not make bad."""
    letters = {_source(letter): letter for letter in evidence.letters}
    findings.dead = len(letters)
    for source, times in Counter(map(_source, evidence.letters)).items():
        if times > 1:
            findings.duplicates.append(f"{_shown(source)}: {times} dead letters")
    for bad in claims.bad:
        source = bad.topic, bad.partition, bad.offset
        name = f"the bad record ({bad.bad}) at {_shown(source)}"
        letter = letters.pop(source, None)
        if letter is None:
            findings.lost.append(f"{name}: not among the dead letters")
        elif letter.reason != bad.reason:
            findings.unexcused.append(f"{name}: reported as {letter.reason}, not {bad.reason}")
        elif record_digest(letter.key, letter.value) != bad.digest:
            findings.wrong_content.append(f"{name}: its dead letter has another key or value")
        else:
            findings.checked["bad records: set aside, for the right reason"] += 1
    findings.unexcused += [
        f"{_shown(source)} is a dead letter ({letter.reason}: {letter.detail}), and nothing was "
        "wrong with the record"
        for source, letter in letters.items()
    ]


def _source(letter: DeadLetter) -> Source:
    return letter.topic, letter.partition, letter.offset


def _shown(source: Source) -> str:
    return "/".join(map(str, source))
