-- When a notification reached each stage on each channel. `min` neither counts a repeat nor
-- minds the order, so this is right however often and however late rows come. What a machine
-- opened, nobody has.
CREATE TABLE IF NOT EXISTS notification_state {on_cluster}
(
    tenant LowCardinality(String),
    day Date,
    type LowCardinality(String),
    notification_id String,
    channel LowCardinality(String),
    category SimpleAggregateFunction(min, LowCardinality(String)),
    priority SimpleAggregateFunction(min, LowCardinality(String)),
    user SimpleAggregateFunction(min, String),
    event_id SimpleAggregateFunction(min, String),
    catalogue SimpleAggregateFunction(min, LowCardinality(String)),
    occurred SimpleAggregateFunction(min, DateTime64(3, 'UTC')),
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
ENGINE = {replicated}AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (tenant, day, type, notification_id, channel)
TTL day + INTERVAL 396 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS notification_state_from_events {on_cluster}
TO notification_state AS
SELECT
    tenant,
    toDate(occurred_at) AS day,
    type,
    notification_id,
    channel,
    min(e.category) AS category,
    min(e.priority) AS priority,
    min(e.user) AS user,
    min(e.event_id) AS event_id,
    min(e.catalogue) AS catalogue,
    min(occurred_at) AS occurred,
    min(accepted_at) AS accepted,
    minIf(toNullable(at), stage = 'suppressed') AS suppressed,
    minIf(toNullable(at), stage = 'held') AS held,
    minIf(toNullable(at), stage = 'digested') AS digested,
    minIf(toNullable(at), stage = 'queued') AS queued,
    minIf(toNullable(at), stage = 'sent') AS sent,
    minIf(toNullable(at), stage = 'delivered') AS delivered,
    minIf(toNullable(at), stage = 'seen') AS seen,
    minIf(toNullable(at), stage = 'opened' AND detail != 'machine') AS opened,
    minIf(toNullable(at), stage = 'clicked' AND detail != 'machine') AS clicked,
    minIf(toNullable(at), stage = 'bounced') AS bounced,
    minIf(toNullable(at), stage = 'failed') AS failed
FROM delivery_events AS e
GROUP BY tenant, day, type, notification_id, channel;
