-- Everything that happens to notifications. The key makes the same happening, told twice, one
-- row; it is placed by the domain event's time, which no replay changes. What only an operator
-- looks into (waiting, trying again) is kept for 90 days, all else for 13 months; a part holds
-- rows of one class, so that it goes as a whole.
CREATE TABLE IF NOT EXISTS delivery_events {on_cluster}
(
    id String CODEC(ZSTD),
    stage LowCardinality(String),
    at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    accepted_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD),
    tenant LowCardinality(String),
    type LowCardinality(String),
    category LowCardinality(String),
    priority LowCardinality(String),
    user String CODEC(ZSTD),
    event_id String CODEC(ZSTD),
    notification_id String CODEC(ZSTD),
    delivery_id String CODEC(ZSTD),
    channel LowCardinality(String),
    reason LowCardinality(String),
    provider LowCardinality(String),
    attempt UInt16,
    detail String CODEC(ZSTD),
    catalogue LowCardinality(String),
    segments UInt16,
    cost Float64,
    -- Of an experiment, as EXPERIMENT/VARIANT: only what we do with a message says it, and what
    -- comes back is known by its notification.
    variant LowCardinality(String),
    retention LowCardinality(String) DEFAULT if(stage IN ('held', 'retrying'), 'short', 'long'),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3),
    -- One notification, or one user, among many millions of rows.
    INDEX by_notification notification_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_user user TYPE bloom_filter GRANULARITY 4
)
ENGINE = {replicated}ReplacingMergeTree
PARTITION BY (retention, toYYYYMM(occurred_at))
ORDER BY (tenant, toDate(occurred_at), type, notification_id, id)
TTL toDateTime(occurred_at) + toIntervalDay(if(retention = 'short', 90, 396))
SETTINGS ttl_only_drop_parts = 1;

-- Of tables that are older than these files.
ALTER TABLE delivery_events {on_cluster}
    ADD COLUMN IF NOT EXISTS variant LowCardinality(String) AFTER cost,
    ADD COLUMN IF NOT EXISTS retention LowCardinality(String)
        DEFAULT if(stage IN ('held', 'retrying'), 'short', 'long') AFTER variant;
