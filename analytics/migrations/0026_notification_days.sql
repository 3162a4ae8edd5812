-- Of which day and type a notification is, by the beginning of its id: the events of one are then read
-- from where they stand, whatever the number of days that are kept. Twelve characters tell apart
-- a hundred thousand billion; where two begin alike, one more place is looked at.
CREATE TABLE IF NOT EXISTS notification_days {on_cluster}
(
    tenant LowCardinality(String) CODEC(ZSTD),
    beginning String CODEC(ZSTD),
    day Date CODEC(ZSTD),
    type LowCardinality(String) CODEC(ZSTD)
)
ENGINE = {replicated}ReplacingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (tenant, beginning, day, type)
TTL day + INTERVAL 396 DAY
SETTINGS ttl_only_drop_parts = 1, index_granularity = 1024;

CREATE MATERIALIZED VIEW IF NOT EXISTS days_from_events {on_cluster} TO notification_days AS
SELECT DISTINCT
    tenant, substring(notification_id, 1, 12) AS beginning, toDate(occurred_at) AS day, type
FROM delivery_events
WHERE notification_id != '';

-- What there was before the view; told twice, it is one row.
INSERT INTO notification_days
SELECT tenant, substring(notification_id, 1, 12), toDate(occurred_at), type
FROM delivery_events
WHERE notification_id != ''
SETTINGS insert_deduplicate = 0, max_partitions_per_insert_block = 0;
