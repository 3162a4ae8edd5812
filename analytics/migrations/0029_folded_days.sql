-- Sets of what happened take 8 bytes each, for good. So days that are closed are counted: by the
-- worker `analytics`, see analytics/folding.py. Until then a day is in `hour_sets`, which is what
-- `by_hour` was, by the day, so that a day goes as a whole.
CREATE TABLE IF NOT EXISTS hour_sets {on_cluster}
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
PARTITION BY toYYYYMMDD(hour)
ORDER BY (tenant, hour, type, category, channel, provider, priority, stage, reason, catalogue)
TTL hour + INTERVAL 396 DAY
SETTINGS ttl_only_drop_parts = 1;

-- How much happened in each hour, with what was erased since; of several counts, the last begun one
-- holds. The hour stands last in the order, as then only a number differs from row to row.
CREATE TABLE IF NOT EXISTS hour_counts {on_cluster}
(
    hour DateTime('UTC') CODEC(DoubleDelta, ZSTD),
    tenant LowCardinality(String) CODEC(ZSTD),
    type LowCardinality(String) CODEC(ZSTD),
    category LowCardinality(String) CODEC(ZSTD),
    channel LowCardinality(String) CODEC(ZSTD),
    provider LowCardinality(String) CODEC(ZSTD),
    priority LowCardinality(String) CODEC(ZSTD),
    stage LowCardinality(String) CODEC(ZSTD),
    reason LowCardinality(String) CODEC(ZSTD),
    catalogue LowCardinality(String) CODEC(ZSTD),
    count UInt64 CODEC(T64, ZSTD),
    counted_at DateTime64(3, 'UTC') CODEC(ZSTD)
)
ENGINE = {replicated}ReplacingMergeTree(counted_at)
PARTITION BY toYYYYMM(hour)
ORDER BY
(
    tenant, toDate(hour), type, category, channel, provider, priority, stage, reason, catalogue,
    hour
)
TTL hour + INTERVAL 396 DAY
SETTINGS ttl_only_drop_parts = 1;

-- Of which days the counts hold: of all up to the last one.
CREATE TABLE IF NOT EXISTS folded_days {on_cluster}
(
    day Date,
    at DateTime64(3, 'UTC')
)
ENGINE = {replicated}ReplacingMergeTree
ORDER BY (day, at);

-- When each type's day was counted, and when something was told of it, or erased, that late.
CREATE TABLE IF NOT EXISTS counted_days {on_cluster}
(
    tenant LowCardinality(String) CODEC(ZSTD),
    day Date CODEC(ZSTD),
    type LowCardinality(String) CODEC(ZSTD),
    told SimpleAggregateFunction(max, DateTime64(3, 'UTC')) CODEC(ZSTD),
    counted SimpleAggregateFunction(max, DateTime64(3, 'UTC')) CODEC(ZSTD)
)
ENGINE = {replicated}AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (tenant, day, type)
TTL day + INTERVAL 396 DAY
SETTINGS ttl_only_drop_parts = 1;

-- Two days before a day may be counted, so that nothing that is on its way then is missed.
CREATE MATERIALIZED VIEW IF NOT EXISTS late_from_minutes {on_cluster} TO counted_days AS
SELECT tenant, toDate(minute) AS day, type, now64(3, 'UTC') AS told
FROM by_minute
WHERE minute < toStartOfDay(now('UTC')) - toIntervalDay(12)
GROUP BY tenant, day, type;

CREATE MATERIALIZED VIEW IF NOT EXISTS late_from_erased {on_cluster} TO counted_days AS
SELECT tenant, toDate(minute) AS day, type, now64(3, 'UTC') AS told
FROM erased_happenings
WHERE minute < toStartOfDay(now('UTC')) - toIntervalDay(12)
GROUP BY tenant, day, type;

CREATE MATERIALIZED VIEW IF NOT EXISTS hours_from_minutes {on_cluster} TO hour_sets AS
SELECT
    toStartOfHour(minute) AS hour,
    tenant, type, category, channel, provider, priority, stage, reason, catalogue,
    uniqExactMergeState(m.happenings) AS happenings
FROM by_minute AS m
GROUP BY hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue;

-- From here on both are told everything. What there was is copied; told twice, it counts once.
INSERT INTO hour_sets
SELECT
    hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue, happenings
FROM by_hour
SETTINGS insert_deduplicate = 0, max_partitions_per_insert_block = 0;

DROP VIEW IF EXISTS by_hour_from_minutes {on_cluster};

-- What an insert told to the old table alone, as it had begun before the new view was there.
INSERT INTO hour_sets
SELECT
    hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue, happenings
FROM by_hour
WHERE hour > now() - INTERVAL 1 DAY
SETTINGS insert_deduplicate = 0, max_partitions_per_insert_block = 0;

-- How much happened in each hour of the days that are counted, less what was erased since.
CREATE OR REPLACE VIEW folded_hours {on_cluster} AS
WITH (SELECT toDateTime(max(day) + 1, 'UTC') FROM folded_days) AS folded_until
SELECT
    hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue,
    sum(f.messages) AS messages
FROM
(
    SELECT
        hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue,
        toInt64(count) AS messages
    FROM hour_counts FINAL
    WHERE hour < folded_until
    UNION ALL
    SELECT
        toStartOfHour(minute) AS hour,
        tenant, type, category, channel, provider, priority, stage, reason, catalogue,
        -toInt64(uniqExactMerge(happenings)) AS messages
    FROM erased_happenings
    WHERE minute < folded_until
    GROUP BY
        hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue
) AS f
GROUP BY hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue
HAVING messages > 0;

-- As it was, for the last release: of days that are counted, a set of as many numbers that nothing
-- else has.
CREATE OR REPLACE VIEW by_hour {on_cluster} AS
WITH (SELECT toDateTime(max(day) + 1, 'UTC') FROM folded_days) AS folded_until
SELECT
    hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue, happenings
FROM hour_sets
WHERE hour >= folded_until
UNION ALL
SELECT
    hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue,
    arrayReduce(
        'uniqExactState',
        arrayMap(
            number -> cityHash64(
                hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue,
                number
            ),
            range(toUInt64(messages))
        )
    ) AS happenings
FROM folded_hours;

-- How much happened in each hour of the domain event's time: messages.
CREATE OR REPLACE VIEW hourly {on_cluster} AS
WITH (SELECT toDateTime(max(day) + 1, 'UTC') FROM folded_days) AS folded_until
SELECT
    tenant, toDate(hour) AS day, hour, type, category, channel, provider, priority, stage, reason,
    catalogue,
    uniqExactMerge(h.happenings) - uniqExactMergeIf(h.happenings, gone = 1) + sum(h.counted)
        AS messages
FROM
(
    SELECT
        hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue,
        happenings, 0 AS gone, toInt64(0) AS counted
    FROM hour_sets
    WHERE hour >= folded_until
    UNION ALL
    SELECT
        toStartOfHour(minute) AS hour,
        tenant, type, category, channel, provider, priority, stage, reason, catalogue,
        happenings, 1 AS gone, toInt64(0) AS counted
    FROM erased_happenings
    WHERE minute >= folded_until
    UNION ALL
    SELECT
        hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue,
        arrayReduce('uniqExactState', emptyArrayUInt64()) AS happenings, 0 AS gone,
        toInt64(count) AS counted
    FROM hour_counts FINAL
    WHERE hour < folded_until
    UNION ALL
    SELECT
        toStartOfHour(minute) AS hour,
        tenant, type, category, channel, provider, priority, stage, reason, catalogue,
        arrayReduce('uniqExactState', emptyArrayUInt64()) AS happenings, 0 AS gone,
        -toInt64(uniqExactMerge(e.happenings)) AS counted
    FROM erased_happenings AS e
    WHERE minute < folded_until
    GROUP BY
        hour, tenant, type, category, channel, provider, priority, stage, reason, catalogue
) AS h
GROUP BY
    tenant, hour, type, category, channel, provider, priority, stage, reason, catalogue
HAVING messages > 0;

ALTER TABLE hour_sets {on_cluster}
    COMMENT COLUMN hour 'The hour (UTC) of the domain event.',
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN catalogue 'The version of the catalogue that decided it.',
    COMMENT COLUMN happenings 'The set of hashes of what happened: count it with uniqExactMerge.';

ALTER TABLE hour_counts {on_cluster}
    COMMENT COLUMN hour 'The hour (UTC) of the domain event.',
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN catalogue 'The version of the catalogue that decided it.',
    COMMENT COLUMN count 'How many messages; of several rows the one that was counted last holds.',
    COMMENT COLUMN counted_at 'When the count began (UTC).';

ALTER TABLE folded_days {on_cluster}
    COMMENT COLUMN day 'The day (UTC) of the domain events.',
    COMMENT COLUMN at 'When it was counted (UTC).';

ALTER TABLE counted_days {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN told 'When something of that day was last written, or erased, so late (UTC).',
    COMMENT COLUMN counted 'When the last count began (UTC).';

ALTER TABLE folded_hours {on_cluster}
    COMMENT COLUMN hour 'The hour (UTC) of the domain event.',
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN catalogue 'The version of the catalogue that decided it.',
    COMMENT COLUMN messages 'How many messages.';

ALTER TABLE by_hour {on_cluster}
    COMMENT COLUMN hour 'The hour (UTC) of the domain event.',
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN catalogue 'The version of the catalogue that decided it.',
    COMMENT COLUMN happenings 'The set of hashes of what happened: count it with uniqExactMerge.';

ALTER TABLE hourly {on_cluster}
    COMMENT COLUMN tenant 'The tenant whose user it is about.',
    COMMENT COLUMN day 'The day (UTC) of the domain event, which no replay changes.',
    COMMENT COLUMN hour 'The hour (UTC) of the domain event.',
    COMMENT COLUMN type 'The notification type in the catalogue; empty for what is of a user and of no notification.',
    COMMENT COLUMN category 'The category of the type, which users turn on and off.',
    COMMENT COLUMN channel 'The channel: push, email, sms, inapp, chat or webhook; empty for all.',
    COMMENT COLUMN provider 'The provider that was called or that reports; inbox and links are ours.',
    COMMENT COLUMN priority 'The priority: critical, high, normal, low or bulk.',
    COMMENT COLUMN stage 'What happened; see the reference of stages.',
    COMMENT COLUMN reason 'Why it was not sent, waits or failed; see the reference of reasons.',
    COMMENT COLUMN catalogue 'The version of the catalogue that decided it.',
    COMMENT COLUMN messages 'How many messages.';
