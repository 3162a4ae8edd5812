-- How much happened, by minute and by hour of the domain event's time. A set of what happened
-- is kept, 8 bytes each, and not a number: the same told twice, in whatever order, counts once,
-- and the figure is exact. Ask with uniqExactMerge(happenings). What machines opened is left out.
CREATE TABLE IF NOT EXISTS by_minute {on_cluster}
(
    minute DateTime('UTC'),
    tenant LowCardinality(String),
    type LowCardinality(String),
    category LowCardinality(String),
    channel LowCardinality(String),
    provider LowCardinality(String),
    priority LowCardinality(String),
    stage LowCardinality(String),
    reason LowCardinality(String),
    catalogue LowCardinality(String),
    happenings AggregateFunction(uniqExact, UInt64)
)
ENGINE = {replicated}AggregatingMergeTree
PARTITION BY toYYYYMMDD(minute)
ORDER BY (tenant, minute, type, category, channel, provider, priority, stage, reason, catalogue)
TTL minute + INTERVAL 14 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE TABLE IF NOT EXISTS by_hour {on_cluster}
(
    hour DateTime('UTC'),
    tenant LowCardinality(String),
    type LowCardinality(String),
    category LowCardinality(String),
    channel LowCardinality(String),
    provider LowCardinality(String),
    priority LowCardinality(String),
    stage LowCardinality(String),
    reason LowCardinality(String),
    catalogue LowCardinality(String),
    happenings AggregateFunction(uniqExact, UInt64)
)
ENGINE = {replicated}AggregatingMergeTree
PARTITION BY toYYYYMM(hour)
ORDER BY (tenant, hour, type, category, channel, provider, priority, stage, reason, catalogue)
TTL hour + INTERVAL 396 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS by_minute_from_events {on_cluster} TO by_minute AS
SELECT
    toStartOfMinute(occurred_at) AS minute,
    tenant, type, category, channel, provider, priority, stage, reason, catalogue,
    uniqExactState(cityHash64(id)) AS happenings
FROM delivery_events
WHERE detail != 'machine'
GROUP BY minute, tenant, type, category, channel, provider, priority, stage, reason, catalogue;

-- From the minutes of each insert, which are few, and not from its rows once more.
CREATE MATERIALIZED VIEW IF NOT EXISTS by_hour_from_minutes {on_cluster} TO by_hour AS
SELECT
    toStartOfHour(minute) AS hour,
    tenant, type, category, channel, provider, priority, stage, reason, catalogue,
    uniqExactMergeState(m.happenings) AS happenings
FROM by_minute AS m
GROUP BY hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue;
