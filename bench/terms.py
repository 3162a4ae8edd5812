"""What each contestant of a benchmark gets, in two lines that are printed before it runs."""

from agents.analytics import ROWS
from bench.contestants.aiokafka import FETCHED
from bench.sinks.contest import AT_ONCE
from bench.sinks.poison import AT_A_TIME
from bench.sinks.sinks import BATCH
from bench.vendors.client import THREADS
from bench.vendors.email import MOST_OF_SES
from pipeline.processing.slices import RECORDS
from pipeline.records.source_log import RECORDS as FETCHED_OF_SOURCES

SAME = "the uvloop event loop and our workers' garbage collector settings"
TERMS: dict[str, tuple[str, str]] = {
    "decide": (
        f"All contestants get: one process, {SAME} (Quix Streams has C threads and no event loop "
        "to exchange), the same decisions, codecs (msgspec), users, requests and broker.",
        f"They work as built: Tocsin on up to {RECORDS:,} records together, aiokafka on up to "
        f"{FETCHED:,}, Faust and Quix Streams on one by one. All outputs but aiokafka's, which "
        "decides nothing, are compared.",
    ),
    "restore": (
        f"Both get: one process, {SAME}, an empty folder, the same broker and the same records, of "
        "which Faust has a twentieth as it is slow.",
        "Tocsin reads a fetch and stores it as one batch, Faust a record at a time. Both must end "
        "with all records in their state.",
    ),
    "timers": (
        f"One contestant, Tocsin's decider, with {SAME}: nothing is compared.",
        "All notifications are due at one moment; the rate is from the first that is sent to the "
        "last.",
    ),
    "intake": (
        f"All get: one process, {SAME}, the same records, broker, guarantees, compression and "
        "decoders (orjson, fastavro). Where each record was placed is compared.",
        f"Tocsin takes up to {FETCHED_OF_SOURCES:,} records together, evaluates the source's "
        "condition and mapping, validates the event and wraps it with its origin; the bare loops "
        f"take up to {FETCHED:,}, read the field that is the key and send the bytes as they are, "
        "one with aiokafka's producer and one with ours.",
    ),
    "sinks": (
        f"All get: this one process, {SAME}, {AT_ONCE} calls in flight; an SDK that blocks gets "
        f"{THREADS} threads. Each sends the same messages, no two alike, and that is checked.",
        f"SendGrid, Mailgun, Postmark and Resend: {BATCH} messages a call, ours and the SDK's. "
        f"SES: ours 1, the SDK {MOST_OF_SES} (SendBulkEmail). All others: 1, as their APIs take "
        "different texts one by one. Ratios count messages. SMTP: as many connections as our "
        "sink has, kept by all three; its bare client is aiosmtplib.",
    ),
    "poison": (
        f"One contestant, our sinks behind their circuits, in this one process, {SAME}: as many "
        f"deliveries with and without bad addresses, in turns, {AT_A_TIME} providers at a time.",
        "A delivery's time is from when it was due to when the ledger has it. Of ten, nine are "
        "measured; the tenth has the bad address, which the simulators refuse as gone, or none.",
    ),
    "gateway": (
        "Tocsin's gateway and Centrifugo (Go: no Python event loop) get the same clients, sockets, "
        "messages and a Kafka of their own; Centrifugo keeps no history, as by default.",
        f"The API and the bare handler get one process each, {SAME}, and the same posts in turn, "
        "after one unmeasured run each.",
    ),
    "analytics": (
        f"Both get: one process, {SAME}, the same rows, inserts of {ROWS:,} rows with the same "
        "settings and compression, empty tables, and the first two inserts unmeasured.",
        "The worker also reads the rows from Kafka and decodes them, which the bare insert has in "
        "memory; the worker overlaps its inserts, the bare client waits for each.",
    ),
    "questions": (
        "One contestant, ClickHouse with our tables: nothing is compared with others.",
        "Each question is asked one at a time, 3 to 25 times; what it finds is known beforehand.",
    ),
    "end_to_end": (
        "One contestant, Tocsin as the demo runs it, with Kafka and ClickHouse; a stub answers for "
        "the providers at once. Events are the demo's, without those that can't be decoded.",
        "A message's time is from when Kafka appended its event to when the stub had the whole "
        "call; in-app, to when Kafka appended what gateways read of it. What rules hold "
        "back or digest is left out. Processor time is counted until nothing is left to do.",
    ),
    "soak": (
        "One contestant, Tocsin as the demo runs it, with Kafka and ClickHouse; a stub answers for "
        "the providers at once. Events are the demo's, without those that can't be decoded.",
        "The warm-up is not looked at. Each process is looked at from outside, by /proc.",
    ),
}
