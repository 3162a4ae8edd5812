"""Looking for what is left of a user: in compacted topics, state folders and tables."""

from collections.abc import Sequence
from pathlib import Path

from rocksdict import Options, Rdict

from analytics.clickhouse import ClickHouse
from pipeline.kafka.topic_reading import read_topic
from schemas.topics import TOPICS

Needles = Sequence[bytes]


async def in_compacted_topics(kafka: str, needles: Needles) -> dict[str, list[bytes]]:
    """By topic, under which keys they are still to be read once Kafka has compacted it."""
    found = {}
    for topic in TOPICS:
        if not topic.compacted:
            continue
        newest: dict[tuple[int, bytes | None], bytes | None] = {}
        async for record in read_topic(kafka, topic.name):
            newest[record.partition, record.key] = record.value
        kept = [(key or b"", value) for (_, key), value in newest.items() if value is not None]
        keys = [entry[0] for entry in kept if any(n in part for n in needles for part in entry)]
        if keys:
            found[topic.name] = keys
    return found


def in_folder(folder: Path, needles: Needles) -> list[str]:
    """The states that hold them, by their path, once RocksDB has compacted them.

    Files are compressed, so it is asked what is in them, and whether that is all.
    """
    found = []
    for state in sorted({path.parent for path in folder.rglob("CURRENT")}):
        db = Rdict(str(state), Options(raw_mode=True))
        # Around all there is: a file that no other overlaps would be moved as it stands.
        db[b"\x00"] = db[b"\xff"] = b""
        db.flush()
        db.compact_range(b"", b"\xff" * 8)
        entries = [(bytes(key), bytes(value)) for key, value in db.items()]  # type: ignore[arg-type]
        files = db.live_files()
        db.close()
        assert sum(file["num_entries"] for file in files) == len(entries)
        assert not any(file["num_deletions"] for file in files)
        others = [path for path in state.iterdir() if path.suffix != ".sst"]
        texts = [part for entry in entries for part in entry]
        texts += [path.read_bytes() for path in others if path.is_file()]
        if any(needle in text for needle in needles for text in texts):
            found.append(str(state.relative_to(folder)))
    return found


async def in_tables(database: ClickHouse, needles: Needles) -> list[str]:
    """The tables with text that contains them, aggregated text included."""
    columns = await database.query(
        "SELECT table, name FROM system.columns WHERE database = currentDatabase() "
        "AND type LIKE '%String%' AND table IN (SELECT name FROM system.tables "
        "WHERE database = currentDatabase() AND engine LIKE '%MergeTree')"
    )
    found = set()
    for table, column in columns:
        for needle in needles:
            question = f"SELECT count() FROM {table} WHERE position(toString({column}), "
            question += "{needle:String}) > 0"
            ((count,),) = await database.query(question, {"needle": needle.decode()})
            if count:
                found.add(str(table))
    return sorted(found)
