"""Dead letters: every bad record that the producer wrote must be one, and no other record."""

from demo.producer_log import Claims
from demo.verify.evidence import Evidence
from demo.verify.findings import Findings


def judge_dead_letters(claims: Claims, evidence: Evidence, findings: Findings) -> None:
    """Note what is missing, what has another reason, and what the producer did not make bad."""
    letters = {(each.topic, each.partition, each.offset): each for each in evidence.letters}
    findings.dead = len(letters)
    for bad in claims.bad:
        place = (bad.topic, bad.partition, bad.offset)
        name = f"the bad record ({bad.bad}) at {bad.topic}/{bad.partition}/{bad.offset}"
        letter = letters.pop(place, None)
        if letter is None:
            findings.lost.append(f"{name}: not among the dead letters")
        elif letter.reason != bad.reason:
            findings.unexcused.append(f"{name}: said to be {letter.reason}, and it is {bad.reason}")
        else:
            findings.checked["bad records: set aside, for the right reason"] += 1
    findings.unexcused += [
        f"{topic}/{partition}/{offset} is a dead letter ({letter.reason}: {letter.detail}), and "
        "nothing was wrong with the record"
        for (topic, partition, offset), letter in letters.items()
    ]
