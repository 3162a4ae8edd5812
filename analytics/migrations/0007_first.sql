-- The first telling of a happening is kept, and not the one that came last: a mail that is opened
-- again was opened when it first was. A table can't be given another engine, so it is made anew, and
-- takes the parts of the old one as they are. Until that is done, some rows are seen in the roll-ups
-- alone.
ALTER TABLE delivery_events {on_cluster}
    ADD COLUMN IF NOT EXISTS due_at DateTime64(3, 'UTC') AFTER within,
    ADD COLUMN IF NOT EXISTS digest String
        DEFAULT if(stage = 'digested', substring(detail, 4), '') AFTER due_at,
    ADD COLUMN IF NOT EXISTS zone LowCardinality(String) AFTER digest,
    ADD COLUMN IF NOT EXISTS destination LowCardinality(String) AFTER zone,
    ADD COLUMN IF NOT EXISTS earliest UInt64
        DEFAULT toUInt64(9223372036854775807 - toUnixTimestamp64Milli(at)) AFTER inserted_at;

-- May fail (TABLE_ALREADY_EXISTS): it was done before.
RENAME TABLE IF EXISTS delivery_events TO delivery_events_0006 {on_cluster};

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
    variant LowCardinality(String),
    within UInt32,
    due_at DateTime64(3, 'UTC') CODEC(ZSTD),
    -- Of which digest it is: of itself, or of the one in which its event was told.
    digest String DEFAULT if(stage = 'digested', substring(detail, 4), '') CODEC(ZSTD),
    zone LowCardinality(String),
    destination LowCardinality(String),
    retention LowCardinality(String) DEFAULT if(stage IN ('held', 'retrying'), 'short', 'long'),
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD),
    -- The greatest is kept, so it counts backwards.
    earliest UInt64
        DEFAULT toUInt64(9223372036854775807 - toUnixTimestamp64Milli(at)) CODEC(Delta, ZSTD),
    INDEX by_notification notification_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_user user TYPE bloom_filter GRANULARITY 4
)
ENGINE = {replicated}ReplacingMergeTree(earliest)
PARTITION BY (retention, toYYYYMM(occurred_at))
ORDER BY (tenant, toDate(occurred_at), type, notification_id, id)
TTL toDateTime(occurred_at) + toIntervalDay(if(retention = 'short', 90, 396))
SETTINGS ttl_only_drop_parts = 1;

ALTER TABLE notification_state {on_cluster}
    ADD COLUMN IF NOT EXISTS complained SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    ADD COLUMN IF NOT EXISTS unsubscribed
        SimpleAggregateFunction(min, Nullable(DateTime64(3, 'UTC'))),
    ADD COLUMN IF NOT EXISTS due SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
    ADD COLUMN IF NOT EXISTS digest SimpleAggregateFunction(max, String),
    ADD COLUMN IF NOT EXISTS zone SimpleAggregateFunction(max, LowCardinality(String)),
    ADD COLUMN IF NOT EXISTS destination SimpleAggregateFunction(max, LowCardinality(String));

-- Views of new names: those that there are go on belonging to the old table, which nobody writes to.
-- What is of a user and of no notification, such as an opt-out by hand, has no state.
CREATE MATERIALIZED VIEW IF NOT EXISTS state_from_events {on_cluster} TO notification_state AS
SELECT
    tenant,
    toDate(occurred_at) AS day,
    type,
    notification_id,
    channel,
    category,
    priority,
    user,
    event_id,
    catalogue,
    occurred_at AS occurred,
    accepted_at AS accepted,
    if(stage = 'suppressed', at, NULL) AS suppressed,
    if(stage = 'held', at, NULL) AS held,
    if(stage = 'digested', at, NULL) AS digested,
    if(stage = 'queued', at, NULL) AS queued,
    if(stage = 'sent', at, NULL) AS sent,
    if(stage = 'delivered', at, NULL) AS delivered,
    if(stage = 'seen', at, NULL) AS seen,
    if(stage = 'opened' AND detail != 'machine', at, NULL) AS opened,
    if(stage = 'clicked' AND detail != 'machine', at, NULL) AS clicked,
    if(stage = 'bounced', at, NULL) AS bounced,
    if(stage = 'failed', at, NULL) AS failed,
    variant,
    if(stage = 'complained', at, NULL) AS complained,
    if(stage = 'unsubscribed', at, NULL) AS unsubscribed,
    due_at AS due,
    digest,
    zone,
    destination
FROM delivery_events
WHERE stage NOT IN ('assigned', 'goal') AND notification_id != '';

CREATE MATERIALIZED VIEW IF NOT EXISTS minutes_from_events {on_cluster} TO by_minute AS
SELECT
    toStartOfMinute(occurred_at) AS minute,
    tenant, type, category, channel, provider, priority, stage, reason, catalogue,
    uniqExactState(cityHash64(id)) AS happenings
FROM delivery_events
WHERE detail != 'machine'
GROUP BY minute, tenant, type, category, channel, provider, priority, stage, reason, catalogue;

-- What came between the table and its views is told to them now; it counts once in any case.
INSERT INTO delivery_events SELECT * FROM delivery_events SETTINGS insert_deduplicate = 0;

-- May fail (different partition key): tables of before 0.2.0, of which rows are copied.
ALTER TABLE delivery_events {on_cluster} ATTACH PARTITION ALL FROM delivery_events_0006;

INSERT INTO delivery_events
(
    id, stage, at, occurred_at, accepted_at, tenant, type, category, priority, user, event_id,
    notification_id, delivery_id, channel, reason, provider, attempt, detail, catalogue,
    segments, cost, variant, within, due_at, digest, zone, destination, retention, inserted_at, earliest
)
SELECT
    id, stage, at, occurred_at, accepted_at, tenant, type, category, priority, user, event_id,
    notification_id, delivery_id, channel, reason, provider, attempt, detail, catalogue,
    segments, cost, variant, within, due_at, digest, zone, destination, retention, inserted_at, earliest
FROM delivery_events_0006
WHERE
    (
        SELECT uniqExact(partition_key) FROM system.tables
        WHERE database = currentDatabase() AND name IN ('delivery_events', 'delivery_events_0006')
    ) > 1
SETTINGS insert_deduplicate = 0;

-- What states had no column for.
INSERT INTO notification_state
(
    tenant, day, type, notification_id, channel, category, priority, user, event_id, catalogue,
    occurred, accepted, complained, unsubscribed, digest
)
SELECT
    tenant, toDate(occurred_at), type, notification_id, channel, category, priority, user, event_id,
    catalogue, occurred_at, accepted_at, if(stage = 'complained', at, NULL),
    if(stage = 'unsubscribed', at, NULL), digest
FROM delivery_events
WHERE stage IN ('complained', 'unsubscribed', 'digested') AND notification_id != ''
SETTINGS insert_deduplicate = 0;

-- What was counted of users who were erased since. Figures are without it at once, and those of
-- others are never touched: all that there is, and what is gone, less what is gone.
CREATE TABLE IF NOT EXISTS erased_happenings {on_cluster}
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
PARTITION BY toYYYYMM(minute)
ORDER BY (tenant, minute, type, category, channel, provider, priority, stage, reason, catalogue)
TTL minute + INTERVAL 396 DAY
SETTINGS ttl_only_drop_parts = 1;

-- Longer than a message can tell of its user, see LIFE_MS in policy/ticket.py: an open by a ticket
-- of two years ago must bring nobody back.
ALTER TABLE erased {on_cluster} MODIFY TTL toDateTime(at) + INTERVAL 800 DAY;
