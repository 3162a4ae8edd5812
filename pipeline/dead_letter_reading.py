"""Finding dead letters, and sending their records again once they are mended."""

import msgspec
from aiokafka.errors import KafkaError

from pipeline.errors import Unavailable
from pipeline.producer import start_producer
from pipeline.settings import Settings
from pipeline.topic_reading import read_record, read_topic
from pipeline.topics import DEAD_LETTERS
from schemas.dead_letter import DeadLetter

decode = msgspec.json.Decoder(DeadLetter).decode


async def find(
    settings: Settings,
    *,
    letter_id: str | None = None,
    reason: str | None = None,
    topic: str | None = None,
) -> list[DeadLetter]:
    """The dead letters that match, each once, oldest first."""
    letters = {}
    async for record in read_topic(settings.kafka, DEAD_LETTERS.name):
        letter = decode(record.value)
        wanted = (letter_id, letter.id), (reason, letter.reason), (topic, letter.topic)
        if all(want in (None, has) for want, has in wanted):
            letters[letter.id] = letter
    return sorted(letters.values(), key=lambda letter: letter.at)


async def send_again(settings: Settings, letters: list[DeadLetter]) -> tuple[int, int]:
    """Write the source records back; returns how many went and how many are gone.

    Raises Unavailable, naming how many went, when Kafka stops to answer.
    """
    done = gone = 0
    producer = await start_producer(settings.kafka)
    try:
        for letter in letters:
            key, value, headers = letter.key, letter.value, letter.headers
            if letter.truncated:
                place = letter.topic, letter.partition, letter.offset
                record = await read_record(settings.kafka, *place)
                if record is None:
                    gone += 1
                    continue
                key, value, headers = record.key, record.value, record.headers
            marked = [*headers, ("dead-letter", letter.id.encode())]
            await producer.send_and_wait(letter.topic, value, key, letter.partition, headers=marked)
            done += 1
    except KafkaError as error:
        raise Unavailable(
            f"Kafka does not answer any more at {settings.kafka}. {done} of {len(letters)} records "
            "were sent again; do the same once it is back: what counts once counts once."
        ) from error
    finally:
        await producer.stop()
    return done, gone
