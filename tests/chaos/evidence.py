"""Evidence of one flow among those that a house has seen: what came after the flow began."""

from collections import defaultdict
from dataclasses import dataclass, field

import msgspec
from aiokafka import TopicPartition

from demo.verify.evidence import Evidence, Excuse, Place, Posted
from demo.verify.gathering import posted, read_held, read_inbox
from embedded.local_stack import LocalStack
from embedded.simulators.accept_log import now, read_accept_log
from schemas.dead_letter import DeadLetter
from schemas.delivery_event import DeliveryEvent
from schemas.topics import DEAD_LETTERS, DELIVER, DELIVERY_EVENTS, OUTBOX
from tests.chaos.observe import ends_of, read_from

PRIORITIES = {topic.name: names for names, topic in DELIVER.items()}
"""Channel and priority by topic."""
TOPICS = (DEAD_LETTERS.name, DELIVERY_EVENTS.name, OUTBOX.name, *PRIORITIES)
NOT_SENT = ("suppressed", "held")


@dataclass(frozen=True)
class Mark:
    """How far everything had got when a flow began."""

    accepted: int = 0
    stored: frozenset[tuple[str, str]] = frozenset()
    held: frozenset[Place] = frozenset()
    ends: dict[TopicPartition, int] = field(default_factory=dict)


class _Sent(msgspec.Struct):
    notification_id: str


async def mark(house: LocalStack) -> Mark:
    """How far everything has got now; nothing may be on its way."""
    inbox = await read_inbox(house.settings)
    return Mark(
        accepted=len(read_accept_log(house.accept_log)),
        stored=frozenset((item.user, item.notification_id) for item in inbox),
        held=frozenset(await read_held(house.settings)),
        ends=await ends_of(house, TOPICS),
    )


async def gather(house: LocalStack, since: Mark) -> Evidence:
    """Everything that came after the mark, whomever it was for."""
    ended_at = round(now() * 1000)
    excuses: set[Excuse] = set()
    letters: list[DeadLetter] = []
    outbox: list[Posted] = []
    priorities: defaultdict[Place, set[str]] = defaultdict(set)
    row, letter = msgspec.json.Decoder(DeliveryEvent), msgspec.json.Decoder(DeadLetter)
    sent = msgspec.json.Decoder(_Sent)
    async for record in read_from(house, since.ends):
        match record.topic:
            case DEAD_LETTERS.name:
                letters.append(letter.decode(record.value))
            case OUTBOX.name:
                outbox.append(posted(record))
            case name if name in PRIORITIES:
                channel, priority = PRIORITIES[name]
                place = sent.decode(record.value).notification_id, str(channel)
                priorities[place].add(str(priority))
            case _:
                rows = row.decode_lines(record.value)
                excuses.update(Excuse.of(each) for each in rows if each.stage in NOT_SENT)
    inbox, held = await read_inbox(house.settings), await read_held(house.settings)
    return Evidence(
        ended_at=ended_at,
        partitions=house.settings.partitions,
        accepted=read_accept_log(house.accept_log)[since.accepted :],
        inbox=[it for it in inbox if (it.user, it.notification_id) not in since.stored],
        letters=letters,
        excuses=sorted(excuses, key=lambda excuse: (excuse.event_id, excuse.user)),
        held={place: dues for place, dues in held.items() if place not in since.held},
        outbox=outbox,
        priorities=priorities,
    )
