-- The schema as it was before there were migrations: tables of then must come along.
-- Everything that happens to notifications. The key makes the same happening, told twice, one
-- row; it is placed by the domain event's time, which no replay changes.
CREATE TABLE IF NOT EXISTS delivery_events
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
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (tenant, toDate(occurred_at), type, notification_id, id)
TTL toDateTime(occurred_at) + INTERVAL 13 MONTH
SETTINGS ttl_only_drop_parts = 1;

ALTER TABLE delivery_events
    ADD COLUMN IF NOT EXISTS segments UInt16 AFTER catalogue,
    ADD COLUMN IF NOT EXISTS cost Float64 AFTER segments;

-- One notification, or one user, among many millions of rows.
ALTER TABLE delivery_events
    ADD INDEX IF NOT EXISTS by_notification notification_id TYPE bloom_filter GRANULARITY 4,
    ADD INDEX IF NOT EXISTS by_user user TYPE bloom_filter GRANULARITY 4;

-- When a notification reached each stage on each channel. `min` neither counts a repeat nor
-- minds the order, so this is right however often and however late rows come.
CREATE TABLE IF NOT EXISTS notification_state
(
    tenant LowCardinality(String),
    day Date,
    type LowCardinality(String),
    notification_id String,
    channel LowCardinality(String),
    priority SimpleAggregateFunction(min, LowCardinality(String)),
    user SimpleAggregateFunction(min, String),
    event_id SimpleAggregateFunction(min, String),
    accepted SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
    suppressed SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    held SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    digested SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    queued SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    sent SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    delivered SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    seen SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    opened SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    clicked SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    bounced SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    failed SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC')))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (tenant, day, type, notification_id, channel)
TTL day + INTERVAL 13 MONTH
SETTINGS ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS notification_state_from_events TO notification_state AS
SELECT
    tenant,
    toDate(occurred_at) AS day,
    type,
    notification_id,
    channel,
    min(e.priority) AS priority,
    min(e.user) AS user,
    min(e.event_id) AS event_id,
    min(accepted_at) AS accepted,
    min(if(stage = 'suppressed', at, NULL)) AS suppressed,
    min(if(stage = 'held', at, NULL)) AS held,
    min(if(stage = 'digested', at, NULL)) AS digested,
    min(if(stage = 'queued', at, NULL)) AS queued,
    min(if(stage = 'sent', at, NULL)) AS sent,
    min(if(stage = 'delivered', at, NULL)) AS delivered,
    min(if(stage = 'seen', at, NULL)) AS seen,
    min(if(stage = 'opened', at, NULL)) AS opened,
    min(if(stage = 'clicked', at, NULL)) AS clicked,
    min(if(stage = 'bounced', at, NULL)) AS bounced,
    min(if(stage = 'failed', at, NULL)) AS failed
FROM delivery_events AS e
GROUP BY tenant, day, type, notification_id, channel;
