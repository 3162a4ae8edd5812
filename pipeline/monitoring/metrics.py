"""Every metric of a worker, with what it should make an operator do.

Some topics are read by several roles, which may share a process: what is counted by topic says by
whom.
"""

from prometheus_client import Counter, Gauge, Histogram, Info

RECORDS = Counter(
    "tocsin_records",
    "Records finished. Zero while lag grows: look at the worker's log.",
    ["role", "topic"],
)
SLICE_SECONDS = Histogram(
    "tocsin_slice_seconds",
    "Time a slice took, outputs and state acknowledged. High: the broker or a provider is slow.",
    ["role", "topic"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
KAFKA_REQUESTS = Counter(
    "tocsin_kafka_requests",
    "Requests sent to brokers, by API key. Many for few records: slices are small, and what each "
    "costs by itself is most of the broker's work.",
    ["api"],
)
KAFKA_THROTTLED = Counter(
    "tocsin_kafka_throttled_seconds",
    "Seconds for which brokers asked this process to send nothing, by API key. Rising: our quota "
    "(`kafka-configs.sh --describe --entity-type users`) is less than the load needs.",
    ["api"],
)
STALE_SECRETS = Gauge(
    "tocsin_stale_secrets",
    "1 while a file of a secret or certificate was replaced by one that can't be used, and the old "
    "value is used. The log says why; put a right one there before the old one ends.",
    ["setting"],
)
FRONTIER = Gauge(
    "tocsin_frontier",
    "Offset up to which a partition is done; against the log's end it gives the lag.",
    ["role", "topic", "partition"],
)
LAG = Gauge(
    "tocsin_lag",
    "Records that a role knows of and has not done, in the partitions that it holds. Rising: scale "
    "the role, or see what it waits for.",
    ["role", "topic"],
)
DROPPED_SLICES = Counter(
    "tocsin_dropped_slices",
    "Times a slice was lost on its way and read again. Often: rebalances follow each other.",
    ["role", "topic"],
)
RETENTION_PASSED = Counter(
    "tocsin_retention_passed",
    "Records that retention deleted before they were read. Any: scale the role, or keep the topic "
    "for longer.",
    ["role", "topic"],
)
DEAD_LETTERS = Counter(
    "tocsin_dead_letters",
    "Records set aside. Any: `tocsin dead-letters list`.",
    ["role", "topic", "reason"],
)
MOVED = Counter(
    "tocsin_moved_records",
    "Records that stood in another partition than their key's and were moved, by the partitioner "
    "that seems to have chosen it. Many: set the producer's to murmur2, which saves them a hop.",
    ["topic", "partitioner"],
)
SOURCE_RECORDS = Counter(
    "tocsin_source_records",
    "Records of a source by what came of them: moved, skipped or dead. Dead ones: `tocsin "
    "dead-letters list`, and `tocsin sources try` shows what the catalogue makes of them now.",
    ["source", "outcome"],
)
SOURCE_LAG = Gauge(
    "tocsin_source_lag",
    "Records of a source that this process has before it. It grows: the log says what the source "
    "waits for, or more workers of intake are needed.",
    ["source"],
)
SOURCE_WAITING = Gauge(
    "tocsin_source_waiting",
    "1 while a source reads nothing: the schema registry can't be asked, or too many of its "
    "records are refused. The log says which, and what to do.",
    ["source"],
)
DAILY_LIMITED = Counter(
    "tocsin_daily_limited",
    "Messages that were not sent as their tenant's daily limit is used up in their partition. Any: "
    "find out what the tenant sends so much of, or raise its `daily_limit` in the catalogue.",
    ["tenant"],
)
UNPROCESSABLE = Counter(
    "tocsin_unprocessable",
    "Records, timers and deliveries set aside as working on them raised an error that nobody "
    "foresaw. Any: the worker's log has the traceback; please report it.",
    ["source"],
)
PROVIDER_CALLS = Counter(
    "tocsin_provider_calls",
    "Deliveries that a provider answered, by outcome. Retries rising: the provider has trouble.",
    ["provider", "outcome"],
)
RETRIES_WAITING = Gauge(
    "tocsin_retries_waiting",
    "Deliveries that a provider did not take and that wait to be tried again. Rising: it has "
    "trouble.",
    ["partition"],
)
PROVIDER_ERRORS = Counter(
    "tocsin_provider_errors",
    "Deliveries that failed by a provider's or our account's fault, by reason. Rising: "
    "`/v1/operations` has what it said last.",
    ["provider", "reason"],
)
FAILING_SINCE = Gauge(
    "tocsin_provider_failing_since_seconds",
    "When the first call to a provider failed after the last that succeeded, in Unix time; 0 while "
    "calls succeed. Long ago: its status page, our credentials.",
    ["provider"],
)
UNREADABLE_EVENTS = Counter(
    "tocsin_unreadable_report_events",
    "Events in a provider's reports that were skipped. Rising: it changed its form; see the log.",
    ["provider"],
)
SPANS_DROPPED = Counter(
    "tocsin_spans_dropped",
    "Spans of traces that the collector did not take in time. Rising: see whether it runs, or set "
    "a smaller TOCSIN_TRACE_RATIO.",
)
CIRCUIT = Gauge(
    "tocsin_circuit",
    "A provider's circuit: 0 closed, 1 half-open, 2 open. Open for long: its status page, our log.",
    ["provider"],
)
KAFKA = Info(
    "tocsin_kafka",
    "What names in Kafka begin with, which labels leave out. Not what you expect: TOCSIN_PREFIX.",
)
CATALOGUE = Info(
    "tocsin_catalogue",
    "Version of the catalogue in use. Workers that differ for long: one has other files.",
)
CATALOGUES_REFUSED = Counter(
    "tocsin_catalogues_refused",
    "Changed catalogues that could not be used. Any: `tocsin catalogue check`, or the log.",
)
