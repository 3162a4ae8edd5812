"""Evidence of one flow among those that a house has seen: what came after the flow began."""

from collections import defaultdict
from dataclasses import dataclass, field

import msgspec
from aiokafka import TopicPartition

from demo.verify.evidence import Evidence, Excuse
from demo.verify.gathering import read_held, read_inbox
from embedded.house import House
from embedded.simulators.accept_log import now, read_accept_log
from pipeline.topics import DEAD_LETTERS, DELIVERY_EVENTS, OUTBOX
from schemas.dead_letter import DeadLetter
from tests.chaos.observe import ends_of, read_from

TOPICS = (DEAD_LETTERS.name, DELIVERY_EVENTS.name, OUTBOX.name)
NOT_SENT = ("suppressed", "held")


@dataclass(frozen=True)
class Mark:
    """How far everything had got when a flow began."""

    accepted: int = 0
    stored: frozenset[tuple[str, str]] = frozenset()
    ends: dict[TopicPartition, int] = field(default_factory=dict)


class _Row(msgspec.Struct):
    stage: str
    event_id: str
    user: str
    type: str
    channel: str | None = None
    reason: str = ""


class _Post(msgspec.Struct):
    notification_id: str


async def mark(house: House) -> Mark:
    """How far everything has got now; nothing may be on its way."""
    inbox = await read_inbox(house.settings)
    return Mark(
        accepted=len(read_accept_log(house.accept_log)),
        stored=frozenset((item.user, item.notification_id) for item in inbox),
        ends=await ends_of(house, TOPICS),
    )


async def gather(house: House, since: Mark) -> Evidence:
    """Everything that came after the mark, whomever it was for."""
    ended_at = round(now() * 1000)
    excuses: set[Excuse] = set()
    letters: list[DeadLetter] = []
    outbox: defaultdict[str, set[int]] = defaultdict(set)
    row, letter = msgspec.json.Decoder(_Row), msgspec.json.Decoder(DeadLetter)
    async for record in read_from(house, since.ends):
        match record.topic:
            case DEAD_LETTERS.name:
                letters.append(letter.decode(record.value))
            case OUTBOX.name:
                post = msgspec.json.decode(record.value, type=_Post)
                outbox[post.notification_id].add(record.partition)
            case _:
                rows = row.decode_lines(record.value)
                excuses.update(_excuse(each) for each in rows if each.stage in NOT_SENT)
    inbox = await read_inbox(house.settings)
    return Evidence(
        ended_at=ended_at,
        partitions=house.settings.partitions,
        accepted=read_accept_log(house.accept_log)[since.accepted :],
        inbox=[it for it in inbox if (it.user, it.notification_id) not in since.stored],
        letters=letters,
        excuses=sorted(excuses, key=lambda excuse: (excuse.event_id, excuse.user)),
        held=await read_held(house.settings),
        outbox=outbox,
    )


def _excuse(row: _Row) -> Excuse:
    return Excuse(
        event_id=row.event_id,
        user=row.user,
        type=row.type,
        channel=row.channel or "",
        stage=row.stage,
        reason=row.reason,
    )
